from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from rooftree.nurture import borrower_alerts
from rooftree.nurture.borrower_alerts import next_daytime
from rooftree.outreach.models import Message
from rooftree.rates.models import RateObservation, RateWatch
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("queued_at", "expected"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T19:59", "2026-11-23T19:59"),
        ("2026-11-23T20:00", "2026-11-24T08:00"),
        ("2026-11-23T07:59", "2026-11-23T08:00"),
        ("2026-10-31T23:00", "2026-11-01T08:00"),  # the clocks go back overnight
        ("2027-03-13T23:00", "2027-03-14T08:00"),  # and forward
    ],
)
def test_alert_waits_for_morning_at_property(queued_at, expected):
    zone = ZoneInfo("America/New_York")
    lead = make.lead(property_state="FL", property_zip="33602")

    due_at = next_daytime(
        lead, datetime.fromisoformat(queued_at).replace(tzinfo=zone), make.company()
    )

    assert due_at == datetime.fromisoformat(expected).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "On November 24 our rate sheet"), ("es", "El 24 de noviembre nuestra")],
)
def test_rate_alert_shows_company_date_in_borrowers_language(language, day):
    journey.set_up_company(zone="America/New_York")
    lead = make.lead(person=make.person(language=language))
    watch = RateWatch.objects.create(
        lead=lead, product="30yr_fixed", target_pct=Decimal("6.000"), set_at=make.NOON
    )
    observation = RateObservation.objects.create(
        product="30yr_fixed",
        rate_pct=Decimal("5.990"),
        apr_pct=Decimal("6.120"),
        points=Decimal("0.500"),
        observed_at=datetime(2026, 11, 25, 4, 30, tzinfo=UTC),  # 23:30 of the 24th in New York
        recorded_at=make.NOON,
    )

    for _ in range(2):
        borrower_alerts.queue_rate_alert(watch=watch, observation=observation, at=make.NOON)

    letter = Message.objects.get(lead=lead, medium="email")
    assert day in letter.body
    assert "5.990% (APR 6.120%)" in letter.body
