"""The demo's country keeps do-not-call registries, and every start loads the day's copy."""

from datetime import timedelta

import pytest

from rooftree.compliance import listed
from rooftree.compliance.models import DncArea
from rooftree.compliance.rulebook import SEPARATE_LISTS
from rooftree_demo import do_not_call, staff
from tests import make

pytestmark = pytest.mark.django_db


def test_every_number_of_the_country_is_known_as_listed_or_not() -> None:
    do_not_call.bring_up_to_date(at=make.NOON)

    own = SEPARATE_LISTS & set(staff.STATES)
    assert set(DncArea.objects.values_list("registry", flat=True)) == {"US", *own}
    said = [listed.says(f"+1813555{line:04}")[0] for line in range(40, 90)]
    assert {one.registry for one in said} == {"US"}
    assert {one.is_listed for one in said} == {True, False}


def test_the_next_days_copy_is_as_fresh_as_the_day() -> None:
    do_not_call.bring_up_to_date(at=make.NOON)
    do_not_call.bring_up_to_date(at=make.NOON)  # started twice on a day
    do_not_call.bring_up_to_date(at=make.NOON + timedelta(days=1))
    days = set(DncArea.objects.values_list("dated", flat=True))
    assert days == {make.NOON.date() + timedelta(days=1)}
