"""The source cache of a web process never serves an outdated source."""

import json

import pytest

from rooftree.capture.intake import source_admission
from rooftree.capture.source_setup.manage_sources import pause_source, resume_source
from rooftree.leads.models import Delivery, RejectionCount, Source
from tests import make
from tests.flow import journey
from tests.web.webhook_client import post

pytestmark = pytest.mark.django_db


@pytest.fixture
def cached_source():
    """Return a source that this process has cached by receiving a post."""
    source_admission.reset_counts()
    source = journey.create_zillow()
    assert post_delivery().status_code == 200
    assert source_admission.cached_source("zillow", journey.TOKEN) == source
    yield source
    source_admission.reset_counts()


def post_delivery(**headers):
    body = json.dumps(journey.zillow_contact()).encode()
    return post(f"/in/zillow/{journey.TOKEN}", body, **headers)


def test_paused_source_accepts_nothing(cached_source):
    pause_source(source_id=cached_source.pk, by=make.user("operations"), at=make.NOON)

    assert post_delivery().status_code == 401
    assert Delivery.objects.count() == 1

    resume_source(source_id=cached_source.pk, by=make.user("operations"), at=make.NOON)
    assert post_delivery().status_code == 200


def test_replaced_url_accepts_nothing(cached_source):
    Source.objects.filter(pk=cached_source.pk).update(token="another", token_hash="0" * 64)

    assert post_delivery().status_code == 401
    assert RejectionCount.objects.get().reason == "unknown_token"


def test_raised_limit_accepts_next_delivery(cached_source):
    Source.objects.filter(pk=cached_source.pk).update(per_minute=1)
    assert post_delivery().status_code == 429

    Source.objects.filter(pk=cached_source.pk).update(per_minute=10)

    assert post_delivery().status_code == 200


def test_delivery_is_read_by_newest_setup(cached_source):
    Source.objects.filter(pk=cached_source.pk).update(is_test=True)

    assert post_delivery().status_code == 200

    assert Delivery.objects.filter(outcome="accepted_test").count() == 1


def test_replaced_secret_applies_at_once():
    token, headers = "gen-token-6b1d", {"Content-Type": "application/json"}
    source = make.source(
        "generic",
        token=token,
        token_hash=journey._sha256(token),
        secret="the old one",
        setup={"proof": "header"},
    )
    body = json.dumps({"email": "ben@home.example", "first_name": "Ben"}).encode()
    path = f"/in/generic/{token}"
    assert post(path, body, **headers, **{"X-Api-Key": "the old one"}).status_code < 300

    source.secret = "the new one"
    source.save()

    assert post(path, body, **headers, **{"X-Api-Key": "the old one"}).status_code in (401, 403)
    source_admission.look_up_source("generic", token)
    source.secret = "the newest"
    source.save()
    assert post(path, body, **headers, **{"X-Api-Key": "the newest"}).status_code < 300
