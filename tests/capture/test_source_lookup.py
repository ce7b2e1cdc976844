"""A web process that remembers a source never goes by what the source was before."""

import json

import pytest

from rooftree.capture.intake import flood_limits, source_lookup
from rooftree.capture.source_setup.manage_sources import pause_source, resume_source
from rooftree.leads.models import Delivery, RejectionCount, Source
from tests import make
from tests.flow import journey
from tests.web.machine import post

pytestmark = pytest.mark.django_db


@pytest.fixture
def known():
    """A source that this process has just taken a post of."""
    flood_limits.reset_counts()
    source = journey.zillow()
    assert delivered().status_code == 200
    assert source_lookup.cached_source("zillow", journey.TOKEN) == source
    yield source
    flood_limits.reset_counts()


def delivered(**headers):
    body = json.dumps(journey.zillow_contact()).encode()
    return post(f"/in/zillow/{journey.TOKEN}", body, **headers)


def test_a_source_that_was_paused_takes_nothing_more(known):
    pause_source(source_id=known.pk, by=make.user("operations"), at=make.NOON)

    assert delivered().status_code == 401
    assert Delivery.objects.count() == 1

    resume_source(source_id=known.pk, by=make.user("operations"), at=make.NOON)
    assert delivered().status_code == 200


def test_an_address_that_was_replaced_opens_nothing_more(known):
    Source.objects.filter(pk=known.pk).update(token="another", token_hash="0" * 64)

    assert delivered().status_code == 401
    assert RejectionCount.objects.get().reason == "unknown_token"


def test_a_limit_that_was_raised_lets_the_next_one_in(known):
    Source.objects.filter(pk=known.pk).update(per_minute=1)
    assert delivered().status_code == 429

    Source.objects.filter(pk=known.pk).update(per_minute=10)

    assert delivered().status_code == 200


def test_a_delivery_is_read_by_what_the_source_was_told_last(known):
    Source.objects.filter(pk=known.pk).update(is_test=True)

    assert delivered().status_code == 200

    assert Delivery.objects.filter(outcome="accepted_test").count() == 1


def test_a_secret_that_was_replaced_proves_a_sender_at_once():
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
    source_lookup.look_up_source("generic", token)
    source.secret = "the newest"
    source.save()
    assert post(path, body, **headers, **{"X-Api-Key": "the newest"}).status_code < 300
