"""What machines send us, over HTTP: answers in their dialect, and only to those who prove it."""

import json
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.db import OperationalError, connection
from django.test import Client

from rooftree.capture import flood
from rooftree.capture.casefile import incoming_of
from rooftree.compliance.models import Revocation
from rooftree.core.twilio_signature import signature
from rooftree.flow import moment
from rooftree.leads.models import Delivery, Lead, Rejection, Source
from rooftree.los.models import Connection, LosEvent
from rooftree.outreach.media import line as lines
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
DELIVERIES = Path(__file__).parents[1] / "capture" / "deliveries"
VECTOR = json.loads(
    (Path(__file__).parents[1] / "los/samples/encompass_webhook_vector.json").read_text()
)
SITES = ["https://www.harborlight.example", "https://harborlight.example"]
CASES = [
    pytest.param(folder, id=f"{folder.parent.name}/{folder.name}")
    for key in ("zillow", "lendingtree", "website_form")
    for folder in sorted((DELIVERIES / key).iterdir())
]
KEYED = [
    case
    for case in CASES
    if json.loads((case.values[0] / "expected.json").read_text()).get("idempotency_key")
]
AUTH_TOKEN = "a twilio auth token"
OUR_NUMBER, BEN = "+18135550111", "+18135550142"


def source_of(folder: Path) -> Source:
    """The source a kept delivery was sent to, as its request tells it."""
    incoming = incoming_of(folder)
    adapter = folder.parent.name
    token = incoming.endpoint.token or ""
    return make.source(
        adapter,
        slug="harbor-light",
        token=token,
        token_hash=journey._sha256(token) if token else "",
        secret=incoming.endpoint.secret or "",
        allowed_origins=sorted(incoming.endpoint.allowed_origins),
    )


def post(path: str, body: bytes, *, remote_addr: str = "203.0.113.10", **headers: str):
    """One post of raw bytes at noon."""
    kind = headers.pop("Content-Type", "application/octet-stream")
    with moment.at(make.NOON):
        return Client(REMOTE_ADDR=remote_addr).post(
            path, data=body, content_type=kind, headers=headers
        )


def deliver(folder: Path):
    incoming = incoming_of(folder)
    path = incoming.path.replace("<site>", "harbor-light")
    return post(path, incoming.body, **incoming.headers)


def expected(folder: Path) -> dict:
    return json.loads((folder / "expected.json").read_text())


def rejections() -> dict[str, int]:
    return dict(Rejection.objects.values_list("reason", "count"))


@pytest.mark.parametrize("folder", CASES)
def test_a_vendor_gets_exactly_the_answer_its_contract_names(folder):
    make.company()
    source_of(folder)
    wanted = expected(folder)

    answer = deliver(folder)

    body = answer.content.decode()
    if wanted["outcome"] == "rejected_auth":
        assert answer.status_code in (401, 403)
        assert sum(rejections().values()) == 1
        assert not Delivery.objects.exists()
        return
    assert answer.status_code == wanted["http"]["status"]
    if "content_type" in wanted["http"]:
        assert answer["Content-Type"].split(";")[0] == wanted["http"]["content_type"].split(";")[0]
    _assert_body(body, wanted["http"])


def _assert_body(body: str, wanted: dict) -> None:
    for part in wanted.get("body_contains", []):
        assert part in body
    told = wanted.get("body")
    if isinstance(told, dict):
        answered = json.loads(body)
        assert answered.keys() == told.keys()
        for key, value in told.items():
            is_ours = str(value).startswith("<")  # an id of ours stands there
            assert answered[key] if is_ours else answered[key] == value
    elif told is not None:
        assert body == told


@pytest.mark.parametrize("folder", KEYED)
def test_a_repeated_delivery_gets_the_first_answer_and_starts_nothing(folder):
    make.company()
    source_of(folder)

    first = deliver(folder)
    waiting = Delivery.objects.filter(state="received").count()
    second = deliver(folder)

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert Delivery.objects.filter(state="received").count() == waiting
    assert Delivery.objects.filter(state="duplicate").count() == 1


