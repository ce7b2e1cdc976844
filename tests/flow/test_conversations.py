"""Calls, chats, lead e-mails, referrals and files over real HTTP through the simulators."""

import json
import random
from base64 import b64encode
from typing import Any

import httpx2
import pytest

from rooftree.compliance.models import Revocation
from rooftree.leads.models import ContactAttempt, Delivery, Lead, Phone, RejectionCount, Touch
from rooftree.org.models import Company, StaffNotice
from rooftree.outreach.calls import call_recordings
from rooftree.outreach.models import CallRecording, Message, UnmatchedText
from rooftree.reporting.invariants import check_deliveries_accounted_for
from rooftree.reporting.timeline.lead_history import build_timeline
from rooftree.routing import lead_ownership
from rooftree_simulators.chats import drift, intercom
from rooftree_simulators.posters import (
    chat_generic,
    lead_email,
    mismo_ilad,
    phone_callrail,
    phone_twilio,
    referral_partner,
)
from rooftree_simulators.posters.lead_delivery import BadDay, post_delivery
from rooftree_simulators.posters.lead_delivery import Delivery as Post
from rooftree_simulators.posters.simulated_borrowers import Borrower, random_borrower
from tests import make
from tests.flow.outside_world import World
from tests.flow.senders import TOKEN, create_source, outcomes

pytestmark = pytest.mark.usefixtures("committed")
MAIL_SECRET = "the mail server's own secret"


@pytest.fixture(autouse=True)
def mail_server(settings) -> None:
    settings.MAIL_IN_SECRET = MAIL_SECRET


def make_borrower(seed: int = 3) -> Borrower:
    return random_borrower(random.Random(seed))


class Line:
    """A tracking number whose calls reach us, and the carrier that reports them."""

    def __init__(self, world: World, **setup: Any) -> None:
        create_source("phone_twilio", phone_twilio.AUTH_TOKEN, setup=setup)
        self.url = f"{world.url}/in/phone_twilio/{TOKEN}?line=mailer-oct"
        self.sid = phone_twilio.new_call_sid(random.Random(1))

    def ring(self, caller: Borrower, **more: str) -> httpx2.Response:
        return self.tell(phone_twilio.call_form(caller, self.sid, **more))

    def tell(self, form: dict[str, str], *, to: str = "") -> httpx2.Response:
        delivery = phone_twilio.signed_delivery(form, to or self.url)
        return httpx2.post(
            to or self.url, content=delivery.body, headers=delivery.headers, timeout=20
        )


def test_caller_is_connected_at_once_without_an_offer(world):
    line = Line(world)

    answer = line.ring(make_borrower())
    world.run()

    assert answer.headers["content-type"].startswith("text/xml")
    assert f"<Number>{Company.objects.get().phone}</Number>" in answer.text
    assert not Lead.objects.exists()  # the caller is still on the phone


def test_missed_call_becomes_one_lead_to_call_back(world):
    line, caller = (
        Line(world, lines={phone_twilio.TRACKING_NUMBER: "October mailer"}),
        make_borrower(),
    )
    form = phone_twilio.call_form(caller, line.sid)
    line.tell(form)

    apology = line.tell(phone_twilio.dial_result_form(form, "no-answer"))
    world.run()  # the clock stands still, so the order of two waiting deliveries would be chance
    line.tell(phone_twilio.call_ended_form(form, seconds=25, at=make.NOON))
    world.run()
    world.run(minutes=60)  # deliveries that waited for the call to end

    assert "no one can take your call" in apology.text
    lead = Lead.objects.get()
    assert lead.response_due_at is not None
    assert lead.campaign.name == "October mailer"
    assert [phone.e164 for phone in Phone.objects.filter(person=lead.person)] == [
        f"+1{caller.phone}"
    ]
    talk = Touch.objects.get().inquiry["interaction"]
    assert (talk["answered"], talk["duration_s"]) == (False, 25)
    assert ContactAttempt.objects.get(direction="in").result == "missed"
    assert not Message.objects.filter(idempotency_key__startswith="touch:").exists()
    assert (
        Lead.objects.get().person.first_name == ""
    )  # the carrier's caller ID is not used as a name


def test_answered_call_counts_as_conversation_and_sends_no_greeting(world):
    line, caller = Line(world), make_borrower()
    form = phone_twilio.call_form(caller, line.sid)
    line.tell(form)

    assert (
        line.tell(phone_twilio.call_ended_form(form, seconds=187, at=make.NOON)).status_code == 204
    )
    world.run()

    lead = Lead.objects.get()
    assert ContactAttempt.objects.get(lead=lead, direction="in").result == "spoken"
    assert lead.first_conversation_at is not None
    assert not Message.objects.filter(lead=lead).exists()


