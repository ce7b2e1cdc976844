"""The Twilio account page: checked at once, numbers chosen, webhooks set, tried on a phone."""

from datetime import timedelta

import pytest

from rooftree.core.vendor_errors import Misconfigured
from rooftree.flow import clock
from rooftree.leads.models import ContactAttempt
from rooftree.management.doctor_machine_checks import check_carrier
from rooftree.org import carrier_account
from rooftree.org.models import CarrierAccount
from rooftree.outreach.carrier import carrier_setup
from rooftree.outreach.media.active_carrier import get_carrier
from rooftree.outreach.messages.plan_messages import outbound_number
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from rooftree_simulators.twilio.twilio_vendor import Twilio
from rooftree_simulators.twilio.webhook_signature import compute_signature
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener
from tests import make

pytestmark = pytest.mark.django_db
PAGE = "/setup/carrier/"
VOICE_ONLY, DANAS, TOLL_FREE = "+12085550139", "+12085550107", "+18555550146"
ACCOUNT = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN}
PHONE = "+18135550142"


@pytest.fixture
def twilio(settings, django_capture_on_commit_callbacks):
    simulator_clock = SimulatedClock(at=make.NOON, speed=0)
    vendor = Twilio(SimulatorSetup(clock=simulator_clock))
    listener = HttpListener(vendor, 0)
    vendor.load_seed(
        {
            "friendly_name": "Cedar Ridge Mortgage",
            "numbers": [
                {"number": VOICE_ONLY, "can_text": False},
                {"number": DANAS, "sms_url": "https://old.example.com/sms"},
                {"number": TOLL_FREE, "voice_application_sid": "AP" + "1" * 32},
            ],
        }
    )
    settings.CARRIER, settings.TWILIO_NUMBERS = "", []
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = ""
    settings.TWILIO_BASE_URL = listener.url
    carrier_account.forget_stored_account()
    with django_capture_on_commit_callbacks() as _, clock.freeze(make.NOON):
        yield vendor
    carrier_account.forget_stored_account()
    listener.stop()
    simulator_clock.stop()


@pytest.fixture
def admin(twilio, signed_in, monkeypatch):
    monkeypatch.setattr(carrier_account, "REREAD_SECONDS", 0.000_001)  # commits never come here
    make.company()
    return signed_in(make.user("administrator", phone=PHONE))


def post_as_twilio(client, path, fields, settings):
    url = f"{settings.PUBLIC_URL}{path}"
    signature = compute_signature(AUTH_TOKEN, url, list(fields.items()))
    return client.post(path, fields, headers={"X-Twilio-Signature": signature})


def test_nothing_is_connected_on_a_fresh_installation(admin):
    assert "not connected" in admin.get(PAGE).text
    assert "No carrier is connected" in admin.get("/setup/").text
    assert get_carrier().name == "none"
    assert check_carrier().is_ok


@pytest.mark.parametrize(
    ("changes", "seed", "words"),
    [
        ({"account_sid": "SK" + "5" * 32}, {}, "This is the SID of an API key"),
        ({"account_sid": ACCOUNT_SID[:-1]}, {}, "this one has 33"),
        ({"account_sid": "AC" + "Z" * 32}, {}, "the letters a to f"),
        ({"account_sid": "5125550100"}, {}, "begins with AC"),
        ({"auth_token": "wrong"}, {}, "refused this account SID and auth token (error 20003)"),
        ({"account_sid": "AC" + "0" * 32}, {}, "refused this account SID and auth token"),
        ({"auth_token": ""}, {}, "Enter auth token"),
        ({}, {"status": "suspended"}, "this account is suspended"),
    ],
)
def test_account_that_twilio_refuses_is_not_saved(admin, twilio, changes, seed, words):
    twilio.load_seed(seed)

    answer = admin.post(PAGE, ACCOUNT | changes)

    assert answer.status_code == 422
    assert words in answer.text
    assert not CarrierAccount.objects.exists()


def test_unreachable_twilio_is_named(admin, settings):
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"

    answer = admin.post(PAGE, ACCOUNT)

    assert "Twilio didn’t answer at 127.0.0.1" in answer.text
    assert not CarrierAccount.objects.exists()


