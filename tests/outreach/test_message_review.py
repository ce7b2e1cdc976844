"""A message that waits for a person: released through the gate, or refused with its reason."""

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


def planned(lead, at=LATER, **changes) -> Message:
    """One more automatic text or e-mail of a sequence, decided at `at`."""
    medium = changes.get("medium", "text")
    first = Message.objects.get(lead=lead, medium=medium, cause__startswith="touch:")
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
def waiting(carriers):
    """A text that waits, because what Ben wrote may mean stop."""
    lead = journey.deliver(journey.website(), journey.form_post())
    hold(lead)
    message = planned(lead)
    assert message.state == "review", message.problem
    return message


def again(message) -> Message:
    return Message.objects.get(pk=message.pk)


def test_a_released_text_goes_with_a_verdict_that_names_who_decided(waiting, carriers, omar):
    at = LATER + make.MINUTE

    sent = message_reviews.decide_message(
        message_id=waiting.pk, releases=True, reason="He moves the appointment", by=omar, at=at
    )

    assert sent.state == "sent"
    assert len(carriers.texts) == 2
    verdict = sent.verdict
    assert verdict.decision == "allow"
    assert verdict.facts["answers"][0]["by"] == f"user:{omar.pk}"
    rule = next(result for result in verdict.results if result["reason"] == "decided_by_person")
    assert rule["id"] == "REV-01"
    made = MessageReview.objects.get(message=waiting)
    assert (made.is_release, made.by, made.at, made.verdict) == (True, omar, at, waiting.verdict)
    event = Event.objects.get(kind="outreach.message.released")
    assert (event.actor, event.lead_id) == (f"user:{omar.pk}", waiting.lead_id)
    assert "appointment" not in str(event.data)


def test_every_verdict_of_a_release_follows_again_and_the_checker_agrees(waiting, omar):
    message_reviews.decide_message(
        message_id=waiting.pk, releases=True, reason="Read it", by=omar, at=LATER
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


def test_a_second_press_is_the_same_decision(waiting, carriers, omar):
    for _ in range(2):
        message_reviews.decide_message(
            message_id=waiting.pk, releases=True, reason="Read it", by=omar, at=LATER
        )

    assert len(carriers.texts) == 2
    assert MessageReview.objects.count() == 1


def test_the_second_of_two_people_hears_that_it_is_decided(waiting, carriers, omar):
    message_reviews.decide_message(
        message_id=waiting.pk, releases=False, reason="Too pushy", by=omar, at=LATER
    )

    with pytest.raises(message_reviews.CannotReview, match="already reviewed"):
        message_reviews.decide_message(
            message_id=waiting.pk, releases=True, reason="Fine", by=make.user(), at=LATER
        )
    assert len(carriers.texts) == 1


def test_a_decision_without_a_reason_changes_nothing(waiting, omar):
    with pytest.raises(message_reviews.CannotReview, match="Enter a reason"):
        message_reviews.decide_message(
            message_id=waiting.pk, releases=True, reason="  ", by=omar, at=LATER
        )

    assert again(waiting).state == "review"
    assert not MessageReview.objects.exists()


def test_a_release_is_no_way_around_a_stop(waiting, carriers, omar):
    store_revocation.store_revocation(
        person_id=None, address=BEN, kind="stop", media=["call", "text", "voicemail"],
        origin="message:2", idempotency_key="text:2", at=LATER,
    )  # fmt: skip

    left = message_reviews.decide_message(
        message_id=waiting.pk, releases=True, reason="Read it", by=omar, at=LATER + make.MINUTE
    )

    assert (left.state, left.verdict.reason) == ("blocked", "revoked")
    assert len(carriers.texts) == 1


def test_a_release_at_night_waits_for_the_morning_and_goes_then(waiting, carriers, omar):
    left = message_reviews.decide_message(
        message_id=waiting.pk, releases=True, reason="Read it", by=omar, at=make.NIGHT
    )
    assert left.state == "held"
    assert left.due_at > make.NIGHT

    send.deliver_messages([left.pk], at=left.due_at)

    assert again(left).state == "sent"
    assert len(carriers.texts) == 2


def test_a_decision_does_not_answer_what_they_wrote_after_it(waiting, carriers, omar):
    held = message_reviews.decide_message(
        message_id=waiting.pk, releases=True, reason="Read it", by=omar, at=make.NIGHT
    )
    Message.objects.create(
        lead=waiting.lead, person=waiting.person, direction="in", medium="text", purpose="reply",
        cause="text:9", to_address="", body="maybe stop?", state="received", problem="hold",
        created_at=make.NIGHT + make.MINUTE,
    )  # fmt: skip

    send.deliver_messages([held.pk], at=held.due_at)

    assert again(held).state == "review"
    assert len(carriers.texts) == 1


def test_a_refusal_closes_the_message_with_its_reason(waiting, carriers, omar):
    refused = message_reviews.decide_message(
        message_id=waiting.pk, releases=False, reason="He asked for a pause", by=omar, at=LATER
    )

    assert refused.state == "cancelled"
    assert refused.problem == "Omar Haddad discarded it: He asked for a pause"
    assert Event.objects.get(kind="outreach.message.refused").actor == f"user:{omar.pk}"
    assert list(message_review.messages_in_review()) == []
    assert len(carriers.texts) == 1


def test_what_the_gate_requires_is_a_task_with_an_owner_and_a_clock_once(waiting, omar):
    planned(waiting.lead, at=LATER + make.MINUTE)

    task = Task.objects.get(lead=waiting.lead)
    assert (task.kind, task.role) == ("require:hold_for_human_review", "compliance")
    assert task.due_at.isoformat() == "2026-11-24T17:00:00-05:00" or task.due_at > LATER
    assert task.done_at is None


def test_the_task_is_over_with_the_last_message_that_waits_for_it(waiting, omar):
    other = planned(waiting.lead, at=LATER + make.MINUTE)
    at = LATER + make.HOUR

    message_reviews.decide_message(
        message_id=waiting.pk, releases=False, reason="No", by=omar, at=at
    )
    assert Task.objects.get().done_at is None
    message_reviews.decide_message(message_id=other.pk, releases=False, reason="No", by=omar, at=at)

    task = Task.objects.get()
    assert (task.done_at, task.done_by) == (at, omar)


def test_deciding_the_hold_ends_the_task_and_leaves_the_message_to_its_own_decision(waiting, omar):
    held = hold(waiting.lead)
    message_reviews.decide_hold(revocation_id=held.pk, is_stop=False, by=omar, at=LATER)

    assert Task.objects.get().done_by == omar
    assert again(waiting).state == "review"


def test_what_must_be_found_out_is_not_released_by_a_decision(carriers, omar):
    lead = journey.deliver(journey.website(), journey.form_post())
    type(lead).objects.filter(pk=lead.pk).update(property_state="")
    lead.refresh_from_db()
    message = planned(lead)
    assert (message.state, message.verdict.reason) == ("review", "property_state_needed")
    assert not message_review.needs_only_judgment(message)
    task = Task.objects.get(lead=lead)
    assert (task.role, task.due_at) == ("", LATER + make.HOUR)

    left = message_reviews.decide_message(
        message_id=message.pk, releases=True, reason="Sure", by=omar, at=LATER
    )
    assert left.state == "review"
    assert len(carriers.texts) == 1

    type(lead).objects.filter(pk=lead.pk).update(property_state="FL")
    gone = message_reviews.decide_message(
        message_id=message.pk, releases=True, reason="Asked him", by=omar, at=LATER + make.MINUTE
    )
    assert gone.state == "sent"
    assert Task.objects.get(lead=lead).done_by == omar
