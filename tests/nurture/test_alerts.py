from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rooftree.nurture.alerts import by_day
from tests import make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T19:59", "2026-11-23T19:59"),
        ("2026-11-23T20:00", "2026-11-24T08:00"),
        ("2026-11-23T07:59", "2026-11-23T08:00"),
        ("2026-10-31T23:00", "2026-11-01T08:00"),  # the clocks go back overnight
        ("2027-03-13T23:00", "2027-03-14T08:00"),  # and forward
    ],
)
def test_good_news_waits_for_the_morning_at_the_property(asked, answered):
    there = ZoneInfo("America/New_York")
    lead = make.lead(property_state="FL", property_zip="33602")

    due = by_day(lead, datetime.fromisoformat(asked).replace(tzinfo=there), make.company())

    assert due == datetime.fromisoformat(answered).replace(tzinfo=there)
