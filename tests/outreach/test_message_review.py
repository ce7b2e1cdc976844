"""Message review: a message is released through the gate or discarded with a reason."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.models import Verdict
from rooftree.flow import message_reviews
from rooftree.leads.models import Task
from rooftree.ledger.models import Event
from rooftree.outreach.messages import message_review, send
from rooftree.outreach.models import Message, MessageReview
from rooftree.outreach.wording.message_templates import MessageContent
from rooftree.reporting import deep_checks
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dana")]
BEN = "+18135550142"
LATER = make.NOON + make.HOUR


@pytest.fixture
def omar():
    return make.user("compliance", name="Omar Haddad")


def hold(lead, at=make.NOON + make.MINUTE, cause="text:1"):
    return store_revocation.store_revocation(
        person_id=lead.person_id, address=BEN, kind="review", media=["call", "text", "email"],
        words="cancel Tuesday, I can do Wednesday", origin="message:1", idempotency_key=cause,
        at=at,
    )  # fmt: skip


def queue_message(lead, at=LATER, **changes) -> Message:
    """Queue and decide one more automatic text or email of a sequence at `at`."""
    medium = changes.get("medium", "text")
    first = Message.objects.get(lead=lead, medium=medium, idempotency_key__startswith="touch:")
    made = send.queue_message(
        lead=lead,
        medium=medium,
        purpose="marketing",
        cause=f"step:{make.number()}",
        words=MessageContent(
            body=f"Still here. {first.body}", subject=first.subject, officer=first.officer
        ),
        to=first.to_address,
        at=at,
    )
    send.deliver_messages([made.pk], at=at)
    return Message.objects.get(pk=made.pk)


@pytest.fixture
def waiting_text(carriers):
    """Return a text in review because Ben's reply can mean stop."""
    lead = journey.deliver(journey.create_website(), journey.form_post())
    hold(lead)
    message = queue_message(lead)
    assert message.state == "review", message.problem
    return message


def reload(message) -> Message:
    return Message.objects.get(pk=message.pk)


def test_released_text_is_sent_with_verdict_naming_reviewer(waiting_text, carriers, omar):
    at = LATER + make.MINUTE

    sent = message_reviews.decide_message(
        message_id=waiting_text.pk,
        is_release=True,
        reason="He moves the appointment",
        by=omar,
        at=at,
    )

    assert sent.state == "sent"
    assert len(carriers.texts) == 2
    verdict = sent.verdict
    assert verdict.decision == "allow"
    assert verdict.facts["answers"][0]["by"] == f"user:{omar.pk}"
    rule = next(result for result in verdict.results if result["reason"] == "decided_by_person")
    assert rule["id"] == "REV-01"
    made = MessageReview.objects.get(message=waiting_text)
    assert (made.is_release, made.by, made.at, made.verdict) == (
        True,
        omar,
        at,
        waiting_text.verdict,
    )
    event = Event.objects.get(kind="outreach.message.released")
    assert (event.actor, event.lead_id) == (f"user:{omar.pk}", waiting_text.lead_id)
    assert "appointment" not in str(event.data)


def test_verdicts_of_released_message_pass_the_checker(waiting_text, omar):
    message_reviews.decide_message(
        message_id=waiting_text.pk, is_release=True, reason="Read it", by=omar, at=LATER
    )

    for verdict in Verdict.objects.all():
        assert deep_checks.is_same_verdict(verdict), verdict.reason
        stored = {
            "facts": verdict.facts,
            "facts_sha256": verdict.facts_sha256,
            "decision": verdict.decision,
            "reason": verdict.reason,
            "next_allowed_at": verdict.next_allowed_at and verdict.next_allowed_at.isoformat(),
        }
        assert verdict_checker.find_problems(stored) == []


def test_repeated_release_is_one_decision(waiting_text, carriers, omar):
    for _ in range(2):
        message_reviews.decide_message(
            message_id=waiting_text.pk, is_release=True, reason="Read it", by=omar, at=LATER
        )

    assert len(carriers.texts) == 2
    assert MessageReview.objects.count() == 1


def test_second_reviewer_is_told_message_is_decided(waiting_text, carriers, omar):
    message_reviews.decide_message(
        message_id=waiting_text.pk, is_release=False, reason="Too pushy", by=omar, at=LATER
    )

    with pytest.raises(message_reviews.CannotReview, match="already reviewed"):
        message_reviews.decide_message(
            message_id=waiting_text.pk, is_release=True, reason="Fine", by=make.user(), at=LATER
        )
    assert len(carriers.texts) == 1


def test_review_decision_needs_a_reason(waiting_text, omar):
    with pytest.raises(message_reviews.CannotReview, match="Enter a reason"):
        message_reviews.decide_message(
            message_id=waiting_text.pk, is_release=True, reason="  ", by=omar, at=LATER
        )

    assert reload(waiting_text).state == "review"
    assert not MessageReview.objects.exists()


