"""The own form's consent certificate proves later, on its own, what was shown and done."""

import hashlib
import json
import zipfile

import pytest

from rooftree.capture.models import FormCertificate, FormPage
from rooftree.compliance.evidence.evidence_file_check import find_problems
from rooftree.compliance.evidence.form_certificate_check import certificate_digest
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery
from rooftree.ledger import seal
from rooftree.ledger.models import Event
from rooftree.reporting.evidence.evidence_archive import build_archive as make_file
from tests import make
from tests.flow import journey
from tests.reporting.test_evidence_data import alter, read_evidence
from tests.web.visitor import LEGAL, open_form, send, stored

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
STEPS = "0 shown;0 step 1;4 field loan_purpose;9 step 2;40 ticked;44 sent"


@pytest.fixture
def certificate(source):
    """Ben's request with the consent box checked, processed and sealed in the ledger."""
    send(
        open_form(), consent="yes", steps=STEPS, ticks="1", checked_at="2026-11-23T16:59:40Z",
        font_px="15", contrast="12.6", visible="yes", box_at_load="unticked",
    )  # fmt: skip
    lead_arrival.process_next_batch(at=make.NOON)
    seal.seal_events(at=make.NOON)
    return FormCertificate.objects.get()


@pytest.fixture
def file(certificate, tmp_path):
    path = tmp_path / "ben.zip"
    path.write_bytes(make_file(BEN, actor="user:1", at=make.NOON + make.HOUR))
    return path


def test_certificate_records_the_page_its_look_and_the_visitors_actions(certificate):
    facts = certificate.facts

    assert LEGAL in facts["shown"]["wording"]
    assert facts["shown"]["version"] == "form-2026-11"
    assert facts["measured_by_the_browser"]["font_px"] == "15"
    assert facts["measured_by_the_browser"]["contrast"] == "12.6"
    assert facts["measured_by_the_browser"]["box_at_load"] == "unticked"
    assert facts["visitor"]["steps"] == STEPS.split(";")
    assert facts["visitor"]["checked_at"] == "2026-11-23T16:59:40Z"
    assert facts["sent"]["box"] == "granted"
    assert facts["sent"]["phones"] == [BEN]
    assert facts["sent"]["ip"] == "203.0.113.10"


def test_rendered_page_is_stored_once(certificate, source):
    open_form()
    open_form(lang="es")

    pages = FormPage.objects.all()
    assert len(pages) == 2
    for page in pages:
        assert hashlib.sha256(page.html.encode()).hexdigest() == page.pk
    form_page = FormPage.objects.get(pk=certificate.facts["shown"]["page_sha256"])
    assert " ".join(certificate.facts["shown"]["wording"].split()) in form_page.html
    assert 'type="checkbox"' in form_page.html
    assert " checked" not in form_page.html
    assert "Ben" not in form_page.html


def test_ledger_has_the_certificate_hash_and_no_personal_data(certificate):
    event = Event.objects.get(kind="capture.form.certified")

    assert event.data == {
        "certificate": str(certificate.pk),
        "sha256": certificate_digest(certificate.facts),
    }
    assert event.sequence is not None
    assert event.person_id == certificate.touch.person_id


def test_lead_page_links_to_the_certificate(certificate, signed_in):
    page = signed_in(make.user("operations")).get(f"/leads/{certificate.touch.lead_id}/").text

    assert "Form certificate sealed in the ledger" in page


def test_unchanged_certificate_file_verifies(file):
    evidence = read_evidence(file)

    assert len(evidence["form_certificates"]) == len(evidence["form_pages"]) == 1
    assert find_problems(file) == []


def _tick(evidence):
    evidence["form_certificates"][0]["facts"]["visitor"]["checked_at"] = "2026-11-23T16:00:00Z"


def _contrast(evidence):
    evidence["form_certificates"][0]["facts"]["measured_by_the_browser"]["contrast"] = "21"


def _rehash(evidence):
    """Recompute the hash to match the change."""
    _contrast(evidence)
    certificate = evidence["form_certificates"][0]
    certificate["sha256"] = certificate_digest(certificate["facts"])


def _page(evidence):
    evidence["form_pages"][0]["html"] += "<p>Added later</p>"


def _page_rehashed(evidence):
    _page(evidence)
    page = evidence["form_pages"][0]
    page["sha256"] = hashlib.sha256(page["html"].encode()).hexdigest()


def _change_ledger_too(evidence):
    """Change the certificate and its ledger entry alike."""
    _rehash(evidence)
    for event in evidence["events"]:
        if event["kind"] == "capture.form.certified":
            event["data"]["sha256"] = evidence["form_certificates"][0]["sha256"]


def _wording(evidence):
    evidence["consents"][0]["wording"] = "I agree to everything."
    evidence["consents"][0]["wording_sha256"] = hashlib.sha256(
        b"I agree to everything."
    ).hexdigest()


def _left_out(evidence):
    evidence["form_certificates"] = []


def _delivery(evidence):
    evidence["deliveries"][0]["body_sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "problem_text"),
    [
        (_tick, "is not what was sealed"),
        (_contrast, "is not what was sealed"),
        (_rehash, "is not what was sealed"),
        (_page, "was changed"),
        (_page_rehashed, "the page the borrower saw is missing"),
        (_change_ledger_too, "ledger entry"),
        (_wording, "has a different wording"),
        (_left_out, "is missing"),
        (_delivery, "the delivery doesn't match"),
    ],
)
def test_any_changed_part_is_detected_from_the_file_alone(file, change, problem_text):
    alter(file, change)

    assert any(problem_text in problem for problem in find_problems(file))


def test_website_post_has_no_certificate(source):
    journey.arrive(source, journey.form_post())
    lead_arrival.process_next_batch(at=make.NOON)

    assert Delivery.objects.get().state == "worked"
    assert not FormCertificate.objects.exists()


@pytest.mark.parametrize("forge", ["seal", "submission_id"])
def test_seal_of_another_post_certifies_nothing(source, forge):
    send(open_form(), consent="yes")
    body = stored()
    Delivery.objects.all().delete()
    if forge == "seal":
        body["consent"]["seal"] = body["consent"]["seal"][:-1] + "~"
    else:
        body["submission_id"] = "another"

    journey.arrive(source, json.dumps(body).encode())
    lead_arrival.process_next_batch(at=make.NOON)

    assert Delivery.objects.get().state == "worked"
    assert not FormCertificate.objects.exists()


def test_certificate_archive_has_the_page_to_view(file):
    evidence = read_evidence(file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None

    assert evidence["form_pages"][0]["html"].lstrip().startswith("<!doctype html>")