def test_a_vendors_wrong_token_is_turned_away_and_counted():
    journey.zillow()
    body = json.dumps(journey.zillow_contact()).encode()

    for _ in range(3):
        answer = post("/in/zillow/not-the-token", body)
        assert answer.status_code == 401

    assert not Delivery.objects.exists()
    assert rejections() == {"unknown_token": 3}


def test_one_vendors_token_opens_no_other_vendors_door():
    journey.zillow()

    assert post(f"/in/lendingtree/{journey.TOKEN}", b"<LeadInformation/>").status_code == 401
    assert post("/in/nobody/x", b"{}").status_code == 404
    assert not Delivery.objects.exists()


def test_a_paused_source_takes_nothing():
    journey.zillow(paused_at=make.NOON)

    assert post(f"/in/zillow/{journey.TOKEN}", b"{}").status_code == 401
    assert rejections() == {"unknown_token": 1}


def test_a_get_of_an_address_for_posts_is_refused():
    journey.zillow()

    assert Client().get(f"/in/zillow/{journey.TOKEN}").status_code == 405


def test_the_token_is_not_kept_with_the_delivery():
    journey.zillow()
    body = json.dumps(journey.zillow_contact()).encode()
    assert post(f"/in/zillow/{journey.TOKEN}", body).status_code == 200

    assert journey.TOKEN not in Delivery.objects.get().path


def test_a_post_becomes_a_worked_lead():
    journey.ready()
    journey.zillow()
    answer = post(
        f"/in/zillow/{journey.TOKEN}",
        json.dumps(journey.zillow_contact()).encode(),
        **{"Content-Type": "application/json"},
    )
    journey.run()

    assert answer.status_code == 200
    assert Lead.objects.get().touches.get().delivery.outcome == "accepted"


def test_a_browser_on_the_companys_site_may_ask_first_and_read_the_answer():
    journey.website(slug="harbor-light", allowed_origins=SITES)

    ours = Client().options("/in/form/harbor-light", headers={"Origin": SITES[0]})
    strangers = Client().options(
        "/in/form/harbor-light", headers={"Origin": "https://evil.example"}
    )

    assert ours.status_code == 204
    assert ours["Access-Control-Allow-Origin"] == SITES[0]
    assert "POST" in ours["Access-Control-Allow-Methods"]
    assert "Content-Type" in ours["Access-Control-Allow-Headers"]
    assert ours["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in strangers
    assert Client().options("/in/form/nobodys").status_code == 404


def test_a_strangers_page_cannot_read_the_answer():
    journey.website(slug="harbor-light", allowed_origins=SITES)
    answer = post(
        "/in/form/harbor-light",
        json.dumps(journey.form_post()).encode(),
        **{"Content-Type": "application/json", "Origin": "https://evil.example"},
    )

    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("back", "status"),
    [
        ("https://www.harborlight.example/thanks", 303),
        ("https://evil.example/thanks", 200),
        ("http://www.harborlight.example/thanks", 200),
        ("//www.harborlight.example/thanks", 200),
        ("https://www.harborlight.example.evil.example/", 200),
        ("https://www.harborlight.example@evil.example/", 200),
        ("https://www.harborlight.example:8443/", 200),
        ("javascript:alert(1)", 200),
    ],
)
def test_a_form_without_script_goes_back_to_its_own_site_only(back, status):
    make.company()
    journey.website(slug="harbor-light", allowed_origins=SITES)
    form = {"first_name": "Ben", "email": "ben@home.example", "return_to": back}

    answer = post(
        "/in/form/harbor-light",
        urlencode(form).encode(),
        **{"Content-Type": "application/x-www-form-urlencoded", "Origin": SITES[0]},
    )

    assert answer.status_code == status
    assert answer.get("Location", "") == (back if status == 303 else "")
    assert Delivery.objects.count() == 1


