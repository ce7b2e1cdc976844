"""Calls, chats, lead e-mails, referrals and files over real HTTP, by the vendors' simulators."""

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
from rooftree.outreach.models import CallRecording, Message
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
from tests.flow.senders import TOKEN, outcomes, source

pytestmark = pytest.mark.usefixtures("committed")
MAIL_SECRET = "the mail server's own secret"


@pytest.fixture(autouse=True)
def mail_server(settings) -> None:
    settings.MAIL_IN_SECRET = MAIL_SECRET


def somebody(seed: int = 3) -> Borrower:
    return random_borrower(random.Random(seed))


class Line:
    """A tracking number whose calls come to us, and the carrier that tells of them."""

    def __init__(self, world: World, **setup: Any) -> None:
        source("phone_twilio", phone_twilio.AUTH_TOKEN, setup=setup)
        self.url = f"{world.url}/in/phone_twilio/{TOKEN}?line=mailer-oct"
        self.sid = phone_twilio.new_call_sid(random.Random(1))

    def ring(self, caller: Borrower, **more: str) -> httpx2.Response:
        return self.tell(phone_twilio.call_form(caller, self.sid, **more))

    def tell(self, form: dict[str, str], *, to: str = "") -> httpx2.Response:
        made = phone_twilio.signed_delivery(form, to or self.url)
        return httpx2.post(to or self.url, content=made.body, headers=made.headers, timeout=20)


def test_a_caller_is_put_through_at_once_and_nobody_is_rung_about_it(world):
    line = Line(world)

    answer = line.ring(somebody())
    world.run()

    assert answer.headers["content-type"].startswith("text/xml")
    assert f"<Number>{Company.objects.get().phone}</Number>" in answer.text
    assert not Lead.objects.exists()  # they are on the phone


def test_a_missed_call_becomes_one_lead_that_is_promised_a_call_back(world):
    line, caller = Line(world, lines={phone_twilio.TRACKING_NUMBER: "October mailer"}), somebody()
    form = phone_twilio.call_form(caller, line.sid)
    line.tell(form)
    where_to_tell = line.url

    sorry = line.tell(phone_twilio.dial_result_form(form, "no-answer"), to=where_to_tell)
    line.tell(phone_twilio.call_ended_form(form, seconds=25, at=make.NOON))
    world.run()
    world.run(minutes=60)  # what waited for the call to end

    assert "no one can take your call" in sorry.text
    lead = Lead.objects.get()
    assert lead.promise_at is not None
    assert lead.campaign.name == "October mailer"
    assert [phone.e164 for phone in Phone.objects.filter(person=lead.person)] == [
        f"+1{caller.phone}"
    ]
    talk = Touch.objects.get().inquiry["interaction"]
    assert (talk["answered"], talk["duration_s"]) == (False, 25)
    assert ContactAttempt.objects.get(direction="in").result == "missed"
    assert not Message.objects.filter(cause__startswith="touch:").exists()
    assert Lead.objects.get().person.first_name == ""  # the carrier's guess is no name


def test_an_answered_call_is_a_talk_and_nobody_is_greeted_after_it(world):
    line, caller = Line(world), somebody()
    form = phone_twilio.call_form(caller, line.sid)
    line.tell(form)

    assert (
        line.tell(phone_twilio.call_ended_form(form, seconds=187, at=make.NOON)).status_code == 204
    )
    world.run()

    lead = Lead.objects.get()
    assert ContactAttempt.objects.get(lead=lead, direction="in").result == "spoken"
    assert lead.first_talk_at is not None
    assert not Message.objects.filter(lead=lead).exists()


def test_a_call_whose_end_was_never_told_is_worked_after_a_while(world):
    line = Line(world)
    line.ring(somebody())

    world.run(minutes=14)
    assert not Lead.objects.exists()
    world.run(minutes=16)

    assert Lead.objects.count() == 1


def test_somebody_known_who_calls_is_put_through_to_their_officer_and_stays_one_lead(world):
    caller, line = somebody(), Line(world)
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


def test_an_anonymous_caller_is_put_through_and_left_for_a_person_to_see(world):
    answer = Line(world).ring(somebody(), sender=phone_twilio.ANONYMOUS_NUMBER)
    world.run()

    assert "<Dial" in answer.text
    assert outcomes() == [("quarantined", "quarantined", "no_contact")]


def test_a_call_to_a_tracking_number_is_not_recorded(world):
    call_recordings.switch_recording(is_on=True, by=make.user("compliance"), at=make.NOON)

    assert "ecord" not in Line(world).ring(somebody()).text
    assert not CallRecording.objects.exists()


