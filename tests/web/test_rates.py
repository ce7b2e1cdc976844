from decimal import Decimal

import pytest

from rooftree.rates import rate_watch
from rooftree.rates.models import RateObservation, RateWatch
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
SHEET = {
    "product": "30yr_fixed",
    "rate_pct": "5.990",
    "apr_pct": "6.120",
    "points": "0.5",
    "sheet": "House sheet",
}


def test_recorded_rate_is_on_the_sheet_and_triggers_rate_watches(client):
    journey.set_up_company()
    lead = make.lead()
    rate_watch.set_watch(
        lead=lead, product="30yr_fixed", target_pct=Decimal("6.000"), by=None, at=make.NOON
    )
    client.force_login(make.user("operations"))

    client.post("/rates/", SHEET)

    assert RateWatch.objects.get().reached_at
    page = client.get("/rates/").content.decode()
    assert "5.990%" in page
    assert "House sheet" in page


def test_invalid_rate_is_reported_at_its_field_and_keeps_the_typed_values(client):
    client.force_login(make.user("marketing"))

    answer = client.post("/rates/", SHEET | {"rate_pct": "59.9"})

    assert answer.status_code == 422
    assert 'value="59.9"' in answer.content.decode()
    assert not RateObservation.objects.exists()


def test_officer_sees_the_rate_sheet_and_cannot_change_it(client):
    client.force_login(make.officer().user)

    assert "Record a rate" not in client.get("/rates/").content.decode()
    assert client.post("/rates/", SHEET).status_code == 403
