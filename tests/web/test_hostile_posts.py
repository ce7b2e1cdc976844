"""Hostile posts: never a 500, and every authentic delivery is stored."""

import gzip
import json
from contextlib import contextmanager
from urllib.parse import quote, urlencode
from uuid import UUID

import pytest
from django.conf import settings as project
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead
from rooftree_simulators.twilio.webhook_signature import compute_signature
from tests import make
from tests.flow import journey
from tests.web.test_hostile_text import IMAGE, SCRIPT, harm

pytestmark = pytest.mark.django_db
FUZZ = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
NOBODY = UUID(int=7)  # parallel workers need the same order in every process
AUTH_TOKEN = "twilio-test-token"
NUMBER = "+18135550142"
TREE = "lt-test-path-token"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><LeadApplication><FirstName>&i;</FirstName></LeadApplication>"
).encode()
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<LeadApplication><FirstName>&x;</FirstName></LeadApplication>"
)
ODD_TEXT = st.text(max_size=40) | st.sampled_from(
    [
        "\0",
        "\ud800",
        "\u202e",
        "🦄",
        "'; drop table lead; --",
        "%00",
        "../../etc/passwd",
        "a" * 5000,
    ]
)


def post(path, body, **headers):
    kind = headers.pop("kind", "application/json")
    browser = Client(raise_request_exception=False)
    return browser.post(path, body, content_type=kind, headers=headers)


def lendingtree():
    from hashlib import sha256

    return make.source(
        "lendingtree", slug="lendingtree", token=TREE, token_hash=sha256(TREE.encode()).hexdigest()
    )


