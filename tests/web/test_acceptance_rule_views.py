"""Acceptance rules of a source: set by staff, previewed, and applied to deliveries."""

import json

import pytest
from django.urls import reverse

from rooftree.capture.source_setup.acceptance_limits import parse_limits
from rooftree.capture.source_setup.manage_sources import hash_token
from rooftree.flow import clock
from rooftree.leads.models import Delivery, Lead
from rooftree.ledger.models import Event
from tests import make
from tests.flow import journey
from tests.web import webhook_client

LEAD = {"first_name": "Lena", "last_name": "Brooks", "phone_1": "8135550142",
        "reference": "lc-1", "price": "40"}  # fmt: skip
TYPED = {"licensed_only": "on", "duplicate_days": "30", "per_day": "40", "cents_per_month": "9,000"}


@pytest.fixture
def network(db):
    journey.set_up_company()
    return make.source(
        "leadconduit",
        name="LeadConduit",
        token="tok",
        token_hash=hash_token("tok"),
        secret="s3cret",
    )


@pytest.fixture
def clerk(signed_in, db):
    make.company()
    return signed_in(make.user("operations"))


def page(network, name="source_acceptance"):
    return reverse(name, args=[network.pk])


def send(**changes):
    return webhook_client.post(
        "/in/leadconduit/tok",
        json.dumps(LEAD | changes).encode(),
        **{"Content-Type": "application/json", "X-Api-Key": "s3cret"},
    )


def test_saved_limits_are_logged_and_apply_to_later_deliveries(clerk, network):
    answer = clerk.post(page(network), TYPED | {"required": ["loan_purpose"]})

    assert answer.status_code == 303
    network.refresh_from_db()
    limits = parse_limits(network.setup["acceptance"])
    assert (limits.licensed_only, limits.duplicate_days) == (True, 30)
    assert (dict(limits.leads), dict(limits.cents)) == ({"day": 40}, {"month": 900_000})
    assert Event.objects.filter(kind="capture.source.acceptance_changed").count() == 1
    refusal = send()
    assert refusal.status_code == 201
    assert refusal.json()["reason"] == "missing: the loan purpose"


def test_preview_shows_what_would_be_refused_and_saves_nothing(clerk, network):
    send()
    send(reference="lc-2", phone_1="8135550143")

    tried = clerk.post(page(network, "source_acceptance_trial"), TYPED | {"per_day": "1"})

    page_text = tried.content.decode()
    assert tried.status_code == 200
    assert "1 daily cap reached." in " ".join(page_text.split())
    assert "Their total cost was $40.00." in page_text
    assert 'value="9,000"' in page_text  # the typed value is still shown
    network.refresh_from_db()
    assert "acceptance" not in network.setup


def test_invalid_limits_show_an_error_and_change_nothing(clerk, network):
    for where in ("source_acceptance", "source_acceptance_trial"):
        answer = clerk.post(page(network, where), TYPED | {"per_day": "none"})
        assert answer.status_code == 422
        assert "Enter a whole number from 1" in answer.content.decode()
    network.refresh_from_db()
    assert "acceptance" not in network.setup


def test_page_says_whether_the_sender_gets_the_reason(clerk, network):
    assert "The vendor gets the reason." in clerk.get(page(network)).content.decode()
    zillow = journey.create_zillow()
    assert "agree on returns" in clerk.get(page(zillow)).content.decode()


def test_own_form_and_bidding_sources_have_no_acceptance_page(clerk, network):
    for other in (journey.create_website(), make.source("ping_post")):
        assert clerk.get(page(other)).status_code == 404


def test_refused_lead_is_listed_with_its_reason_and_can_be_accepted(clerk, network):
    network.setup = {"acceptance": {"required": ["loan_purpose"]}}
    network.save()
    send()
    refused = Delivery.objects.get()

    listed = clerk.get(reverse("source", args=[network.pk]), {"state": "refused"})
    assert "Missing the loan purpose." in listed.content.decode()
    single = clerk.get(reverse("delivery", args=[refused.pk])).content.decode()
    assert "The sender got the reason." in single
    assert "Accept anyway" in single

    with clock.freeze(make.NOON):
        clerk.post(reverse("replay", args=[refused.pk]))
    journey.run(make.NOON + make.MINUTE)
    assert Lead.objects.count() == 1
    listed = clerk.get(reverse("source", args=[network.pk]), {"state": "refused"})
    assert "No matches" in listed.content.decode()


def test_marketing_sees_refused_leads_and_cannot_accept_them(signed_in, network):
    network.setup = {"acceptance": {"required": ["loan_purpose"]}}
    network.save()
    send()
    refused = Delivery.objects.get()
    marketing = signed_in(make.user("marketing"))

    assert (
        "Accept anyway"
        not in marketing.get(reverse("delivery", args=[refused.pk])).content.decode()
    )
    assert marketing.post(reverse("replay", args=[refused.pk])).status_code == 403
    assert Delivery.objects.get().outcome == "not_accepted"
