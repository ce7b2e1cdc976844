"""The one door: what a verdict, a carrier or a crash makes of a message."""

import threading

import pytest
from django.db import connection

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Revocation, Verdict
from rooftree.flow import message_dispatch
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.models import Event
from rooftree.outreach.messages import cancel_messages, message_attempts, send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dana")]
BEN = "+18135550142"


def arrived(**changes) -> Lead:
    return journey.deliver(journey.website(), journey.form_post(**changes))


def message(medium: str) -> Message:
    return Message.objects.get(medium=medium, direction="out")


def counted(one: Message) -> bool:
    return ContactAttempt.objects.filter(cause=f"message:{one.pk}").exists()


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


def test_both_first_messages_leave_with_a_verdict_an_attempt_and_an_event(carriers):
    lead = arrived()

    for medium in ("text", "email"):
        sent = message(medium)
        assert (sent.state, sent.sent_at, sent.attempts) == ("sent", make.NOON, 1)
        assert sent.verdict.decision == "allow"
        assert sent.verdict.stage == "handoff"
        assert counted(sent)
        assert Event.objects.filter(kind="outreach.message.sent", lead_id=lead.pk).count() == 2
    lead.refresh_from_db()
    assert lead.first_message_at == make.NOON
    assert [text.to for text in carriers.texts] == [BEN]
    assert message("text").carrier_id == carriers.texts[0].sid


def test_every_email_can_be_ended_with_one_click_and_says_who_and_where_we_are(carriers):
    arrived()

    letter = carriers.letters[0]
    headers = dict(letter["headers"])
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>")
    assert link in letter["text"]
    assert "400 Linden Street" in letter["text"]
    assert "NMLS 1204417" in letter["text"]
    assert "To stop these e-mails" in letter["text"]


def test_a_spanish_email_ends_in_spanish(carriers):
    arrived(language="es")

    assert "Para no recibir más correos" in carriers.letters[0]["text"]


@pytest.mark.parametrize(
    ("changes", "state", "decision"),
    [
        ({"consent": False}, "blocked", "block"),  # no permission to text
        ({"property_state": "", "property_zip": ""}, "review", "require"),  # where is it?
    ],
)
def test_a_text_that_may_not_go_says_why_and_is_not_counted(carriers, changes, state, decision):
    arrived(**changes)

    kept = message("text")
    assert (kept.state, kept.verdict.decision, kept.due_at) == (state, decision, None)
    assert kept.problem == kept.verdict.sentence
    assert not counted(kept)
    assert carriers.texts == []


def test_a_text_held_at_night_is_decided_again_in_the_morning(carriers):
    post = journey.form_post(
        rendered_at="2026-11-24T03:58:00Z", submitted_at="2026-11-24T03:59:30Z"
    )
    lead = journey.deliver(journey.website(), post, at=make.NIGHT)
    held = message("text")
    assert (held.state, counted(held)) == ("held", False)
    stop_texts(at=make.NIGHT + make.MINUTE, person_id=lead.person_id)

    journey.run(held.due_at)

    held.refresh_from_db()
    assert held.state == "blocked"
    assert held.verdict.reason == "revoked"
    assert carriers.texts == []


@pytest.mark.parametrize(
    ("action", "body", "state", "is_counted"),
    [
        ("status:429", "", "waiting", False),  # try later
        ("status:400", '{"code": 21211}', "failed", False),  # no such number
        ("status:401", '{"code": 20003}', "waiting", False),  # our password: ours to mend
        ("drop_after_commit", "", "uncertain", True),
        ("status_after_commit:500", "", "uncertain", True),
    ],
)
def test_what_the_carrier_does_with_a_text(carriers, action, body, state, is_counted):
    carriers.fault(action, count=1, body=body)

    arrived()

    text = message("text")
    assert (text.state, counted(text)) == (state, is_counted)
    assert text.problem
    assert message("email").state == "sent"  # the other medium is not harmed


@pytest.mark.parametrize(
    ("treatment", "state", "is_counted"),
    [("refuse", "failed", False), ("refuse_content", "failed", False), ("defer", "waiting", False)],
)
def test_what_the_mail_server_does_with_a_letter(carriers, treatment, state, is_counted):
    carriers.treat("ben.ortiz@home.example", treatment)

    arrived()

    letter = message("email")
    assert (letter.state, counted(letter)) == (state, is_counted)
    assert message("text").state == "sent"


def test_a_letter_put_off_by_the_mail_server_goes_later_and_once(carriers):
    carriers.treat("ben.ortiz@home.example", "defer")
    arrived()
    carriers.treat("ben.ortiz@home.example", "accept")

    journey.run(journey.later(5))

    assert message("email").state == "sent"
    assert len(carriers.letters) == 1
    assert counted(message("email"))


def test_a_mail_server_that_is_down_loses_nothing(carriers, settings):
    options = settings.MAILERS["default"]["OPTIONS"]
    settings.MAILERS = {
        "default": {**settings.MAILERS["default"], "OPTIONS": {**options, "port": 9}}
    }
    arrived()

    letter = message("email")
    assert letter.state == "waiting"
    assert letter.due_at > make.NOON