def test_a_forged_call_is_turned_away(world):
    line = Line(world)
    made = phone_twilio.signed_delivery(
        phone_twilio.call_form(somebody(), line.sid), line.url, "another"
    )

    answer = httpx2.post(line.url, content=made.body, headers=made.headers, timeout=20)

    assert (answer.status_code, answer.text) == (403, "forbidden")
    assert not Delivery.objects.exists()


def callrail(world: World, told: dict[str, Any], key: str = phone_callrail.SIGNING_KEY) -> int:
    made = phone_callrail.call_event_delivery(told, key)
    (sent,) = post_delivery(made, f"{world.url}/in/phone_callrail/{TOKEN}")
    return sent.answer.status


def test_a_transcript_that_comes_late_is_added_to_the_call_without_the_card_in_it(world):
    source("phone_callrail", phone_callrail.SIGNING_KEY)
    told = phone_callrail.call_object(somebody(), random.Random(2), at=make.NOON)
    assert callrail(world, told) == 200
    world.run()
    words = "Agent: Lindenfield. Caller: My card is 4111 1111 1111 1111."

    callrail(
        world, phone_callrail.modified_call(told, at=make.NOON + make.HOUR, transcription=words)
    )
    world.run(minutes=60)

    touch = Touch.objects.get()
    (entry,) = (one for one in build_timeline(touch.lead) if one.key == f"touch:{touch.pk}")
    assert entry.quote.text == "We: Lindenfield.\nThey: My card is [redacted card]."
    assert "A call that was answered" in entry.body
    assert "4111" not in json.dumps(Lead.objects.get().details)
    assert not any(b"4111 1111" in bytes(delivery.body) for delivery in Delivery.objects.all())
    assert ContactAttempt.objects.filter(direction="in").count() == 1


def test_callrail_is_believed_by_its_signature_alone(world):
    source("phone_callrail", phone_callrail.SIGNING_KEY)
    told = phone_callrail.call_object(somebody(), random.Random(2), at=make.NOON)

    assert callrail(world, told, key="guessed") == 401
    assert callrail(world, told) == 200
    assert callrail(world, told) == 200  # it never sends twice; somebody else might
    assert sorted(one for one, _, _ in outcomes()) == ["duplicate", "received"]
    assert RejectionCount.objects.get().reason == "rejected_auth"


@pytest.fixture
def visitors(world) -> intercom.Intercom:
    source("chat_intercom", intercom.CLIENT_SECRET, access_token=intercom.TOKEN)
    vendor = world.simulators.intercom
    vendor.callback = f"{world.url}/in/chat_intercom/{TOKEN}"
    return vendor


def test_intercom_finds_our_address(world, visitors):
    assert visitors.verify_callback()
    assert not Delivery.objects.exists()


def test_an_intercom_visitor_who_is_only_an_id_is_asked_for_and_becomes_a_lead(world, visitors):
    who = visitors.add_visitor(name="Wren Alvarez", email="wren@home.example", phone="+18135550131")

    _, answer = visitors.open_conversation(who, "<p>Can I refi my FHA loan?</p>")
    world.run()

    assert answer.status == 200
    lead = Lead.objects.get()
    assert (lead.person.first_name, lead.person.phones.get().e164) == ("Wren", "+18135550131")
    assert lead.purpose in ("", None)  # what they seem to want is for a person to confirm


def test_an_intercom_that_does_not_answer_costs_no_visitor_who_left_a_number(world, visitors):
    who = visitors.add_visitor()
    del visitors.contacts[who]

    visitors.open_conversation(who, "<p>my ssn is 900-45-6789 call me 813&nbsp;555&nbsp;0132</p>")
    world.run()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.retrievals.get().status) == ("worked", 404)
    assert b"900-45-6789" not in bytes(delivery.body)
    assert Lead.objects.get().person.phones.get().e164 == "+18135550132"


def test_a_visitor_who_wants_to_be_left_alone_is(world, visitors):
    who = visitors.add_visitor(name="Wren Alvarez", email="wren@home.example", phone="+18135550131")

    visitors.open_conversation(who, "<p>Please stop texting me</p>")
    world.run()

    assert Revocation.objects.filter(address="+18135550131", ended_at=None).exists()


def test_a_drift_contact_is_asked_for_and_our_own_reply_is_no_lead(world):
    source("chat_drift", drift.VERIFICATION_TOKEN, access_token=drift.TOKEN)
    vendor = world.simulators.drift
    vendor.callback = f"{world.url}/in/chat_drift/{TOKEN}"
    who = vendor.add_visitor(name="Hector Vale", email="hector@home.example", phone="813-555-0188")

    vendor.post_message(who, "Looking to buy in Tampa", conversation=7781)
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


