"""Vendor posts over HTTP: answered in the vendor's format, and only when authenticated."""

import json
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from rooftree.flow import clock
from rooftree.leads.models import Delivery, Lead, Source
from rooftree_casebook.delivery_cases import load_case
from tests import make
from tests.flow import journey
from tests.web.webhook_client import post, rejections

pytestmark = pytest.mark.django_db
DELIVERIES = Path(__file__).parents[1] / "capture" / "deliveries"
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


def source_of(folder: Path) -> Source:
    """Return the source of a stored delivery from its request."""
    incoming = load_case(folder)
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


def deliver(folder: Path):
    incoming = load_case(folder)
    path = incoming.path.replace("<site>", "harbor-light")
    return post(path, incoming.body, **incoming.headers)


def read_expected(folder: Path) -> dict:
    return json.loads((folder / "expected.json").read_text())


@pytest.mark.parametrize("folder", CASES)
def test_vendor_gets_exactly_its_contracted_answer(folder):
    make.company()
    source_of(folder)
    expected_answer = read_expected(folder)

    answer = deliver(folder)

    body = answer.content.decode()
    if expected_answer["outcome"] == "rejected_auth":
        assert answer.status_code in (401, 403)
        assert sum(rejections().values()) == 1
        assert not Delivery.objects.exists()
        return
    assert answer.status_code == expected_answer["http"]["status"]
    if "content_type" in expected_answer["http"]:
        assert (
            answer["Content-Type"].split(";")[0]
            == expected_answer["http"]["content_type"].split(";")[0]
        )
    _assert_body(body, expected_answer["http"])


def _assert_body(body: str, expected_answer: dict) -> None:
    for part in expected_answer.get("body_contains", []):
        assert part in body
    expected_body = expected_answer.get("body")
    if isinstance(expected_body, dict):
        answered = json.loads(body)
        assert answered.keys() == expected_body.keys()
        for key, value in expected_body.items():
            is_ours = str(value).startswith("<")  # contains an id of ours
            assert answered[key] if is_ours else answered[key] == value
    elif expected_body is not None:
        assert body == expected_body


@pytest.mark.parametrize("folder", KEYED)
def test_repeated_delivery_gets_the_first_answer_and_starts_nothing(folder):
    make.company()
    source_of(folder)

    first = deliver(folder)
    waiting = Delivery.objects.filter(state="received").count()
    second = deliver(folder)

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert Delivery.objects.filter(state="received").count() == waiting
    assert Delivery.objects.filter(state="duplicate").count() == 1


def test_wrong_vendor_token_is_refused_and_counted():
    journey.create_zillow()
    body = json.dumps(journey.zillow_contact()).encode()

    for _ in range(3):
        answer = post("/in/zillow/not-the-token", body)
        assert answer.status_code == 401

    assert not Delivery.objects.exists()
    assert rejections() == {"unknown_token": 3}


def test_vendor_token_does_not_open_another_vendors_address():
    journey.create_zillow()

    assert post(f"/in/lendingtree/{journey.TOKEN}", b"<LeadInformation/>").status_code == 401
    assert post("/in/nobody/x", b"{}").status_code == 404
    assert not Delivery.objects.exists()


def test_paused_source_accepts_no_posts():
    journey.create_zillow(paused_at=make.NOON)

    assert post(f"/in/zillow/{journey.TOKEN}", b"{}").status_code == 401
    assert rejections() == {"unknown_token": 1}


def test_get_of_a_posting_address_is_refused():
    journey.create_zillow()

    assert Client().get(f"/in/zillow/{journey.TOKEN}").status_code == 405


def test_vendor_post_needs_no_csrf_token():
    journey.create_zillow()
    body = json.dumps(journey.zillow_contact()).encode()

    with clock.freeze(make.NOON):
        browser = Client(enforce_csrf_checks=True)
        answer = browser.post(f"/in/zillow/{journey.TOKEN}", body, "application/json")

    assert answer.status_code == 200


def test_token_is_not_stored_with_the_delivery():
    journey.create_zillow()
    body = json.dumps(journey.zillow_contact()).encode()
    assert post(f"/in/zillow/{journey.TOKEN}", body).status_code == 200

    assert journey.TOKEN not in Delivery.objects.get().path


def test_post_becomes_an_assigned_lead():
    journey.set_up_company()
    journey.create_zillow()
    answer = post(
        f"/in/zillow/{journey.TOKEN}",
        json.dumps(journey.zillow_contact()).encode(),
        **{"Content-Type": "application/json"},
    )
    journey.run()

    assert answer.status_code == 200
    assert Lead.objects.get().touches.get().delivery.outcome == "accepted"


class Away:
    """A database that refuses every statement, as an unreachable server does."""

    def __call__(self, execute, sql, params, many, context):
        if 'insert into "delivery"' in sql:
            raise OperationalError("the server closed the connection")
        return execute(sql, params, many, context)


def test_vendor_is_asked_to_retry_while_the_database_is_down():
    journey.create_zillow()
    body = json.dumps(journey.zillow_contact()).encode()
    with connection.execute_wrapper(Away()):
        answer = post(f"/in/zillow/{journey.TOKEN}", body)

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert b"OperationalError" not in answer.content

    assert post(f"/in/zillow/{journey.TOKEN}", body).status_code == 200


def test_vendor_is_asked_to_retry_when_the_token_cannot_be_looked_up():
    def away(execute, sql, params, many, context):
        raise OperationalError("the server closed the connection")

    journey.create_zillow()
    with connection.execute_wrapper(away):
        answer = post(f"/in/zillow/{journey.TOKEN}", b"{}")

    assert answer.status_code == 503
