"""Sending: the effect of a verdict, the carrier or a crash on a message."""

import threading

import pytest
from django.db import connection

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Revocation, Verdict
from rooftree.flow import message_dispatch
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.models import Event
from rooftree.outreach.messages import cancel_messages, message_verdicts, send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dana")]
BEN = "+18135550142"


def arrived(**changes) -> Lead:
    return journey.deliver(journey.create_website(), journey.form_post(**changes))


def message(medium: str) -> Message:
    return Message.objects.get(medium=medium, direction="out")


def has_attempt(sent: Message) -> bool:
    return ContactAttempt.objects.filter(idempotency_key=f"message:{sent.pk}").exists()


def stop_texts(at=make.NOON, **changes) -> Revocation:
    return store_revocation.store_revocation(
        **{
            "person_id": None,
            "address": BEN,
            "kind": "stop",
            "media": ["call", "text", "voicemail"],
            "origin": "message:SM-stop",
            "idempotency_key": "text:SM-stop",
            "at": at,
            **changes,
        }
    )


def test_first_text_and_email_are_sent_with_verdict_attempt_and_event(carriers):
    lead = arrived()

    for medium in ("text", "email"):
        sent = message(medium)
        assert (sent.state, sent.sent_at, sent.attempts) == ("sent", make.NOON, 1)
        assert sent.verdict.decision == "allow"
        assert sent.verdict.stage == "handoff"
        assert has_attempt(sent)
        assert Event.objects.filter(kind="outreach.message.sent", lead_id=lead.pk).count() == 2
    lead.refresh_from_db()
    assert lead.first_message_at == make.NOON
    assert [text.to for text in carriers.texts] == [BEN]
    assert message("text").carrier_id == carriers.texts[0].sid


def test_every_email_has_one_click_unsubscribe_name_and_address(carriers):
    arrived()

    letter = carriers.letters[0]
    headers = dict(letter["headers"])
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>")
    assert link in letter["text"]
    assert "400 Linden Street" in letter["text"]
    assert "NMLS 1204417" in letter["text"]
    assert "To stop these e-mails" in letter["text"]


def test_spanish_email_has_spanish_footer(carriers):
    arrived(language="es")

    assert "Para no recibir más correos" in carriers.letters[0]["text"]


@pytest.mark.parametrize(
    ("changes", "state", "decision"),
    [
        ({"consent": False}, "blocked", "block"),  # no consent to texts
        (
            {"property_state": "", "property_zip": ""},
            "review",
            "require",
        ),  # the property's state is missing
    ],
)
def test_blocked_text_shows_reason_and_is_not_counted(carriers, changes, state, decision):
    arrived(**changes)

    kept = message("text")
    assert (kept.state, kept.verdict.decision, kept.due_at) == (state, decision, None)
    assert kept.problem == kept.verdict.sentence
    assert not has_attempt(kept)
    assert carriers.texts == []


def test_text_held_at_night_is_decided_again_in_morning(carriers):
    post = journey.form_post(
        rendered_at="2026-11-24T03:58:00Z", submitted_at="2026-11-24T03:59:30Z"
    )
    lead = journey.deliver(journey.create_website(), post, at=make.NIGHT)
    held_text = message("text")
    assert (held_text.state, has_attempt(held_text)) == ("held", False)
    stop_texts(at=make.NIGHT + make.MINUTE, person_id=lead.person_id)

    journey.run(held_text.due_at)

    held_text.refresh_from_db()
    assert held_text.state == "blocked"
    assert held_text.verdict.reason == "revoked"
    assert carriers.texts == []


@pytest.mark.parametrize(
    ("action", "body", "state", "is_counted"),
    [
        ("status:429", "", "waiting", False),  # try later
        ("status:400", '{"code": 21211}', "failed", False),  # no such number
        ("status:401", '{"code": 20003}', "waiting", False),  # our password is wrong
        ("drop_after_commit", "", "uncertain", True),
        ("status_after_commit:500", "", "uncertain", True),
    ],
)
def test_carrier_response_sets_state_of_text(carriers, action, body, state, is_counted):
    carriers.fault(action, count=1, body=body)

    arrived()

    text = message("text")
    assert (text.state, has_attempt(text)) == (state, is_counted)
    assert text.problem
    assert message("email").state == "sent"  # the other medium is unaffected


