"""A vendor's credit score is stored only with a permissible purpose on file."""

from pathlib import Path

import pytest
from django.urls import reverse
from django.utils.timezone import localdate, now

from rooftree.compliance.models import SourceTerms
from rooftree.leads.models import Lead, Source, Touch
from rooftree.ledger.models import Event
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
POST = Path(__file__).parents[1] / "capture/deliveries/lendingtree/more_02_json_purchase/body.json"
PATH = "/in/lendingtree/{token}"
WORDS = "I instruct LendingTree to obtain my report and to share it with lenders."


@pytest.fixture
def lendingtree() -> Source:
    journey.set_up_company(states=("CO", "FL"))
    token = "lt-test-path-token-19bc"
    return make.source("lendingtree", token=token, token_hash=journey._sha256(token))


@pytest.fixture
def record(signed_in):
    """Submit the source terms form as compliance fills it in today."""

    def post(source: Source, *, by: str = "compliance", **typed: str):
        page = reverse("source_terms", args=[source.pk])
        return signed_in(make.user(by)).post(page, {"from_date": localdate().isoformat(), **typed})

    return post


def deliver(source: Source) -> Lead:
    return journey.deliver(
        source, POST.read_bytes(), path=PATH.format(token=source.token), at=now()
    )


def test_vendor_credit_data_without_a_permissible_purpose_is_dropped_and_logged(
    lendingtree, signed_in
):
    lead = deliver(lendingtree)

    assert lead.credit_band == ""
    stored_credit = Touch.objects.get().inquiry["credit"]
    assert stored_credit == {"bankruptcy": True, "foreclosure": False}  # the borrower's own answers
    assert lead.details["credit"] == stored_credit
    event = Event.objects.get(kind="compliance.credit_data.refused")
    assert (event.lead_id, event.data["rule"], event.data["reason"]) == (
        lead.pk, "FCR-01", "no_permissible_purpose",
    )  # fmt: skip
    page = signed_in(make.user("compliance")).get(reverse("application", args=[lead.pk]))
    assert f"Credit data from {lendingtree.name} was discarded" in page.text


@pytest.mark.parametrize("purpose", ["instructions", "application"])
def test_vendor_credit_data_with_a_recorded_purpose_is_stored(lendingtree, record, purpose):
    answer = record(lendingtree, report_purpose=purpose, report_words=WORDS)
    assert answer.status_code == 303, answer.text

    lead = deliver(lendingtree)

    assert lead.credit_band == "good"
    assert lead.details["credit"]["score_low"] == 720
    assert not Event.objects.filter(kind="compliance.credit_data.refused").exists()
    noted = Event.objects.get(kind="compliance.source_terms.recorded")
    assert noted.data["report_purpose"] == purpose


def test_permissible_purpose_requires_the_consumers_own_wording(lendingtree, record):
    answer = record(lendingtree, report_purpose="instructions")

    assert answer.status_code == 422
    assert "Copy the words that the consumer signs" in answer.text
    assert not SourceTerms.objects.exists()
    assert deliver(lendingtree).credit_band == ""


def test_only_compliance_can_record_a_permissible_purpose(lendingtree, record):
    answer = record(lendingtree, by="officer", report_purpose="instructions", report_words=WORDS)

    assert answer.status_code in (403, 404)
    assert not SourceTerms.objects.exists()


def test_bureau_data_needs_a_firm_offer_even_where_it_looks_self_reported():
    journey.set_up_company()
    zillow = journey.create_zillow()
    zillow.terms.update(source_class="cra_trigger")
    refused = journey.deliver(zillow, journey.zillow_contact())
    assert refused.credit_band == ""
    assert "credit" not in Touch.objects.get().inquiry

    SourceTerms.objects.update(is_firm_offer=True, criteria="Score 700 or more, owns a home")
    body = journey.zillow_contact(
        sender={"emailAddress": "mei@home.example", "phoneNumber": "8135550177"}
    )
    journey.deliver(zillow, body)

    assert Event.objects.filter(kind="compliance.credit_data.refused").count() == 1


def test_self_reported_credit_is_not_a_consumer_report():
    journey.set_up_company()
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())

    assert lead.credit_band != ""
    assert not Event.objects.filter(kind="compliance.credit_data.refused").exists()