def test_call_without_reported_end_is_processed_after_15_minutes(world):
    line = Line(world)
    line.ring(make_borrower())

    world.run(minutes=14)
    assert not Lead.objects.exists()
    world.run(minutes=16)

    assert Lead.objects.count() == 1


def test_report_of_a_call_worked_after_its_end_counts_as_update(world):
    """The end of a call can be worked before its beginning, which waits for that end."""
    line = Line(world)
    form = phone_twilio.call_form(make_borrower(), line.sid)
    line.tell(form)
    world.run()
    line.tell(phone_twilio.call_ended_form(form, seconds=187, at=make.NOON))
    world.run()

    world.run(minutes=16)

    assert Touch.objects.count() == 1
    assert outcomes() == [("worked", "updated", ""), ("worked", "updated", "")]
    assert check_deliveries_accounted_for(make.NOON + make.DAY).offenders == ()


def test_known_caller_reaches_their_officer_and_stays_one_lead(world):
    caller, line = make_borrower(), Line(world)
    lead = make.lead()
    Phone.objects.create(
        person=lead.person, e164=f"+1{caller.phone}", is_primary=True, given_at=make.NOON
    )
    officer = make.officer("Dana Okafor")
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=officer.pk, by=None, at=make.NOON)
    form = phone_twilio.call_form(caller, line.sid)

    assert f"<Number>{officer.phone}</Number>" in line.tell(form).text
    line.tell(phone_twilio.dial_result_form(form, "busy"))
    world.run()

    assert Lead.objects.get().touches.count() == 1
    assert StaffNotice.objects.get(user=officer.user, kind="called")


def test_anonymous_caller_is_connected_and_quarantined(world):
    answer = Line(world).ring(make_borrower(), sender=phone_twilio.ANONYMOUS_NUMBER)
    world.run()

    assert "<Dial" in answer.text
    assert outcomes() == [("quarantined", "quarantined", "no_contact")]


def test_tracking_number_call_is_not_recorded(world):
    call_recordings.switch_recording(is_on=True, by=make.user("compliance"), at=make.NOON)

    assert "ecord" not in Line(world).ring(make_borrower()).text
    assert not CallRecording.objects.exists()


def test_forged_call_is_rejected(world):
    line = Line(world)
    delivery = phone_twilio.signed_delivery(
        phone_twilio.call_form(make_borrower(), line.sid), line.url, "another"
    )

    answer = httpx2.post(line.url, content=delivery.body, headers=delivery.headers, timeout=20)

    assert (answer.status_code, answer.text) == (403, "forbidden")
    assert not Delivery.objects.exists()


def post_callrail(world: World, call: dict[str, Any], key: str = phone_callrail.SIGNING_KEY) -> int:
    delivery = phone_callrail.call_event_delivery(call, key)
    (posted,) = post_delivery(delivery, f"{world.url}/in/phone_callrail/{TOKEN}")
    return posted.answer.status


def test_late_transcript_is_added_with_card_number_redacted(world):
    create_source("phone_callrail", phone_callrail.SIGNING_KEY)
    call = phone_callrail.call_object(make_borrower(), random.Random(2), at=make.NOON)
    assert post_callrail(world, call) == 200
    world.run()
    words = "Agent: Lindenfield. Caller: My card is 4111 1111 1111 1111."

    post_callrail(
        world, phone_callrail.modified_call(call, at=make.NOON + make.HOUR, transcription=words)
    )
    world.run(minutes=60)

    touch = Touch.objects.get()
    (entry,) = (
        timeline_entry
        for timeline_entry in build_timeline(touch.lead)
        if timeline_entry.key == f"touch:{touch.pk}"
    )
    assert entry.quote.text == "Agent: Lindenfield.\nBorrower: My card is [redacted card]."
    assert "Answered call" in entry.body
    assert "4111" not in json.dumps(Lead.objects.get().details)
    assert not any(b"4111 1111" in bytes(delivery.body) for delivery in Delivery.objects.all())
    assert ContactAttempt.objects.filter(direction="in").count() == 1


def test_callrail_delivery_requires_valid_signature(world):
    create_source("phone_callrail", phone_callrail.SIGNING_KEY)
    call = phone_callrail.call_object(make_borrower(), random.Random(2), at=make.NOON)

    assert post_callrail(world, call, key="guessed") == 401
    assert post_callrail(world, call) == 200
    assert post_callrail(world, call) == 200  # CallRail never sends twice; others might
    assert sorted(state for state, _, _ in outcomes()) == ["duplicate", "received"]
    assert RejectionCount.objects.get().reason == "rejected_auth"