@pytest.mark.parametrize(
    ("treatment", "state", "is_counted"),
    [("refuse", "failed", False), ("refuse_content", "failed", False), ("defer", "waiting", False)],
)
def test_mail_server_response_sets_state_of_email(carriers, treatment, state, is_counted):
    carriers.treat("ben.ortiz@home.example", treatment)

    arrived()

    letter = message("email")
    assert (letter.state, has_attempt(letter)) == (state, is_counted)
    assert message("text").state == "sent"


def test_email_deferred_by_mail_server_is_sent_once_later(carriers):
    carriers.treat("ben.ortiz@home.example", "defer")
    arrived()
    carriers.treat("ben.ortiz@home.example", "accept")

    journey.run(journey.later(5))

    assert message("email").state == "sent"
    assert len(carriers.letters) == 1
    assert has_attempt(message("email"))


def test_mail_server_outage_loses_no_email(carriers, settings):
    options = settings.MAILERS["default"]["OPTIONS"]
    settings.MAILERS = {
        "default": {**settings.MAILERS["default"], "OPTIONS": {**options, "port": 9}}
    }
    arrived()

    letter = message("email")
    assert letter.state == "waiting"
    assert letter.due_at > make.NOON


def test_busy_carrier_is_retried_at_its_time_and_text_is_sent_once(carriers):
    carriers.fault("status:429", count=1, headers={"Retry-After": "7"})
    arrived()
    text = message("text")
    assert text.due_at == make.NOON + 7 * make.SECOND

    journey.run(text.due_at)

    assert message("text").state == "sent"
    assert len(carriers.texts) == 1


def test_wrong_carrier_password_delays_texts_and_loses_none(carriers):
    carriers.answer(401, 20003)
    arrived()

    journey.run(journey.later(16))

    assert message("text").state == "sent"
    assert len(carriers.texts) == 1


def test_opt_out_known_only_to_carrier_is_stored(carriers):
    carriers.answer(400, 21610)

    lead = arrived()
    assert message("text").state == "failed"
    stop = Revocation.objects.get(address=BEN)
    assert (stop.kind, stop.person_id, sorted(stop.media)) == (
        "stop",
        lead.person_id,
        ["call", "text", "voicemail"],
    )


@pytest.mark.parametrize("seconds", [0, 1, 30])
def test_opt_out_between_claim_and_hand_off_stops_text(carriers, monkeypatch, seconds):
    """A STOP stored with a later time than ours, by the web process, still counts."""
    count = message_verdicts.record_attempts

    def claimed(messages, at):
        count(messages, at)
        if any(claimed_message.medium == "text" for claimed_message in messages):
            stop_texts(at=at + seconds * make.SECOND)

    monkeypatch.setattr(message_verdicts, "record_attempts", claimed)

    arrived()

    text = message("text")
    assert (text.state, text.verdict.reason) == ("blocked", "revoked")
    assert not has_attempt(text)
    assert carriers.texts == []


def test_message_is_queued_once_per_cause_and_medium(carriers):
    lead = arrived()
    words = MessageContent(body="Again")

    for _ in range(3):
        same = send.queue_message(
            lead=lead,
            medium="text",
            purpose="marketing",
            cause=message("text").idempotency_key,
            words=words,
            to=BEN,
            at=journey.later(1),
        )

    assert same == message("text")
    assert same.body != "Again"


def test_failing_message_delays_no_other_and_goes_to_review(carriers):
    bad = journey.deliver(journey.create_website(), journey.form_post(), at=make.NIGHT)
    Message.objects.filter(lead=bad, medium="text").update(
        purpose="nonsense", state="waiting", due_at=make.NOON - make.MINUTE
    )
    poisoned = Message.objects.get(lead=bad, medium="text")
    journey.deliver(
        journey.create_website(name="Other", slug="other"),
        journey.form_post(first_name="Ana", phone="(813) 555-0143", email="ana@home.example"),
    )

    assert Message.objects.get(to_address="+18135550143").state == "sent"
    for hours in range(1, 8):
        message_dispatch.send_due_messages(at=make.NOON + hours * make.HOUR)
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.due_at) == ("review", None)
    assert "ValueError" in poisoned.problem
    assert len(carriers.texts) == 1


