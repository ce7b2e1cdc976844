"""LOS webhooks over HTTP: signed as in the vendor's test vector, stored once."""

import json
from pathlib import Path

import pytest

from rooftree.los.models import Connection, LosEvent
from tests import make
from tests.web.webhook_client import post, rejections

pytestmark = pytest.mark.django_db
VECTOR = json.loads(
    (Path(__file__).parents[1] / "los/samples/encompass_webhook_vector.json").read_text()
)


@pytest.fixture
def los() -> Connection:
    """The lender's Encompass connection, with the signing key of the test vector."""
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


def test_signed_webhook_is_stored_once(los):
    assert webhook().status_code == 200
    assert webhook().status_code == 200

    assert LosEvent.objects.count() == 1


def test_webhook_with_a_wrong_signature_is_refused_and_counted(los):
    assert webhook(**{"Elli-Signature": "AAAA"}).status_code == 401
    assert webhook(VECTOR["raw_body"] + " ").status_code == 401
    assert webhook(slug="nobodys").status_code == 401

    assert rejections() == {"bad_signature": 3}
    assert not LosEvent.objects.exists()


def test_webhook_signed_with_a_replaced_key_is_refused(los):
    los.webhook_keys = json.dumps(["RooftreeTest#AnotherKey!2026-abcdefgh"])
    los.save()

    assert webhook().status_code == 401


def test_webhook_of_another_instance_is_acknowledged_and_ignored(los):
    Connection.objects.filter(pk=los.pk).update(instance="BE99999999")

    assert webhook().status_code == 200
    assert not LosEvent.objects.exists()
