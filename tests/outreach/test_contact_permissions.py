"""The badges beside the buttons show the gate's verdict."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Verdict
from rooftree.leads.models import Lead
from rooftree.outreach.messages import contact_permissions
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(dana) -> Lead:
    arrived = journey.deliver(journey.create_website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    return Lead.objects.get(pk=arrived.pk)


def words(lead: Lead, at=make.NOON) -> dict[str, str]:
    return {
        medium: badge.label
        for medium, badge in contact_permissions.permissions_of_lead(lead.pk, at=at).items()
    }


def test_every_medium_is_allowed_by_day_with_consent(lead):
    before = Verdict.objects.count()

    assert words(lead) == {
        "call": "OK to call",
        "text": "OK to text",
        "email": "OK to email",
    }
    assert Verdict.objects.count() == before


def test_calls_and_texts_at_night_wait_until_stated_time(lead):
    badges = contact_permissions.permissions_of_lead(lead.pk, at=make.NIGHT)

    assert badges["text"].label == "Text on hold"
    assert badges["text"].next_allowed_at.isoformat().startswith("2026-11-24T")
    assert not badges["call"].is_allowed
    assert badges["email"].is_allowed


def test_opt_out_ends_texts_and_calls_with_reason(lead):
    store_revocation.store_revocation(
        person_id=lead.person_id,
        address="+18135550142",
        kind="stop",
        media=["call", "text", "voicemail"],
        origin="message:SM1",
        idempotency_key="text:SM1",
        at=make.NOON,
    )

    badges = contact_permissions.permissions_of_lead(lead.pk, at=journey.later(1))

    assert badges["text"].label == "Opted out of texts"
    assert badges["call"].label == "Opted out of calls"
    assert badges["email"].is_allowed


def test_missing_phone_or_email_is_named(lead):
    lead.person.phones.update(unlinked_at=make.NOON)
    lead.person.emails.update(bounced_at=make.NOON)

    assert words(lead) == {
        "call": "No phone number",
        "text": "No phone number",
        "email": "No email address",
    }


def test_lead_without_state_can_be_called_and_not_written_to(lead):
    Lead.objects.filter(pk=lead.pk).update(property_state="", property_zip="")

    assert words(lead) == {
        "call": "OK to call",
        "text": "Property state required",
        "email": "Property state required",
    }


def test_call_keeps_its_verdict_when_checked_again(lead):
    first = contact_permissions.decide_call(lead_id=lead.pk, cause="ring:1", at=journey.later(1))

    assert (first.decision, first.idempotency_key, first.medium) == ("allow", "ring:1", "call")
    assert Verdict.objects.filter(idempotency_key="ring:1").count() == 1