def test_a_repeated_form_without_script_goes_back_as_well():
    make.company()
    journey.website(slug="harbor-light", allowed_origins=SITES)
    form = {
        "submission_id": "s-1",
        "first_name": "Ben",
        "email": "ben@home.example",
        "return_to": f"{SITES[0]}/thanks",
    }
    told = {"Content-Type": "application/x-www-form-urlencoded", "Origin": SITES[0]}
    answers = [post("/in/form/harbor-light", urlencode(form).encode(), **told) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert answers[1]["Location"] == f"{SITES[0]}/thanks"


class Away:
    """A database that refuses every statement, as a server that went away does."""

    def __call__(self, execute, sql, params, many, context):
        if 'insert into "delivery"' in sql:
            raise OperationalError("the server closed the connection")
        return execute(sql, params, many, context)


def test_while_the_database_is_away_the_vendor_is_asked_to_come_again():
    journey.zillow()
    body = json.dumps(journey.zillow_contact()).encode()
    with connection.execute_wrapper(Away()):
        answer = post(f"/in/zillow/{journey.TOKEN}", body)

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert b"OperationalError" not in answer.content

    assert post(f"/in/zillow/{journey.TOKEN}", body).status_code == 200


def test_while_the_database_is_away_not_even_the_token_can_be_looked_up():
    def away(execute, sql, params, many, context):
        raise OperationalError("the server closed the connection")

    journey.zillow()
    with connection.execute_wrapper(away):
        answer = post(f"/in/zillow/{journey.TOKEN}", b"{}")

    assert answer.status_code == 503


# Twilio.


@pytest.fixture
def twilio(settings):
    """An installation whose texts go through Twilio."""
    settings.CARRIER = "twilio"
    settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.TWILIO_NUMBERS = [OUR_NUMBER]
    lines.line.cache_clear()
    yield
    lines.line.cache_clear()


def twilio_post(path: str, form: dict[str, str], *, token: str = AUTH_TOKEN, **changes: str):
    """What Twilio posts; it signs the public address, not the one we see."""
    url = changes.pop("url", f"{project.PUBLIC_URL}{path}")
    signed = signature(token, url, list(form.items()))
    return post(
        path,
        urlencode(form | changes).encode(),
        **{
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed,
        },
    )


def text_from_ben(body: str) -> dict[str, str]:
    return {
        "MessageSid": f"SM{make.number():032d}",
        "AccountSid": "AC" + "0" * 32,
        "From": BEN,
        "To": OUR_NUMBER,
        "Body": body,
        "NumMedia": "0",
    }


def test_a_stop_counts_before_twilio_has_its_answer(twilio):
    journey.ready()
    journey.deliver(journey.website(), journey.form_post(consent=False))

    answer = twilio_post("/in/twilio/text/", text_from_ben("STOP"))

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    assert answer.content.decode().endswith("<Response />")
    stop = Revocation.objects.get(kind="stop")
    assert stop.address == BEN
    assert "text" in stop.media
    assert Message.objects.get(direction="in").body == "STOP"


def test_the_same_text_twice_is_one_text(twilio):
    journey.ready()
    journey.deliver(journey.website(), journey.form_post(consent=False))
    form = text_from_ben("Tell me more")

    twilio_post("/in/twilio/text/", form)
    twilio_post("/in/twilio/text/", form)

    assert Message.objects.filter(direction="in").count() == 1


@pytest.mark.parametrize(
    "path",
    [
        "/in/twilio/text/",
        f"/in/twilio/status/{uuid4()}/",
        f"/in/twilio/ring/{uuid4()}/",
        f"/in/twilio/ring/{uuid4()}/key/",
        f"/in/twilio/ring/{uuid4()}/after/",
        f"/in/twilio/ring/{uuid4()}/status/",
    ],
)
def test_what_twilio_did_not_sign_is_refused(twilio, path):
    form = text_from_ben("STOP")

    assert twilio_post(path, form, token="another token").status_code == 403
    assert twilio_post(path, form, Body="START").status_code == 403  # changed on the way
    assert twilio_post(path, form, url="https://evil.example/").status_code == 403
    assert post(path, urlencode(form).encode()).status_code == 403
    assert not Message.objects.exists()
    assert not Revocation.objects.exists()


def test_without_a_carrier_nothing_is_believed(settings):
    settings.TWILIO_AUTH_TOKEN = ""

    assert twilio_post("/in/twilio/text/", text_from_ben("STOP"), token="").status_code == 403


def test_a_carriers_status_moves_its_text(twilio):
    journey.ready()
    lead = make.lead()
    text = Message.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        purpose="marketing",
        cause="test:1",
        to_address=BEN,
        body="Hello",
        state="sent",
        carrier="twilio",
        carrier_id="SM" + "7" * 32,
        created_at=make.NOON,
    )
    form = {"MessageSid": "SM" + "7" * 32, "MessageStatus": "delivered", "To": BEN}

    assert twilio_post(f"/in/twilio/status/{text.pk}/", form).status_code == 204
    text.refresh_from_db()
    assert text.state == "delivered"

    late = form | {"MessageStatus": "sent"}
    assert twilio_post(f"/in/twilio/status/{text.pk}/", late).status_code == 204
    text.refresh_from_db()
    assert text.state == "delivered"


