"""The officers of the live market."""

from datetime import UTC, datetime

import pytest

from rooftree.org import officer_availability
from rooftree.org.models import LoanOfficer
from rooftree.routing import missed_offers
from rooftree_demo.live_staff import OfferTakers
from tests import make


@pytest.mark.django_db
def test_officer_who_missed_offers_takes_leads_again(cast):
    officer_availability.pause_officer(
        officer_id=cast.dana.pk, by=None, at=datetime.now(UTC) - make.DAY, until=None,
        reason=missed_offers.load_rule().phrase,
    )  # fmt: skip

    OfferTakers().act()

    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None
