"""Messages typed by staff: signed, allowed or blocked with a reason, and never sent twice."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Consent
from rooftree.flow import borrower_replies
from rooftree.outreach.messages import message_review
from rooftree.outreach.models import Message
from rooftree.outreach.wording.typed_messages import CannotSend, send_typed_message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
IN_REVIEW = "We’re unable to approve this loan."


@pytest.fixture
def lead(dana, carriers):
    arrived = journey.deliver(journey.create_website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    return type(arrived).objects.get(pk=arrived.pk)


def write(lead, dana, body="Can we talk at 5?", **changes) -> Message:
    return send_typed_message(
        **{
            "lead_id": lead.pk,
            "medium": "text",
            "body": body,
            "by": dana.user,
            "at": journey.later(1),
            **changes,
        }
    )


def test_typed_message_is_signed_with_required_nmls_ids(lead, dana, carriers):
    sent = write(lead, dana)

    assert (sent.state, sent.is_automated, sent.by) == ("sent", False, dana.user)
    assert sent.body == (
        f"Can we talk at 5?\nDana Whitfield NMLS {dana.nmls_id}, Lindenfield Mortgage NMLS 1204417"
    )
    assert carriers.texts[-1].body == sent.body


def test_typed_message_with_nmls_ids_is_unchanged(lead, dana):
    words = f"Dana, NMLS {dana.nmls_id}, at Lindenfield (NMLS 1204417): call me."

    assert write(lead, dana, words).body == words


@pytest.mark.parametrize(
    ("language", "way_out"), [("en", "Reply STOP to end."), ("es", "Responda ALTO para terminar.")]
)
def test_first_typed_text_says_how_to_opt_out(lead, dana, language, way_out):
    Message.objects.all().delete()
    lead.person.language = language
    lead.person.save()

    first = write(lead, dana)
    second = write(lead, dana, "And tomorrow?", at=journey.later(2))

    assert first.body.endswith(way_out)
    assert way_out not in second.body


def test_typed_message_without_phone_or_email_names_the_missing_one(lead, dana):
    lead.person.phones.update(unlinked_at=make.NOON)
    lead.person.emails.update(bounced_at=make.NOON)

    with pytest.raises(CannotSend, match="No phone number on file yet"):
        write(lead, dana)
    with pytest.raises(CannotSend, match="No email address on file yet"):
        write(lead, dana, medium="email")


def test_blocked_typed_message_shows_reason_and_is_stored(lead, dana, carriers):
    Consent.objects.all().delete()
    store_revocation.store_revocation(
        person_id=lead.person_id,
        address=BEN,
        kind="stop",
        media=["text"],
        origin="page:test",
        idempotency_key="test:stop",
        at=make.NOON,
    )
    before = len(carriers.texts)

    with pytest.raises(CannotSend) as refused:
        write(lead, dana)

    kept = Message.objects.get(by=dana.user)
    assert (kept.state, str(refused.value)) == ("blocked", kept.verdict.sentence)
    assert len(carriers.texts) == before


def test_carrier_rejection_of_typed_message_is_shown(lead, dana, carriers):
    carriers.answer(400, 21211)

    with pytest.raises(CannotSend, match="21211"):
        write(lead, dana)


def test_typed_message_at_night_is_held_until_morning(lead, dana, carriers):
    held_message = write(lead, dana, at=make.NIGHT)
    assert held_message.state == "held"
    assert held_message.due_at.isoformat() == "2026-11-24T13:00:00+00:00"  # 8:00 in Tampa

    journey.run(held_message.due_at)

    held_message.refresh_from_db()
    assert held_message.state == "sent"
    assert carriers.texts[-1].body == held_message.body


def test_reply_to_borrower_can_be_sent_at_night(lead, dana, carriers):
    came = make.NIGHT - 10 * make.MINUTE
    borrower_replies.receive_text(
        sender=BEN, body="Still up?", carrier_id="SM1", carrier="twilio", at=came
    )

    assert write(lead, dana, at=make.NIGHT).state == "sent"
    late = write(lead, dana, "One more thing", at=came + 16 * make.MINUTE)
    assert late.state == "held"


def test_typed_message_sent_twice_goes_once(lead, dana, carriers):
    before = len(carriers.texts)

    first, second = write(lead, dana), write(lead, dana, at=journey.later(1.5))

    assert first == second
    assert len(carriers.texts) == before + 1
    assert write(lead, dana, at=journey.later(3)) != first  # repeated on purpose


def test_unstorable_characters_are_removed_from_typed_message(lead, dana, carriers):
    sent = write(
        lead, dana, "Hello\x00", medium="email", subject="Your\r\nBcc: all@home.example\x00 rate"
    )

    assert sent.subject == "Your Bcc: all@home.example rate"
    assert "\x00" not in sent.body
    assert carriers.letters[-1]["to"] == ["ben.ortiz@home.example"]
    assert carriers.letters[-1]["subject"] == sent.subject


def test_same_text_while_the_first_can_still_arrive_is_one_message(lead, dana):
    held = write(lead, dana, at=make.NIGHT)

    assert write(lead, dana, at=make.NIGHT + make.HOUR) == held
    assert write(lead, dana, "Can we talk", at=make.NIGHT + make.HOUR) != held


def test_message_written_anew_replaces_the_one_in_review(lead, dana, carriers):
    before = len(carriers.texts)
    with pytest.raises(CannotSend):
        write(lead, dana, IN_REVIEW)
    refused = Message.objects.get(by=dana.user)
    assert refused.state == "review"

    write(lead, dana, "Let’s talk at 5.", at=journey.later(2))

    refused.refresh_from_db()
    assert refused.state == "cancelled"
    with pytest.raises(message_review.CannotReview):
        message_review.release_message(
            message_id=refused.pk, by=make.user("compliance"), reason="Fine", at=journey.later(3)
        )
    assert len(carriers.texts) == before + 1