def test_a_busy_carrier_is_asked_again_when_it_said_and_the_text_goes_once(carriers):
    carriers.fault("status:429", count=1, headers={"Retry-After": "7"})
    arrived()
    text = message("text")
    assert text.due_at == make.NOON + 7 * make.SECOND

    journey.run(text.due_at)

    assert message("text").state == "sent"
    assert len(carriers.texts) == 1


def test_a_wrong_password_at_the_carrier_delays_texts_and_loses_none(carriers):
    carriers.answer(401, 20003)
    arrived()

    journey.run(journey.later(16))

    assert message("text").state == "sent"
    assert len(carriers.texts) == 1


def test_a_stop_that_only_the_carrier_knew_of_is_written_down(carriers):
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
def test_a_stop_between_claim_and_hand_over_stops_the_text(carriers, monkeypatch, seconds):
    """The web process may give the STOP a later moment than ours: on file it counts."""
    count = message_attempts.record_attempts

    def claimed(messages, at):
        count(messages, at)
        if any(one.medium == "text" for one in messages):
            stop_texts(at=at + seconds * make.SECOND)

    monkeypatch.setattr(message_attempts, "record_attempts", claimed)

    arrived()

    text = message("text")
    assert (text.state, text.verdict.reason) == ("blocked", "revoked")
    assert not counted(text)
    assert carriers.texts == []


def test_one_message_a_cause_and_medium_whoever_asks(carriers):
    lead = arrived()
    words = MessageContent(body="Again")

    for _ in range(3):
        same = send.queue_message(
            lead=lead,
            medium="text",
            purpose="marketing",
            cause=message("text").cause,
            words=words,
            to=BEN,
            at=journey.later(1),
        )

    assert same == message("text")
    assert same.body != "Again"


def test_a_poisoned_message_holds_up_no_other_and_ends_with_a_person(carriers):
    bad = journey.deliver(journey.website(), journey.form_post(), at=make.NIGHT)
    Message.objects.filter(lead=bad, medium="text").update(
        purpose="nonsense", state="waiting", due_at=make.NOON - make.MINUTE
    )
    poisoned = Message.objects.get(lead=bad, medium="text")
    journey.deliver(
        journey.website(name="Other", slug="other"),
        journey.form_post(first_name="Ana", phone="(813) 555-0143", email="ana@home.example"),
    )

    assert Message.objects.get(to_address="+18135550143").state == "sent"
    for hours in range(1, 8):
        message_dispatch.send_due_messages(at=make.NOON + hours * make.HOUR)
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.due_at) == ("review", None)
    assert "ValueError" in poisoned.problem
    assert len(carriers.texts) == 1


def test_a_text_claimed_before_a_crash_is_looked_up_and_never_sent_again(carriers):
    arrived()
    text = message("text")
    Message.objects.filter(pk=text.pk).update(
        state="claimed", carrier="", carrier_id="", sent_at=None
    )
    Lead.objects.update(first_message_at=None)

    journey.run(journey.later(1))
    assert message("text").state == "claimed"  # a slow carrier is not a crash
    journey.run(journey.later(2))

    text = message("text")
    assert (text.state, text.carrier_id) == ("sent", carriers.texts[0].sid)
    assert text.lead.first_message_at is not None
    assert len(carriers.texts) == 1


def test_a_text_the_carrier_never_had_stays_in_doubt_and_is_shown(carriers):
    carriers.fault("drop_before", count=1)
    arrived()
    assert message("text").state == "uncertain"

    for minutes in range(1, 60, 2):
        journey.run(journey.later(minutes))

    text = message("text")
    assert (text.state, text.due_at) == ("uncertain", None)
    assert carriers.texts == []


def test_a_carrier_that_cannot_be_asked_for_an_hour_is_asked_until_it_answers(carriers):
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


def test_the_same_words_sent_twice_are_not_taken_for_one_another(carriers):
    lead = arrived()
    first = message("text")
    twin = Message.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        purpose="marketing",
        cause="typed:twin",
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


def test_what_is_overtaken_is_taken_back_and_the_rest_stays_in_line(carriers):
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

    left = Message.objects.filter(state="waiting").values_list("cause", flat=True)
    assert sorted(left) == ["milestone:x:clear_to_close", "stop:x", "watch:x"]


def test_every_message_keeps_a_verdict_for_each_time_it_was_decided(carriers):
    arrived()

    for medium in ("text", "email"):
        kept = Verdict.objects.filter(cause=f"message:{message(medium).pk}")
        assert sorted(verdict.stage for verdict in kept) == ["dequeued", "handoff"]


@pytest.mark.usefixtures("committed")
def test_two_messages_to_one_person_at_once_cannot_both_slip_under_a_cap(dana, settings):
    lead = journey.deliver(journey.website(), journey.form_post())
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
    threads = [threading.Thread(target=_deliver, args=[one.pk]) for one in made]
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


def test_a_text_refused_because_there_is_no_such_number_says_so_of_the_number(carriers):
    carriers.answer(400, 21211)

    lead = arrived()

    assert lead.person.phones.get().dead_at == make.NOON