def test_accepted_account_is_used_once_its_numbers_are_chosen(admin, twilio, as_the_program):
    assert admin.post(PAGE, ACCOUNT).status_code == 303

    page = admin.get(PAGE).text
    assert "Cedar Ridge Mortgage, full account" in page
    assert AUTH_TOKEN not in page
    assert "Calls only: Rooftree needs texts, too" in page
    assert "Choose the numbers that Rooftree texts and calls from." in admin.get("/setup/").text
    assert not check_carrier().is_ok

    refused = admin.post(f"{PAGE}numbers/", {"numbers": [VOICE_ONLY]}, follow=True)
    assert "Choose at least one number with texts and calls." in refused.text
    chosen = {"numbers": [MAIN_NUMBER, TOLL_FREE], "main": TOLL_FREE}
    assert admin.post(f"{PAGE}numbers/", chosen).status_code == 303

    assert CarrierAccount.objects.get().numbers == [TOLL_FREE, MAIN_NUMBER]
    assert outbound_number() == TOLL_FREE
    assert get_carrier().name == "twilio"
    assert "Twilio, Cedar Ridge Mortgage" in admin.get("/setup/").text
    assert check_carrier().is_ok


def test_token_is_encrypted_and_kept_only_for_the_same_account(admin):
    from django.db import connection

    admin.post(PAGE, ACCOUNT)
    with connection.cursor() as cursor:
        cursor.execute("select auth_token from carrier_account")
        assert AUTH_TOKEN not in cursor.fetchone()[0]
    assert admin.post(PAGE, ACCOUNT | {"auth_token": ""}).status_code == 303
    other = admin.post(PAGE, {"account_sid": "AC" + "1" * 32, "auth_token": ""})
    assert "Enter the auth token of this account." in other.text


def test_webhooks_are_set_on_our_and_our_officers_numbers_only(admin, twilio, settings):
    make.officer("Dana Whitfield", text_number=DANAS)
    admin.post(PAGE, ACCOUNT)
    admin.post(f"{PAGE}numbers/", {"numbers": [TOLL_FREE]})
    page = admin.get(PAGE).text
    assert "Goes to https://old.example.com/sms" in page
    assert "Goes to a TwiML app" in page
    assert "sets the webhooks of 2 numbers" in page

    answer = admin.post(f"{PAGE}webhooks/", follow=True)

    assert "Webhooks set on 2 numbers" in answer.text
    assert answer.text.count("Replies and calls come here") == 2
    for number in (TOLL_FREE, DANAS):
        line = twilio.account.line(number)
        assert line.sms_url == f"{settings.PUBLIC_URL}/in/twilio/text/"
        assert line.voice_url == f"{settings.PUBLIC_URL}/in/twilio/call/"
        assert line.status_callback == f"{settings.PUBLIC_URL}/in/twilio/call/status/"
        assert line.voice_application_sid == ""
    assert twilio.account.line(MAIN_NUMBER).sms_url == ""


def test_text_and_call_to_the_users_own_phone_show_the_carriers_answer(
    admin, twilio, client, settings
):
    admin.post(PAGE, ACCOUNT)
    assert "Choose the numbers" in admin.post(f"{PAGE}text-me/", follow=True).text
    admin.post(f"{PAGE}numbers/", {"numbers": [MAIN_NUMBER]})

    admin.post(f"{PAGE}text-me/")
    admin.post(f"{PAGE}ring-me/")

    (text,) = twilio.account.messages.values()
    (call,) = twilio.account.calls.values()
    assert (text.to, text.sender, call.to) == (PHONE, MAIN_NUMBER, PHONE)
    assert "No report from Twilio yet" in admin.get(PAGE).text
    status = {"MessageSid": text.sid, "MessageStatus": "delivered"}
    forged = client.post("/in/twilio/trial/status/", status)
    assert forged.status_code == 403
    for fields in (
        status,
        {"MessageSid": text.sid, "MessageStatus": "sent"},  # comes late
        {"CallSid": call.sid, "CallStatus": "no-answer"},
    ):
        assert (
            post_as_twilio(client, "/in/twilio/trial/status/", fields, settings).status_code == 204
        )
    page = admin.get(PAGE).text
    assert "Twilio says “delivered”" in page
    assert "Twilio says “no answer”" in page
    spoken = post_as_twilio(client, "/in/twilio/trial/", {"CallSid": call.sid}, settings)
    assert "Your calls work" in spoken.content.decode()