def test_release_cannot_override_opt_out(waiting_text, carriers, omar):
    store_revocation.store_revocation(
        person_id=None, address=BEN, kind="stop", media=["call", "text", "voicemail"],
        origin="message:2", idempotency_key="text:2", at=LATER,
    )  # fmt: skip

    left = message_reviews.decide_message(
        message_id=waiting_text.pk,
        is_release=True,
        reason="Read it",
        by=omar,
        at=LATER + make.MINUTE,
    )

    assert (left.state, left.verdict.reason) == ("blocked", "revoked")
    assert len(carriers.texts) == 1


def test_message_released_at_night_waits_for_morning(waiting_text, carriers, omar):
    left = message_reviews.decide_message(
        message_id=waiting_text.pk, is_release=True, reason="Read it", by=omar, at=make.NIGHT
    )
    assert left.state == "held"
    assert left.due_at > make.NIGHT

    send.deliver_messages([left.pk], at=left.due_at)

    assert reload(left).state == "sent"
    assert len(carriers.texts) == 2


def test_review_decision_does_not_cover_later_borrower_message(waiting_text, carriers, omar):
    held_message = message_reviews.decide_message(
        message_id=waiting_text.pk, is_release=True, reason="Read it", by=omar, at=make.NIGHT
    )
    Message.objects.create(
        lead=waiting_text.lead, person=waiting_text.person, direction="in", medium="text",
        purpose="reply", idempotency_key="text:9", to_address="", body="maybe stop?",
        state="received", problem="hold",
        created_at=make.NIGHT + make.MINUTE,
    )  # fmt: skip

    send.deliver_messages([held_message.pk], at=held_message.due_at)

    assert reload(held_message).state == "review"
    assert len(carriers.texts) == 1


def test_discarded_message_closes_with_reason(waiting_text, carriers, omar):
    refused = message_reviews.decide_message(
        message_id=waiting_text.pk,
        is_release=False,
        reason="He asked for a pause",
        by=omar,
        at=LATER,
    )

    assert refused.state == "cancelled"
    assert refused.problem == "Omar Haddad discarded it: He asked for a pause"
    assert Event.objects.get(kind="outreach.message.refused").actor == f"user:{omar.pk}"
    assert list(message_review.messages_in_review()) == []
    assert len(carriers.texts) == 1


def test_gate_requirement_creates_one_task_with_owner_and_due_time(waiting_text, omar):
    queue_message(waiting_text.lead, at=LATER + make.MINUTE)

    task = Task.objects.get(lead=waiting_text.lead)
    assert (task.kind, task.role) == ("require:hold_for_human_review", "compliance")
    assert task.due_at.isoformat() == "2026-11-24T17:00:00-05:00" or task.due_at > LATER
    assert task.done_at is None


def test_review_task_closes_with_its_last_waiting_message(waiting_text, omar):
    other = queue_message(waiting_text.lead, at=LATER + make.MINUTE)
    at = LATER + make.HOUR

    message_reviews.decide_message(
        message_id=waiting_text.pk, is_release=False, reason="No", by=omar, at=at
    )
    assert Task.objects.get().done_at is None
    message_reviews.decide_message(
        message_id=other.pk, is_release=False, reason="No", by=omar, at=at
    )

    task = Task.objects.get()
    assert (task.done_at, task.done_by) == (at, omar)


def test_deciding_hold_closes_task_and_keeps_message_in_review(waiting_text, omar):
    hold_row = hold(waiting_text.lead)
    message_reviews.decide_hold(revocation_id=hold_row.pk, is_stop=False, by=omar, at=LATER)

    assert Task.objects.get().done_by == omar
    assert reload(waiting_text).state == "review"


def test_message_with_missing_fact_cannot_be_released(carriers, omar):
    lead = journey.deliver(journey.create_website(), journey.form_post())
    type(lead).objects.filter(pk=lead.pk).update(property_state="")
    lead.refresh_from_db()
    message = queue_message(lead)
    assert (message.state, message.verdict.reason) == ("review", "property_state_needed")
    assert not message_review.needs_only_judgment(message)
    task = Task.objects.get(lead=lead)
    assert (task.role, task.due_at) == ("", LATER + make.HOUR)

    left = message_reviews.decide_message(
        message_id=message.pk, is_release=True, reason="Sure", by=omar, at=LATER
    )
    assert left.state == "review"
    assert len(carriers.texts) == 1

    type(lead).objects.filter(pk=lead.pk).update(property_state="FL")
    sent_message = message_reviews.decide_message(
        message_id=message.pk, is_release=True, reason="Asked him", by=omar, at=LATER + make.MINUTE
    )
    assert sent_message.state == "sent"
    assert Task.objects.get(lead=lead).done_by == omar
