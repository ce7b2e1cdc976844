"""The demo has do-not-call registries, and every start loads the day's copy."""

from datetime import timedelta

import pytest

from rooftree.compliance.do_not_call import number_lookup
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import DncArea
from rooftree_demo import demo_staff, dnc_registry_data
from tests import make

pytestmark = pytest.mark.django_db


def test_every_number_is_listed_or_not_listed() -> None:
    dnc_registry_data.load_todays_lists(at=make.NOON)

    own = STATES_WITH_OWN_DNC_LIST & set(demo_staff.LICENSED_STATES)
    assert set(DncArea.objects.values_list("registry", flat=True)) == {"US", *own}
    lookups = [number_lookup.look_up_number(f"+1813555{line:04}")[0] for line in range(40, 90)]
    assert {lookup.registry for lookup in lookups} == {"US"}
    assert {lookup.is_listed for lookup in lookups} == {True, False}


def test_next_start_loads_the_days_copy() -> None:
    dnc_registry_data.load_todays_lists(at=make.NOON)
    dnc_registry_data.load_todays_lists(at=make.NOON)  # started twice on one day
    dnc_registry_data.load_todays_lists(at=make.NOON + timedelta(days=1))
    days = set(DncArea.objects.values_list("dated", flat=True))
    assert days == {make.NOON.date() + timedelta(days=1)}
