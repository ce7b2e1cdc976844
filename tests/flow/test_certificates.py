"""Consent certificates over real HTTP, claimed before their issuer deletes them."""

from datetime import timedelta
from typing import Any

import pytest

from rooftree.capture.certificates import certificate_claims
from rooftree.capture.certificates import trustedform as answers
from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.models import Certificate
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.compliance.models import Consent, Revocation
from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Lead, Source
from rooftree.org.models import StaffNotice
from rooftree.outreach.models import Message
from rooftree.web.setup.integration_steps import certificate_step
from rooftree_simulators.ads import trustedform
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World
from tests.flow.senders import add_fault

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def witness(world) -> trustedform.TrustedForm:
    certificate_claims.save_trustedform_key(
        trustedform.API_KEY, by=make.user("compliance").pk, at=make.NOON
    )
    return world.simulators.trustedform


def submit_form(world: World, url: str, **changes: Any) -> Lead:
    """Submit a visitor's form with a certificate and process it."""
    site = Source.objects.filter(adapter="website_form").first() or journey.create_website(
        secret="site-secret"
    )
    form = journey.form_post(**changes) | {"xxTrustedFormCertUrl": url}
    assert world.submit(site, form).status_code == 200
    world.run()
    return Lead.objects.get()


def test_certificate_is_claimed_at_once_and_proves_consent(world, witness):
    url = witness.issue_certificate(phone="8135550142", email="ben.ortiz@home.example")
    submit_form(world, url)

    row = Certificate.objects.get()
    assert (row.state, row.phone_match, row.email_match) == ("retained", True, True)
    assert row.requested_at == row.settled_at == make.NOON
    assert row.expires_at is not None
    assert b"previously_retained" in bytes(row.answer)
    assert witness.sessions[url.rpartition("/")[2]]["retained"]
    consent = Consent.objects.get(address="+18135550142", idempotency_key__endswith=":certificate")
    assert "session_cert" in consent.record["evidence"]


def test_wrong_key_is_refused_and_the_right_one_is_proved_by_its_first_claim(world):
    with pytest.raises(InvalidField, match="rejected our key"):
        certificate_claims.refuse_wrong_key("wrong")
    certificate_claims.refuse_wrong_key(trustedform.API_KEY)
    assert "Not used" in certificate_step().description
    boss = make.user("administrator")
    certificate_claims.save_trustedform_key(trustedform.API_KEY, by=boss.pk, at=make.NOON)
    saved = certificate_step()
    assert (saved.is_done, saved.is_needed, saved.has_problem) == (False, False, False)
    url = world.simulators.trustedform.issue_certificate(
        phone="8135550142", email="ben.ortiz@home.example"
    )

    submit_form(world, url)

    proved = certificate_step()
    assert proved.is_done
    assert proved.description.startswith("Last certificate claimed November 23")
    Certificate.objects.update(state="pending", attempts=1, problem="TrustedForm rejected our key")
    failing = certificate_step()
    assert (failing.is_done, failing.is_needed, failing.has_problem) == (False, True, True)
    assert failing.description == "TrustedForm rejected our key"


def test_certificate_of_another_session_stops_automatic_contact(world, witness):
    make.user("administrator")
    url = witness.issue_certificate(phone="3105550111", email="other@home.example")
    submit_form(world, url)

    assert Certificate.objects.get().state == "retained_mismatch"
    assert Revocation.objects.get().kind == "review"
    assert StaffNotice.objects.filter(kind="certificate").count() == 1


def test_certificate_with_another_number_proves_no_consent_for_number(world, witness):
    url = witness.issue_certificate(phone="3105550111", email="ben.ortiz@home.example")
    submit_form(world, url)

    row = Certificate.objects.get()
    assert (row.state, row.phone_match, row.email_match) == ("retained_mismatch", False, True)
    assert Revocation.objects.get().address == "+18135550142"
    proofs = Consent.objects.filter(address="+18135550142")
    assert not any("session_cert" in proof.record.get("evidence", ()) for proof in proofs)


def test_certificate_claim_is_retried_while_trustedform_fails(world, witness):
    url = witness.issue_certificate(phone="8135550142", email="ben.ortiz@home.example")
    add_fault(witness, "html_maintenance", count=3)
    submit_form(world, url)
    assert Certificate.objects.get().state == "pending"
    for minute in (1, 2, 4, 9):
        world.run(minute)

    assert Certificate.objects.get().state == "retained"
    assert Certificate.objects.get().attempts == 4


def test_expired_certificate_raises_alarm_and_is_not_retried(world, witness):
    make.user("administrator")
    url = witness.issue_certificate(
        phone="8135550142", email="", created=make.NOON - timedelta(hours=73)
    )
    submit_form(world, url)

    row = Certificate.objects.get()
    assert (row.state, row.status, row.due_at) == ("failed", 410, None)
    assert "expired" in StaffNotice.objects.get(kind="certificate").text


def test_certificate_claim_waits_for_key_and_is_reported(world):
    make.user("administrator")
    witness = world.simulators.trustedform
    url = witness.issue_certificate(phone="8135550142", email="ben.ortiz@home.example")
    submit_form(world, url)
    assert Certificate.objects.get().state == "pending"
    assert "key is missing" in StaffNotice.objects.get(kind="certificate").text

    certificate_claims.save_trustedform_key(
        trustedform.API_KEY, by=make.user("compliance").pk, at=journey.later(2)
    )
    world.run(2)

    assert Certificate.objects.get().state == "retained"


def test_certificate_not_claimed_in_time_is_reported_as_lost(world):
    make.user("administrator")
    url = world.simulators.trustedform.issue_certificate(phone="8135550142", email="")
    submit_form(world, url)
    for hours in (24, 48, 71.95):
        world.run(60 * hours)

    assert Certificate.objects.get().state == "failed"
    assert StaffNotice.objects.filter(idempotency_key__startswith="certificate:").count() == 1


def test_text_waiting_for_proof_is_sent_after_certificate_claim(world, witness):
    url = witness.issue_certificate(phone="8135550142", email="ben.ortiz@home.example")
    add_fault(witness, "status:503", count=1)
    submit_form(world, url)
    world.run(2)

    assert Certificate.objects.get().state == "retained"
    assert Message.objects.get(medium="text").state in ("sent", "delivered")


def test_crash_during_certificate_claim_is_retried(world, witness):
    url = witness.issue_certificate(phone="8135550142", email="ben.ortiz@home.example")
    add_fault(witness, "drop_after_commit", count=3)  # retained, and the answer was lost
    submit_form(world, url)
    assert Certificate.objects.get().state == "pending"

    world.run(1)

    row = Certificate.objects.get()
    assert (row.state, row.phone_match) == ("retained", True)
    assert b'"previously_retained": true' in bytes(row.answer)


def test_late_certificate_result_does_not_undo_recorded_one(world, witness):
    url = witness.issue_certificate(phone="8135550142", email="ben.ortiz@home.example")
    add_fault(witness, "status:503", count=1)
    submit_form(world, url)
    rows = Certificate.objects.select_related("touch__source", "touch__person")
    slow = claim_due_row(rows, at=journey.later(1))  # and its process hangs here
    world.run(4)
    assert Certificate.objects.get().state == "retained"

    late = answers.parse_claim_answer(VendorAnswer(status=503))
    certificate_claims._record_result(slow, None, late, journey.later(5))

    assert (Certificate.objects.get().state, Certificate.objects.get().due_at) == ("retained", None)
