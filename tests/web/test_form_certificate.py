"""The certificate of our own form proves years later, without us, what was shown and done."""

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
from tests.web.visitor import LEGAL, send, shown, stored

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
STEPS = "0 shown;0 step 1;4 field loan_purpose;9 step 2;40 ticked;44 sent"


@pytest.fixture
def sent(source):
    """Ben's request, with the box ticked, worked and on the ledger."""
    send(
        shown(), consent="yes", steps=STEPS, ticks="1", checked_at="2026-11-23T16:59:40Z",
        font_px="15", contrast="12.6", visible="yes", box_at_load="unticked",
    )  # fmt: skip
    lead_arrival.process_next_batch(at=make.NOON)
    seal.seal_events(at=make.NOON)
    return FormCertificate.objects.get()


@pytest.fixture
def file(sent, tmp_path):
    path = tmp_path / "ben.zip"
    path.write_bytes(make_file(BEN, actor="user:1", at=make.NOON + make.HOUR))
    return path


def test_certificate_records_the_page_its_look_and_the_visitors_actions(sent):
    facts = sent.facts

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


def test_rendered_page_is_stored_once(sent, source):
    shown()
    shown(lang="es")

    pages = FormPage.objects.all()
    assert len(pages) == 2
    for page in pages:
        assert hashlib.sha256(page.html.encode()).hexdigest() == page.pk
    kept = FormPage.objects.get(pk=sent.facts["shown"]["page_sha256"])
    assert " ".join(sent.facts["shown"]["wording"].split()) in kept.html
    assert 'type="checkbox"' in kept.html
    assert " checked" not in kept.html
    assert "Ben" not in kept.html


def test_ledger_has_the_certificate_hash_and_no_personal_data(sent):
    told = Event.objects.get(kind="capture.form.certified")

    assert told.data == {"certificate": str(sent.pk), "sha256": certificate_digest(sent.facts)}
    assert told.sequence is not None
    assert told.person_id == sent.touch.person_id


def test_lead_page_links_to_the_certificate(sent, signed_in):
    page = signed_in(make.user("operations")).get(f"/leads/{sent.touch.lead_id}/").text

    assert "The form&#x27;s certificate is sealed in the ledger" in page


def test_unchanged_certificate_file_verifies(file):
    found = read_evidence(file)

    assert len(found["form_certificates"]) == len(found["form_pages"]) == 1
    assert find_problems(file) == []


def _tick(evidence):
    evidence["form_certificates"][0]["facts"]["visitor"]["checked_at"] = "2026-11-23T16:00:00Z"


def _contrast(evidence):
    evidence["form_certificates"][0]["facts"]["measured_by_the_browser"]["contrast"] = "21"


def _rehashed(evidence):
    """With the hash beside it made to fit."""
    _contrast(evidence)
    one = evidence["form_certificates"][0]
    one["sha256"] = certificate_digest(one["facts"])


def _page(evidence):
    evidence["form_pages"][0]["html"] += "<p>Added later</p>"


def _page_rehashed(evidence):
    _page(evidence)
    page = evidence["form_pages"][0]
    page["sha256"] = hashlib.sha256(page["html"].encode()).hexdigest()


def _ledger(evidence):
    """The certificate and its entry changed alike."""
    _rehashed(evidence)
    for one in evidence["events"]:
        if one["kind"] == "capture.form.certified":
            one["data"]["sha256"] = evidence["form_certificates"][0]["sha256"]


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
    ("change", "said"),
    [
        (_tick, "is not what was sealed"),
        (_contrast, "is not what was sealed"),
        (_rehashed, "is not what was sealed"),
        (_page, "was changed"),
        (_page_rehashed, "the page the borrower saw is missing"),
        (_ledger, "ledger entry"),
        (_wording, "has a different wording"),
        (_left_out, "is missing"),
        (_delivery, "the delivery doesn't match"),
    ],
)
def test_any_changed_part_is_detected_from_the_file_alone(file, change, said):
    alter(file, change)

    assert any(said in problem for problem in find_problems(file))


def test_website_post_has_no_certificate(source):
    journey.arrive(source, journey.form_post())
    lead_arrival.process_next_batch(at=make.NOON)

    assert Delivery.objects.get().state == "worked"
    assert not FormCertificate.objects.exists()


@pytest.mark.parametrize("forge", ["seal", "submission_id"])
def test_seal_of_another_post_certifies_nothing(source, forge):
    send(shown(), consent="yes")
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
    found = read_evidence(file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None

    assert found["form_pages"][0]["html"].lstrip().startswith("<!doctype html>")
