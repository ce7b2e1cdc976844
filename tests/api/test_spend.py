"""Ad spend by API: booked once per idempotency key, all entries of a call or none."""

from datetime import date, timedelta

import pytest
from django.test import Client

from rooftree.leads.models import Campaign
from rooftree.money.models import Entry
from rooftree.org import api_keys
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOON)
    make.company()
    make.source("google_lead_form", name="Google Ads", slug="google-ads")
    user = make.user("marketing", name="Kit Moss")
    _, secret = api_keys.create_api_key(
        name="Ad report", user=user, scopes=["spend:write"], lasts=timedelta(days=1), by=user,
        at=make.NOON,
    )  # fmt: skip

    def post(*entries):
        return Client().post(
            "/api/v1/spend", {"entries": entries}, content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )  # fmt: skip

    return post


def spend(key="1", **changes):
    return {
        "idempotency_key": key, "source": "google-ads", "campaign": "Refi", "date": "2026-11-01",
        "amount_cents": 12_34, **changes,
    }  # fmt: skip


def test_spend_is_booked_once_per_key_and_all_or_nothing(send):
    first = send(spend(), spend("2", amount_cents=5))
    again = send(spend(), spend("2", amount_cents=5))
    conflict = send(spend("3"), spend("1", amount_cents=99))
    moved = send(spend("1", date="2026-11-02"))
    future = send(spend("4", date="2027-01-01"))
    unknown = send(spend("5", source="nobody"))
    negative = send(spend("6", amount_cents=-1))

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert [answer.status_code for answer in (conflict, moved, future, unknown, negative)] == [
        409,
        409,
        400,
        404,
        422,
    ]
    assert list(
        Entry.objects.order_by("-amount_cents").values_list("amount_cents", "on_date", "basis")
    ) == [(12_34, date(2026, 11, 1), "ad_spend"), (5, date(2026, 11, 1), "ad_spend")]
    assert Entry.objects.first().booked_by.name == "Kit Moss"
    assert Campaign.objects.get().name == "Refi"