def test_news_of_a_call_we_never_placed_is_not_found(twilio):
    ring = uuid4()
    for path in ("", "key/", "after/"):
        told = {"CallSid": "CA1", "Digits": "1", "DialCallStatus": "completed"}
        assert twilio_post(f"/in/twilio/ring/{ring}/{path}", told).status_code == 404
    told = {"CallStatus": "completed"}
    assert twilio_post(f"/in/twilio/ring/{ring}/status/", told).status_code == 204


# Encompass.


@pytest.fixture
def los() -> Connection:
    """The lender's Encompass, which signs as in the vector."""
    make.company()
    return Connection.objects.create(
        slug="encompass",
        los="encompass",
        instance="BE00000001",
        base_url="https://api.elliemae.example",
        webhook_keys=json.dumps([VECTOR["signingkey"]]),
    )


def webhook(body: str = VECTOR["raw_body"], slug: str = "encompass", **changes: str):
    return post(f"/in/encompass/{slug}/", body.encode(), **VECTOR["headers"] | changes)


def test_a_signed_webhook_is_taken_in_once(los):
    assert webhook().status_code == 200
    assert webhook().status_code == 200

    assert LosEvent.objects.count() == 1


def test_a_webhook_with_a_wrong_signature_is_refused_and_counted(los):
    assert webhook(**{"Elli-Signature": "AAAA"}).status_code == 401
    assert webhook(VECTOR["raw_body"] + " ").status_code == 401
    assert webhook(slug="nobodys").status_code == 401

    assert rejections() == {"bad_signature": 3}
    assert not LosEvent.objects.exists()


def test_a_webhook_signed_with_a_replaced_key_is_refused(los):
    los.webhook_keys = json.dumps(["RooftreeTest#AnotherKey!2026-abcdefgh"])
    los.save()

    assert webhook().status_code == 401


def test_a_webhook_of_another_instance_is_told_it_arrived_and_ignored(los):
    Connection.objects.filter(pk=los.pk).update(instance="BE99999999")

    assert webhook().status_code == 200
    assert not LosEvent.objects.exists()


# A flood.


@pytest.fixture
def hurried():
    """Zillow with a limit of ten deliveries a minute, in a process that has just started."""
    flood.forget()
    yield journey.zillow(per_minute=10)
    flood.forget()


def test_a_flood_is_told_to_come_again_and_nothing_of_it_is_lost_that_was_acknowledged(hurried):
    kind = {"Content-Type": "application/json"}
    answers = [
        post(f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()).encode(), **kind)
        for _ in range(13)
    ]

    statuses = [one.status_code for one in answers]
    assert statuses == [200] * 10 + [429] * 3
    assert Delivery.objects.count() == 10
    assert answers[-1]["Retry-After"] == str(flood.WAIT)
    assert answers[-1].json() == {"error": "try_again", "retry_after_seconds": flood.WAIT}


def test_a_flood_at_one_source_is_nothing_to_another(hurried):
    site = journey.website()
    for _ in range(12):
        post(f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()).encode())

    body = json.dumps(journey.form_post()).encode()
    answer = post(f"/in/form/{site.slug}", body, Origin=site.allowed_origins[0])

    assert answer.status_code == 200


def test_a_flood_is_shown_on_sources(hurried, signed_in):
    for _ in range(12):
        post(f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()).encode())
    browser = signed_in(make.user("operations"))

    with moment.at(make.NOON + make.MINUTE):
        pages = [browser.get(path) for path in ("/sources/", f"/sources/{hurried.pk}/")]

    assert b"Flooded" in pages[0].content
    page = pages[1].content.decode()
    assert "asked to come again" in page
    assert "10 a minute" in page
