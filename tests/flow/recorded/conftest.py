"""Fixtures: an officer whose calls go through the carrier, and a company that records them."""

import pytest

from rooftree.outreach.calls import call_recordings
from tests import make
from tests.flow import journey
from tests.flow.recorded.telephone import BEN


@pytest.fixture
def dana(world):
    officer = make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    world.officer_behaves(officer.phone, answer_after_s=2, digits=["1"], talk_s=300)
    world.officer_behaves(BEN, answer_after_s=2, talk_s=300)
    journey.create_zillow()
    return officer


@pytest.fixture
def recorded(world, dana):
    """Switch on call recording for the company."""
    call_recordings.switch_recording(is_on=True, by=make.user("compliance"), at=make.NOON)
    return dana