def test_stop_texted_to_a_tracking_number_is_an_answer_and_no_lead(world):
    create_source("phone_callrail", phone_callrail.SIGNING_KEY)
    texts = ["STOP", "That's the second time I've told you", "Can I refi in May?"]
    for seed, words in zip((0, 1, 3), texts, strict=True):  # borrowers with different numbers
        call = phone_callrail.call_object(make_borrower(seed), random.Random(seed), at=make.NOON)
        assert post_callrail(world, call | {"content": words}) == 200
    world.run()

    stop, doubt = Revocation.objects.order_by("kind").values_list(
        "kind", "media", "borrower_words"
    )[::-1]
    assert stop == ("stop", ["call", "text", "voicemail"], "STOP")
    assert (doubt[0], doubt[2]) == ("review", texts[1])
    assert sorted(outcomes()) == [
        ("closed", "ignored", "opt_out"),
        ("worked", "accepted", ""),
        ("worked", "accepted", ""),
    ]
    assert Lead.objects.count() == 2  # the doubt waits for a person, with its words
    assert not [text for text in world.texts_at_carrier() if text["to"] == make_borrower(0).phone]
    (unmatched,) = UnmatchedText.objects.all()
    assert (unmatched.meaning, unmatched.carrier) == ("revoke", "phone_callrail")


@pytest.fixture
def visitors(world) -> intercom.Intercom:
    create_source("chat_intercom", intercom.CLIENT_SECRET, access_token=intercom.TOKEN)
    vendor = world.simulators.intercom
    vendor.callback = f"{world.url}/in/chat_intercom/{TOKEN}"
    return vendor


def test_intercom_callback_is_verified(world, visitors):
    assert visitors.verify_callback()
    assert not Delivery.objects.exists()


def test_intercom_visitor_id_is_looked_up_and_becomes_lead(world, visitors):
    visitor = visitors.add_visitor(
        name="Wren Alvarez", email="wren@home.example", phone="+18135550131"
    )

    _, answer = visitors.open_conversation(visitor, "<p>Can I refi my FHA loan?</p>")
    world.run()

    assert answer.status == 200
    lead = Lead.objects.get()
    assert (lead.person.first_name, lead.person.phones.get().e164) == ("Wren", "+18135550131")
    assert lead.purpose in ("", None)  # an inferred purpose is for a person to confirm


def test_intercom_outage_keeps_visitor_who_left_number(world, visitors):
    visitor = visitors.add_visitor()
    del visitors.contacts[visitor]

    visitors.open_conversation(
        visitor, "<p>my ssn is 900-45-6789 call me 813&nbsp;555&nbsp;0132</p>"
    )
    world.run()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.retrievals.get().status) == ("worked", 404)
    assert b"900-45-6789" not in bytes(delivery.body)
    assert Lead.objects.get().person.phones.get().e164 == "+18135550132"


def test_chat_visitor_opt_out_is_recorded(world, visitors):
    visitor = visitors.add_visitor(
        name="Wren Alvarez", email="wren@home.example", phone="+18135550131"
    )

    visitors.open_conversation(visitor, "<p>Please stop texting me</p>")
    world.run()

    assert Revocation.objects.filter(address="+18135550131", ended_at=None).exists()


def test_drift_contact_becomes_lead_and_own_reply_does_not(world):
    create_source("chat_drift", drift.VERIFICATION_TOKEN, access_token=drift.TOKEN)
    vendor = world.simulators.drift
    vendor.callback = f"{world.url}/in/chat_drift/{TOKEN}"
    visitor = vendor.add_visitor(
        name="Hector Vale", email="hector@home.example", phone="813-555-0188"
    )

    vendor.post_message(visitor, "Looking to buy in Tampa", conversation=7781)
    vendor.post_message(1, "Hi!", conversation=7781, kind="user")
    world.run()

    assert Lead.objects.get().person.last_name == "Vale"
    assert sorted(outcomes()) == [
        ("closed", "ignored", "not_from_contact"),
        ("worked", "accepted", ""),
    ]
    assert not any(
        drift.VERIFICATION_TOKEN.encode() in bytes(delivery.body)
        for delivery in Delivery.objects.all()
    )


def post_statuses(
    world: World, adapter: str, post: Post, *, bad_day: BadDay | None = None
) -> list[int]:
    to = f"{world.url}/in/{adapter}/{TOKEN}"
    return [posted.answer.status for posted in post_delivery(post, to, bad_day=bad_day)]