def test_refused_trial_shows_why_and_a_user_without_phone_gets_the_way(
    admin, twilio, signed_in, settings
):
    admin.post(PAGE, ACCOUNT)
    admin.post(f"{PAGE}numbers/", {"numbers": [MAIN_NUMBER]})
    twilio.load_seed({"status": "suspended"})
    admin.post(f"{PAGE}text-me/")
    assert "Text\n        not accepted" in admin.get(PAGE).text
    without = signed_in(make.user("administrator", email="other@lindenfield.example"))
    assert "Your account has no phone number." in without.get(PAGE).text


def test_account_that_fails_a_later_check_is_not_ready_anywhere(admin, twilio, signed_in):
    admin.post(PAGE, ACCOUNT)
    admin.post(f"{PAGE}numbers/", {"numbers": [MAIN_NUMBER]})
    twilio.load_seed({"status": "suspended"})
    carrier_setup.check_due_account(at=make.NOON + timedelta(minutes=30))  # not due yet
    assert carrier_account.read_carrier_status().is_ready

    carrier_setup.check_due_account(at=make.NOON + timedelta(hours=1))

    for page in (admin.get(PAGE).text, admin.get("/setup/").text):
        assert "this account is suspended" in page
    assert "this account is suspended" in check_carrier().text
    lead = make.lead(officer=make.officer("Dana Whitfield"))
    lead_page = signed_in(lead.officer.user).get(f"/leads/{lead.pk}/").text
    assert "Texts might not go out." in lead_page
    assert "Ask an administrator to check it." in lead_page
    assert CarrierAccount.objects.get().numbers == [MAIN_NUMBER]
    twilio.load_seed({"status": "active"})
    assert admin.post(f"{PAGE}check/").status_code == 303
    assert carrier_account.read_carrier_status().is_ready


def test_environment_wins_and_is_not_ready_before_its_check(admin, settings):
    admin.post(PAGE, ACCOUNT)
    settings.CARRIER, settings.TWILIO_NUMBERS = "twilio", [MAIN_NUMBER]
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID[:-1], AUTH_TOKEN

    page = admin.get(PAGE).text
    assert "The environment sets this account" in page
    assert "hasn’t been checked yet" in page
    assert admin.post(PAGE, ACCOUNT).status_code == 422
    carrier_setup.check_due_account(at=make.NOON)
    assert "this one has 33" in carrier_account.read_carrier_status().sentence
    assert "this one has 33" in admin.get("/setup/").text

    settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
    assert not carrier_account.read_carrier_status().is_ready
    assert check_carrier().is_ok
    assert get_carrier().settings.account_sid == ACCOUNT_SID


def test_disconnected_account_is_gone_and_nothing_is_sent(admin):
    admin.post(PAGE, ACCOUNT)
    admin.post(f"{PAGE}removal/")
    assert not CarrierAccount.objects.exists()
    assert get_carrier().name == "none"


def test_webhooks_are_verified_with_the_token_of_the_page(admin, client, settings):
    fields = {"CallSid": "CA1", "From": "+18135550177", "To": MAIN_NUMBER, "CallStatus": "failed"}
    lead = make.lead()
    lead.person.phones.update(e164=fields["From"])
    path = "/in/twilio/call/status/"
    assert post_as_twilio(client, path, fields, settings).status_code == 403
    admin.post(PAGE, ACCOUNT)

    completed = fields | {"CallSid": "CA2", "CallStatus": "completed"}
    assert post_as_twilio(client, path, completed, settings).status_code == 204
    for _ in range(2):
        assert post_as_twilio(client, path, fields, settings).status_code == 204

    assert ContactAttempt.objects.get().result == "missed"


def test_without_a_carrier_a_text_is_kept_instead_of_counted_as_delivered(admin):
    with pytest.raises(Misconfigured, match="No carrier is connected"):
        get_carrier().send_text(
            to="+18135550142", sender="", body="Hello", status_callback="", reference="1"
        )
