"""A source over its per-minute limit is asked to retry later, and staff see it."""

import json

import pytest

from rooftree.capture.intake import source_admission
from rooftree.flow import clock
from rooftree.leads.models import Delivery
from tests import make
from tests.flow import journey
from tests.web.webhook_client import post

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited_source():
    """Zillow with a limit of ten deliveries a minute, in a freshly started process."""
    source_admission.reset_counts()
    yield journey.create_zillow(per_minute=10)
    source_admission.reset_counts()


def test_flood_gets_retry_later_and_no_acknowledged_delivery_is_lost(limited_source):
    kind = {"Content-Type": "application/json"}
    answers = [
        post(f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()).encode(), **kind)
        for _ in range(13)
    ]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [200] * 10 + [429] * 3
    assert Delivery.objects.count() == 10
    assert answers[-1]["Retry-After"] == str(source_admission.RETRY_AFTER_SECONDS)
    assert answers[-1].json() == {
        "error": "try_again",
        "retry_after_seconds": source_admission.RETRY_AFTER_SECONDS,
    }


def test_flood_at_one_source_does_not_limit_another(limited_source):
    site = journey.create_website()
    for _ in range(12):
        post(f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()).encode())

    body = json.dumps(journey.form_post()).encode()
    answer = post(f"/in/form/{site.slug}", body, Origin=site.allowed_origins[0])

    assert answer.status_code == 200


def test_flood_is_shown_on_the_sources_page(limited_source, signed_in):
    for _ in range(12):
        post(f"/in/zillow/{journey.TOKEN}", json.dumps(journey.zillow_contact()).encode())
    browser = signed_in(make.user("operations"))

    with clock.freeze(make.NOON + make.MINUTE):
        pages = [browser.get(path) for path in ("/sources/", f"/sources/{limited_source.pk}/")]

    assert b"Over limit" in pages[0].content
    page = pages[1].content.decode()
    assert "asked to retry" in page
    assert "10 per minute" in page