@contextmanager
def empty_company():
    """Start each fuzz example with an empty company."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def stored_deliveries():
    return Delivery.objects.count()


def process_all():
    """Process all deliveries and assert that none failed through a bug."""
    while lead_arrival.process_next_batch(at=timezone.now() + make.DAY):
        pass
    assert not Delivery.objects.filter(state="received").exists()
    assert not Delivery.objects.exclude(problem="").exists()


@FUZZ
@given(body=st.binary(max_size=300), kind=st.sampled_from(["application/json", "text/xml", "x"]))
@example(body=b"", kind="application/json")
@example(body=BOMB, kind="text/xml")
@example(body=OUTSIDE, kind="text/xml")
@example(body=gzip.compress(b"0" * 5_000_000), kind="application/json")
@example(body=b"[" * 100_000, kind="application/json")
@example(
    body=b'{"id":"1","id":"2","sender":{"firstName":"A"},"sender":{}}', kind="application/json"
)
@example(body=b'{"id":"\\u0000","sender":{"firstName":"\\ud800\\u0000"}}', kind="application/json")
@pytest.mark.parametrize("path", [f"/in/zillow/{journey.TOKEN}", f"/in/lendingtree/{TREE}"])
def test_any_vendor_bytes_are_stored(path, body, kind):
    with empty_company():
        journey.create_zillow(), lendingtree()

        answer = post(path, body, kind=kind)

        assert answer.status_code < 500
        assert stored_deliveries() == 1
        process_all()


@FUZZ
@given(
    sender=st.dictionaries(
        st.sampled_from(["firstName", "lastName", "emailAddress", "phoneNumber"]), ODD_TEXT
    ),
    number=ODD_TEXT,
)
def test_any_zillow_contact_text_is_stored_and_processed(sender, number):
    with empty_company():
        journey.create_zillow()
        body = json.dumps(journey.zillow_contact(id=number) | {"sender": sender}).encode()

        answer = post(f"/in/zillow/{journey.TOKEN}", body)

        assert answer.status_code == 200
        assert stored_deliveries() == 1
        process_all()


@FUZZ
@given(
    form=st.dictionaries(
        st.sampled_from(["first_name", "last_name", "message", "landing_page", "submission_id"]),
        ODD_TEXT,
    )
)
def test_any_form_text_is_stored_and_processed(form):
    with empty_company():
        journey.set_up_company()
        site = journey.create_website()
        body = json.dumps(journey.form_post(**form)).encode()

        answer = post(f"/in/form/{site.slug}", body, Origin=site.allowed_origins[0])

        assert answer.status_code < 500
        assert stored_deliveries() == 1
        process_all()


@FUZZ
@given(query=st.dictionaries(ODD_TEXT, ODD_TEXT, max_size=3), agent=ODD_TEXT)
def test_any_query_and_headers_are_stored_with_the_delivery(query, agent):
    with empty_company():
        journey.create_zillow()
        body = json.dumps(journey.zillow_contact()).encode()
        query_string = urlencode(
            {k: v.encode(errors="surrogatepass") for k, v in query.items() if k.isprintable()}
        )

        answer = post(
            f"/in/zillow/{journey.TOKEN}?{query_string}", body,
            **{"User-Agent": quote(agent, errors="replace")},
        )  # fmt: skip

        assert answer.status_code == 200
        assert stored_deliveries() == 1


def test_query_with_a_nul_is_stored():
    journey.create_zillow()

    answer = post(f"/in/zillow/{journey.TOKEN}?a=%00&%00=b", json.dumps(journey.zillow_contact()))

    assert answer.status_code == 200
    assert stored_deliveries() == 1


@pytest.mark.parametrize(
    "path",
    [
        "/in/zillow/%00", "/in/website_form/%00", "/in/form/%00", "/in/zillow/../../etc/passwd",
        "/in/zillow/%2e%2e%2f%2e%2e%2fetc", "/in/%F0%9F%A6%84/x", "/in/zillow/" + "a" * 4000,
        "/in/encompass/%00/", "/in/zillow/%ff%fe", "/in/twilio/status/nothing/",
        "/forms/%00/", "/unsubscribe/%00/", "/static/../settings.py", "/static/%2e%2e/settings.py",
        "/leads/%00/", "/find/?q=%00", "/sign-in/?next=%00", "/set-password/%00/x/",
    ],
)  # fmt: skip
def test_no_url_causes_a_server_error_or_an_outside_redirect(path):
    journey.create_zillow()
    browser = Client(raise_request_exception=False)

    answers = [browser.get(path), browser.post(path, b"{}", content_type="application/json")]

    assert {answer.status_code for answer in answers} <= {200, 302, 400, 401, 403, 404, 405}
    assert not any(b"SECRET_KEY" in b"".join(answer) for answer in answers)
    assert stored_deliveries() == 0


QUERIES = [
    "/find/?q=%00", "/home/records/leads/?period=%00", "/queue/?tab=%00", "/sources/?page=%00",
    "/compliance/?q=%00", "/pipeline/?officer=%00", "/find/?q=%F0%9F%A6%84%ED%A0%80",
    "/home/?period=" + "9" * 999,
]  # fmt: skip


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize("role", ["administrator", "executive", "compliance", "manager"])
def test_no_staff_query_breaks_a_page(path, role, signed_in):
    make.company()
    browser = signed_in(make.user(role, branch=make.branch() if role == "manager" else None))
    browser.raise_request_exception = False

    assert browser.get(path).status_code in {200, 302, 400, 403, 404}


# Carriers.


@pytest.fixture
def twilio(settings):
    settings.CARRIER = "twilio"
    settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.TWILIO_NUMBERS = ["+15125550100"]


def post_signed(path, form):
    mark = compute_signature(AUTH_TOKEN, f"{project.PUBLIC_URL}{path}", list(form.items()))
    body = urlencode({k: v.encode(errors="surrogatepass") for k, v in form.items()})
    kind = "application/x-www-form-urlencoded"
    return post(path, body, kind=kind, **{"X-Twilio-Signature": mark})


CALLBACKS = [
    "/in/twilio/text/",
    f"/in/twilio/status/{NOBODY}/",
    *(f"/in/twilio/ring/{NOBODY}/{step}" for step in ("", "key/", "after/", "status/")),
]
NAMES = [
    "MessageSid", "SmsSid", "From", "To", "Body", "NumMedia", "MessageStatus", "ErrorCode",
    "CallSid", "CallStatus", "Digits", "DialCallStatus", "OptOutType", "SequenceNumber",
]  # fmt: skip


@pytest.mark.parametrize("path", CALLBACKS)
@FUZZ
@given(form=st.dictionaries(st.sampled_from(NAMES), ODD_TEXT))
@example(form={"MessageSid": "SM1", "From": NUMBER, "To": "+15125550100", "Body": "STOP\0"})
@example(form={"MessageSid": "SM\0", "From": "\0", "To": "\0", "Body": "\0"})
@example(form={"MessageSid": "S" * 500, "From": "9" * 500, "Body": "\ud800"})
def test_any_carrier_callback_is_answered(twilio, path, form):
    form = {k: v.encode("utf-8", "replace").decode() for k, v in form.items()}

    assert post_signed(path, form).status_code < 500


@pytest.mark.parametrize("body", ["STOP\0", "\0STOP", "S\0TOP", "STOP\u202e", "\u200bSTOP"])
def test_opt_out_is_recognized_in_any_callback(twilio, body):
    from rooftree.compliance.models import Revocation

    form = {"MessageSid": "SM1", "From": NUMBER, "To": "+15125550100", "Body": body}

    assert post_signed("/in/twilio/text/", form).status_code == 200
    assert Revocation.objects.filter(address=NUMBER).exists()


@FUZZ
@given(body=st.binary(max_size=200))
@example(body=b"[" * 100_000)
@example(body=b'{"eventId":"\\u0000"}')
def test_any_bytes_to_the_los_webhook_are_answered(body):
    assert post("/in/encompass/encompass/", body).status_code == 401


# Forged headers and duplicate keys.


def test_forged_forwarded_for_header_is_ignored():
    journey.create_zillow()

    post(
        f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()),
        **{"X-Forwarded-For": "203.0.113.66"},
    )  # fmt: skip

    assert Delivery.objects.get().remote_addr != "203.0.113.66"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://www.lindenfield.example.evil.example"]
)
def test_another_site_cannot_post_our_form(origin):
    site = journey.create_website()

    answer = post(f"/in/form/{site.slug}", json.dumps(journey.form_post()), Origin=origin)

    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer
    assert stored_deliveries() == 0


def test_forged_host_header_is_refused():
    answer = Client(raise_request_exception=False).get(
        "/sign-in/", headers={"Host": "evil.example"}
    )

    assert answer.status_code == 400
    assert b"evil.example" not in answer.content


def test_duplicate_keys_are_read_one_way_and_break_nothing():
    journey.set_up_company()
    journey.create_zillow()
    body = json.dumps(journey.zillow_contact()).replace('{"id"', '{"id": "LC-other", "id"', 1)

    assert post(f"/in/zillow/{journey.TOKEN}", body).status_code == 200
    process_all()
    assert Lead.objects.count() == 1


def test_form_full_of_hostile_text_becomes_a_lead_that_can_be_shown(signed_in):
    journey.set_up_company()
    dana = make.officer("Dana Whitfield")
    site = journey.create_website()
    journey.arrive(
        site,
        journey.form_post(
            first_name=f"Ben\0\u202e{SCRIPT}", last_name="\u200b=1+1", message=f"\0{IMAGE}\ud83d"
        ),
    )

    assert lead_arrival.process_next_batch(at=make.NOON)

    lead = Lead.objects.get()
    make.ownership(lead, dana)
    page = signed_in(dana.user).get(reverse("lead", args=[lead.pk]))
    assert page.status_code == 200
    assert harm(page.content.decode()) == []
