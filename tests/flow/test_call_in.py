"""Inbound calls: the borrower is connected, and a missed call is followed up."""

import pytest

from rooftree.flow import call_events
from rooftree.leads.models import ContactAttempt, Lead, Phone
from rooftree.org.models import StaffNotice
from rooftree.outreach.models import Message
from rooftree.outreach.wording import message_templates
from rooftree.routing import lead_ownership
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben(cast) -> Lead:
    message_templates.ensure_default_templates(at=make.NOON)
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    return Lead.objects.get(pk=cast.ben.pk)


def number_of(lead: Lead) -> str:
    return Phone.objects.filter(person=lead.person).values_list("e164", flat=True)[0]


def test_known_caller_is_connected_to_their_officer(ben, cast):
    markup = call_events.on_inbound_call(sender=number_of(ben), call_id="CA1", at=make.NOON)

    assert f">{cast.dana.phone}</Number>" in markup
    assert ContactAttempt.objects.get(lead=ben, direction="in").medium == "call"


def test_unknown_caller_reaches_company_main_line(cast):
    markup = call_events.on_inbound_call(sender="+14155550199", call_id="CA1", at=make.NOON)

    assert f">{make.company().phone}</Number>" in markup
    assert not ContactAttempt.objects.exists()


def test_missed_call_sets_deadline_and_notifies_officer(ben):
    call_events.on_inbound_call(sender=number_of(ben), call_id="CA1", at=make.NOON)

    markup = call_events.on_inbound_call_ended(call_id="CA1", dial_status="no-answer", at=make.NOON)
    call_events.on_inbound_call_ended(
        call_id="CA1", dial_status="no-answer", at=make.NOON + make.MINUTE
    )

    assert "<Say" in markup
    assert Lead.objects.get(pk=ben.pk).response_due_at == make.NOON + 5 * make.MINUTE
    assert StaffNotice.objects.filter(kind="called").count() == 1
    text = Message.objects.get(lead=ben, idempotency_key__startswith="missed:")
    assert (text.medium, text.purpose, text.is_automated) == ("text", "informational", True)


def test_answered_inbound_call_needs_no_follow_up(ben):
    call_events.on_inbound_call(sender=number_of(ben), call_id="CA1", at=make.NOON)
    call_events.on_inbound_call_ended(
        call_id="CA1", dial_status="completed", at=make.NOON + make.MINUTE
    )

    assert ContactAttempt.objects.get(lead=ben, direction="in").result == "spoken"
    assert Lead.objects.get(pk=ben.pk).first_conversation_at == make.NOON + make.MINUTE
    assert not Message.objects.filter(idempotency_key__startswith="missed:").exists()