@pytest.mark.parametrize(
    "maker", [chat_generic.conversation_delivery, chat_generic.transcript_delivery]
)
def test_finished_chat_becomes_one_lead_in_any_format(world, maker):
    create_source("chat_generic", chat_generic.SIGNING_SECRET)
    delivery = maker(make_borrower(), random.Random(4), at=make.NOON)

    assert post_statuses(world, "chat_generic", delivery, bad_day=BadDay.DUPLICATE) == [200, 200]
    assert post_statuses(world, "chat_generic", delivery, bad_day=BadDay.MALFORMED) == [401]
    world.run()

    lead = Lead.objects.get()
    assert lead.person.last_name == make_borrower().last_name
    assert lead.person.emails.count() == lead.person.phones.count() == 1
    entry = next(
        timeline_entry
        for timeline_entry in build_timeline(lead)
        if timeline_entry.key.startswith("touch:")
    )
    assert entry.quote.text.splitlines()[0].startswith(("Borrower: Hi", "Chatbot: Hi"))
    assert (entry.explanation is not None) == (maker is chat_generic.transcript_delivery)


def test_introduction_becomes_lead_without_automated_texts(world):
    create_source("referral_partner")
    delivery = referral_partner.referral_delivery(make_borrower(), random.Random(4), at=make.NOON)

    assert post_statuses(world, "referral_partner", delivery) == [201]
    assert post_statuses(world, "referral_partner", delivery, bad_day=BadDay.WRONG_TOKEN) == [401]
    world.run()

    lead = Lead.objects.get()
    assert lead.details["referral"]["company"] == "Summit Realty"
    assert not world.texts_at_carrier()


def test_application_file_becomes_lead_without_stored_ssn(world):
    create_source("mismo_ilad")

    application = mismo_ilad.application_delivery(make_borrower(), random.Random(4), at=make.NOON)
    assert post_statuses(world, "mismo_ilad", application) == [200]
    assert post_statuses(world, "mismo_ilad", application, bad_day=BadDay.MALFORMED) == [400]
    world.run()

    assert Lead.objects.get().amount_cents == make_borrower().loan * 100
    assert not any(b"900456789" in bytes(delivery.body) for delivery in Delivery.objects.all())


def post_email(world: World, post: Post) -> str:
    answer = httpx2.post(
        f"{world.url}/in/mail/{MAIL_SECRET}", content=post.body, headers=post.headers, timeout=20
    )
    return answer.text.strip()


@pytest.mark.parametrize(
    ("adapter", "maker"),
    [("email_text", lead_email.text_email_delivery), ("email_adf", lead_email.adf_email_delivery)],
)
def test_lead_email_to_source_address_is_processed_once(world, adapter, maker):
    create_source(adapter)
    to = f"leads+{TOKEN}@inbox.lindenfield.example"
    delivery = maker(make_borrower(), random.Random(5), at=make.NOON, to=to)

    assert [post_email(world, delivery), post_email(world, delivery)] == ["kept", "kept"]
    world.run()

    assert Lead.objects.get().person.last_name == make_borrower().last_name
    assert sorted(state for state, _, _ in outcomes()) == ["duplicate", "worked"]


def test_lead_email_with_forged_sender_is_quarantined(world):
    create_source("email_text")
    to = f"leads+{TOKEN}@inbox.lindenfield.example"
    delivery = lead_email.text_email_delivery(
        make_borrower(), random.Random(5), at=make.NOON, to=to, verdict="fail"
    )

    assert post_email(world, delivery) == "kept"
    world.run()

    assert outcomes() == [("quarantined", "quarantined", "sender_not_authenticated")]
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda raw: {"data": {"body-mime": raw.decode(), "recipient": "x"}},
        lambda raw: {"files": {"email": (None, raw.decode())}},
        lambda raw: {"json": {"RawEmail": raw.decode()}},
        lambda raw: {"json": {"Message": json.dumps({"content": b64encode(raw).decode()})}},
        lambda raw: {
            "content": json.dumps({"Message": json.dumps({"content": raw.decode()})}),
            "headers": {"Content-Type": "text/plain; charset=UTF-8"},
        },
    ],
    ids=["mailgun", "sendgrid", "postmark", "queue", "queue_as_amazon_calls_it"],
)
def test_mail_provider_webhook_delivers_same_email(world, wrapped):
    create_source("email_text")
    to = f"leads+{TOKEN}@inbox.lindenfield.example"
    delivery = lead_email.text_email_delivery(
        make_borrower(), random.Random(5), at=make.NOON, to=to
    )

    answer = httpx2.post(f"{world.url}/in/mail/{MAIL_SECRET}", timeout=20, **wrapped(delivery.body))
    world.run()

    assert answer.text.strip() == "kept"
    assert Lead.objects.get().person.last_name == make_borrower().last_name


def test_email_to_unknown_address_is_not_ours(world):
    create_source("email_text")
    delivery = lead_email.text_email_delivery(
        make_borrower(), random.Random(5), at=make.NOON, to="leads+guess@inbox.lindenfield.example"
    )

    assert post_email(world, delivery) == "not ours"
    assert not Delivery.objects.exists()
