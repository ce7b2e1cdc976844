import pytest

from rooftree.leads import lead_tasks, snooze
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.models import Event
from tests import make

pytestmark = pytest.mark.django_db
UNTIL = make.NOON + 3 * make.DAY


def snooze_until(cast, lead, until=UNTIL, because="On vacation", at=make.NOON):
    return snooze.snooze_lead(
        lead_id=lead.pk, until=until, because=because, by=cast.dana.user.pk, at=at
    )


def test_snooze_stores_reason_and_ledger_names_the_user(cast):
    lead = make.lead(officer=cast.dana, first_attempt_at=make.NOON)

    snooze_until(cast, lead)

    lead = Lead.objects.get(pk=lead.pk)
    assert (lead.snoozed_until, lead.snooze_reason) == (UNTIL, "On vacation")
    event = Event.objects.get(kind="leads.lead.snoozed")
    assert event.actor == f"user:{cast.dana.user.pk}"
    assert "vacation" not in str(event.data)


def test_lead_with_first_call_due_cannot_be_snoozed(cast):
    lead = make.lead(officer=cast.dana, response_due_at=make.NOON + make.MINUTE)

    with pytest.raises(snooze.CannotSnooze, match="first call is due"):
        snooze_until(cast, lead)
    assert Lead.objects.get(pk=lead.pk).snoozed_until is None


def test_lead_with_callback_due_cannot_be_snoozed(cast):
    lead = make.lead(officer=cast.dana, first_attempt_at=make.NOON)
    due = make.NOON + make.HOUR
    wanted = lead_tasks.SystemTask(
        kind=lead_tasks.CALL_BACK, title="Call back as agreed", due_at=due
    )
    lead_tasks.add_or_update_task(wanted, lead_id=lead.pk, at=make.NOON)

    with pytest.raises(snooze.CannotSnooze, match="callback you agreed to is due"):
        snooze_until(cast, lead, at=due)
    assert snooze_until(cast, lead, at=make.NOON).snoozed_until == UNTIL


def test_lead_that_needs_reply_cannot_be_snoozed(cast):
    lead = make.lead(officer=cast.dana, first_attempt_at=make.NOON)
    ContactAttempt.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        direction="in",
        at=make.NOON,
        idempotency_key="in:1",
    )

    with pytest.raises(snooze.CannotSnooze, match="Reply first"):
        snooze_until(cast, lead, at=make.NOON + make.MINUTE)


@pytest.mark.parametrize("until", [make.NOON, make.NOON - make.DAY, make.NOON + 400 * make.DAY])
def test_snooze_must_end_within_a_year(cast, until):
    with pytest.raises(snooze.CannotSnooze, match="within the next year"):
        snooze_until(cast, make.lead(officer=cast.dana), until=until)


def test_snooze_needs_no_reason(cast):
    lead = snooze_until(cast, make.lead(officer=cast.dana), because="  ")

    assert (lead.snoozed_until, lead.snooze_reason) == (UNTIL, "")


def test_waking_ends_the_snooze_once(cast):
    lead = make.lead(officer=cast.dana, first_attempt_at=make.NOON)
    snooze_until(cast, lead)

    assert snooze.wake_lead(lead_id=lead.pk, because="replied", at=make.NOON + make.HOUR)
    assert not snooze.wake_lead(lead_id=lead.pk, because="replied", at=make.NOON + make.HOUR)

    assert Lead.objects.get(pk=lead.pk).snoozed_until is None
    assert Event.objects.filter(kind="leads.lead.woken").count() == 1