def test_text_claimed_before_crash_is_looked_up_and_never_resent(carriers):
    arrived()
    text = message("text")
    Message.objects.filter(pk=text.pk).update(
        state="claimed", carrier="", carrier_id="", sent_at=None
    )
    Lead.objects.update(first_message_at=None)

    journey.run(journey.later(1))
    assert message("text").state == "claimed"  # a slow carrier is no crash
    journey.run(journey.later(2))

    text = message("text")
    assert (text.state, text.carrier_id) == ("sent", carriers.texts[0].sid)
    assert text.lead.first_message_at is not None
    assert len(carriers.texts) == 1


def test_text_unknown_to_carrier_stays_uncertain_and_is_shown(carriers):
    carriers.fault("drop_before", count=1)
    arrived()
    assert message("text").state == "uncertain"

    for minutes in range(1, 60, 2):
        journey.run(journey.later(minutes))

    text = message("text")
    assert (text.state, text.due_at) == ("uncertain", None)
    assert carriers.texts == []


def test_unreachable_carrier_is_queried_until_it_answers(carriers):
    carriers.fault("drop_after_commit", count=1)
    arrived()
    carriers.twilio.faults.add_fault(
        {"match": {"method": "GET"}, "action": "status:500", "count": 200}
    )
    for minutes in (2, 20, 40, 60):
        journey.run(journey.later(minutes))
    assert message("text").due_at is not None

    carriers.twilio.faults.clear_faults()
    journey.run(journey.later(70))

    assert message("text").state == "sent"
    assert len(carriers.texts) == 1


def test_identical_texts_are_not_confused(carriers):
    lead = arrived()
    first = message("text")
    twin = Message.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        purpose="marketing",
        idempotency_key="typed:twin",
        to_address=BEN,
        from_address=first.from_address,
        body=first.body,
        state="uncertain",
        created_at=make.NOON,
        claimed_at=make.NOON,
        due_at=make.NOON,
    )

    journey.run(journey.later(1))

    twin.refresh_from_db()
    assert (twin.state, twin.carrier_id) == ("uncertain", "")
    assert Message.objects.get(pk=first.pk).carrier_id == first.carrier_id


def test_overtaken_messages_are_canceled_and_others_stay_queued(carriers):
    lead = arrived()
    for cause in ("touch:x", "step:x:0", "milestone:x:clear_to_close", "watch:x", "stop:x"):
        send.queue_message(
            lead=lead,
            medium="text",
            purpose="marketing",
            cause=cause,
            words=MessageContent(body="Words"),
            to=BEN,
            at=make.NOON + make.DAY,
        )

    assert cancel_messages.cancel_overtaken(lead_id=lead.pk, because="replied", at=make.NOON) == 2

    left = Message.objects.filter(state="waiting").values_list("idempotency_key", flat=True)
    assert sorted(left) == ["milestone:x:clear_to_close", "stop:x", "watch:x"]


def test_message_keeps_every_verdict(carriers):
    arrived()

    for medium in ("text", "email"):
        kept = Verdict.objects.filter(idempotency_key=f"message:{message(medium).pk}")
        assert sorted(verdict.stage for verdict in kept) == ["dequeued", "handoff"]


@pytest.mark.usefixtures("committed")
def test_concurrent_messages_to_one_person_respect_cap(dana, settings):
    lead = journey.deliver(journey.create_website(), journey.form_post())
    made = [
        send.queue_message(
            lead=lead,
            medium="text",
            purpose="marketing",
            cause=f"typed:{nth}",
            words=MessageContent(body="Lindenfield Mortgage NMLS 1204417. Reply STOP to end."),
            to=BEN,
            at=journey.later(1),
        )
        for nth in range(4)
    ]
    threads = [threading.Thread(target=_deliver, args=[queued.pk]) for queued in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    went = Message.objects.filter(medium="text", state="sent").count()
    counts = ContactAttempt.objects.filter(medium="text", direction="out").count()
    assert went == counts <= 3  # Florida: three in 24 hours
    assert Message.objects.filter(medium="text", state="held").exists()


def _deliver(key) -> None:
    try:
        send.deliver_messages([key], at=journey.later(1))
    finally:
        connection.close()


def test_text_to_nonexistent_number_marks_number_as_dead(carriers):
    carriers.answer(400, 21211)

    lead = arrived()

    assert lead.person.phones.get().dead_at == make.NOON