def sent(world: World, adapter: str, post: Post, *, bad_day: BadDay | None = None) -> list[int]:
    to = f"{world.url}/in/{adapter}/{TOKEN}"
    return [one.answer.status for one in post_delivery(post, to, bad_day=bad_day)]


@pytest.mark.parametrize(
    "maker", [chat_generic.conversation_delivery, chat_generic.transcript_delivery]
)
def test_a_finished_chat_is_a_lead_once_whatever_its_form(world, maker):
    source("chat_generic", chat_generic.SIGNING_SECRET)
    made = maker(somebody(), random.Random(4), at=make.NOON)

    assert sent(world, "chat_generic", made, bad_day=BadDay.DUPLICATE) == [200, 200]
    assert sent(world, "chat_generic", made, bad_day=BadDay.MALFORMED) == [401]
    world.run()

    lead = Lead.objects.get()
    assert lead.person.last_name == somebody().last_name
    assert lead.person.emails.count() == lead.person.phones.count() == 1
    entry = next(one for one in build_timeline(lead) if one.key.startswith("touch:"))
    assert entry.quote.text.splitlines()[0].startswith(("They: Hi", "The chat: Hi"))
    assert (entry.explanation is not None) == (maker is chat_generic.transcript_delivery)


def test_an_introduction_is_a_lead_without_a_single_automated_text(world):
    source("referral_partner")
    made = referral_partner.referral_delivery(somebody(), random.Random(4), at=make.NOON)

    assert sent(world, "referral_partner", made) == [201]
    assert sent(world, "referral_partner", made, bad_day=BadDay.WRONG_TOKEN) == [401]
    world.run()

    lead = Lead.objects.get()
    assert lead.details["referral"]["company"] == "Summit Realty"
    assert not world.texts_at_carrier()


def test_an_application_file_is_a_lead_and_its_social_security_number_is_kept_nowhere(world):
    source("mismo_ilad")

    made = mismo_ilad.application_delivery(somebody(), random.Random(4), at=make.NOON)
    assert sent(world, "mismo_ilad", made) == [200]
    assert sent(world, "mismo_ilad", made, bad_day=BadDay.MALFORMED) == [400]
    world.run()

    assert Lead.objects.get().amount_cents == somebody().loan * 100
    assert not any(b"900456789" in bytes(delivery.body) for delivery in Delivery.objects.all())


def letter(world: World, post: Post) -> str:
    answer = httpx2.post(
        f"{world.url}/in/mail/{MAIL_SECRET}", content=post.body, headers=post.headers, timeout=20
    )
    return answer.text.strip()


@pytest.mark.parametrize(
    ("adapter", "maker"),
    [("email_text", lead_email.text_email_delivery), ("email_adf", lead_email.adf_email_delivery)],
)
def test_a_lead_e_mail_to_a_sources_secret_address_is_worked_once(world, adapter, maker):
    source(adapter)
    to = f"leads+{TOKEN}@inbox.lindenfield.example"
    made = maker(somebody(), random.Random(5), at=make.NOON, to=to)

    assert [letter(world, made), letter(world, made)] == ["kept", "kept"]
    world.run()

    assert Lead.objects.get().person.last_name == somebody().last_name
    assert sorted(one for one, _, _ in outcomes()) == ["duplicate", "worked"]


def test_a_lead_e_mail_whose_sender_is_forged_waits_for_a_person(world):
    source("email_text")
    to = f"leads+{TOKEN}@inbox.lindenfield.example"
    made = lead_email.text_email_delivery(
        somebody(), random.Random(5), at=make.NOON, to=to, verdict="fail"
    )

    assert letter(world, made) == "kept"
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
def test_a_mail_providers_webhook_holds_the_same_letter(world, wrapped):
    source("email_text")
    to = f"leads+{TOKEN}@inbox.lindenfield.example"
    made = lead_email.text_email_delivery(somebody(), random.Random(5), at=make.NOON, to=to)

    answer = httpx2.post(f"{world.url}/in/mail/{MAIL_SECRET}", timeout=20, **wrapped(made.body))
    world.run()

    assert answer.text.strip() == "kept"
    assert Lead.objects.get().person.last_name == somebody().last_name


def test_a_letter_to_nobody_we_know_is_not_ours(world):
    source("email_text")
    made = lead_email.text_email_delivery(
        somebody(), random.Random(5), at=make.NOON, to="leads+guess@inbox.lindenfield.example"
    )

    assert letter(world, made) == "not ours"
    assert not Delivery.objects.exists()
