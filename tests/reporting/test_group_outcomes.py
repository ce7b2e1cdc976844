"""The comparison itself, held against a slow one that shares nothing with it."""

import json
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.reporting.fair_lending_monitor.group_outcomes import (
    MIN_GROUP_SIZE,
    Group,
    Grouping,
    LeadOutcome,
    Measure,
    compare_groups,
    count_comparisons,
    minority_band,
)

WEEK = 7 * 24 * 60
SERVED = st.builds(
    LeadOutcome,
    language=st.sampled_from(["en", "es", "zh", ""]),
    minority_pct=st.sampled_from([None, 0.0, 9.99, 10.0, 55.0, 100.0]),
    minutes=st.one_of(st.none(), st.floats(0, 2 * WEEK)),
    first_offer=st.sampled_from([None, True, False]),
    worked=st.booleans(),
    handed_off=st.booleans(),
)


def served(language="en", *, number=MIN_GROUP_SIZE, minutes=10.0, pct=None, handed=0):
    return [
        LeadOutcome(
            language=language, minority_pct=pct, minutes=minutes, first_offer=True, worked=True,
            handed_off=nth < handed,
        )
        for nth in range(number)
    ]  # fmt: skip


def slow(leads, measure):
    """By language: what each group comes to, or None where it is too small; the reference."""
    groups = {}
    for lead in leads:
        waited = WEEK if lead.minutes is None else lead.minutes
        worth = {
            Measure.RESPONSE: 1.0 if waited < 1 else float(WEEK) if waited > WEEK else waited,
            Measure.FIRST_OFFER: lead.first_offer,
            Measure.WORKED: lead.worked,
            Measure.HANDED_OFF: lead.handed_off,
        }[measure]
        if worth is not None:
            groups.setdefault(lead.language, []).append(worth)
    figures = {
        name: None
        if len(some) < MIN_GROUP_SIZE
        else median(some)
        if measure is Measure.RESPONSE
        else sum(some) / len(some)
        for name, some in groups.items()
    }
    reference = [name for name in ("en", "es", "zh", "") if figures.get(name) is not None]
    return figures, reference[0] if reference else None


@given(
    leads=st.lists(SERVED, max_size=40), times=st.integers(1, 12), measure=st.sampled_from(Measure)
)
def test_groups_come_to_what_a_slow_count_says(leads, times, measure):
    leads = leads * times
    figures, reference = slow(leads, measure)

    found = {one.name: one for one in compare_groups(leads, measure)[Grouping.LANGUAGE]}

    assert found.keys() == figures.keys()
    for name, group in found.items():
        if figures[name] is None or reference is None:
            assert group == Group(name=name, is_small=True)
            continue
        assert group.value == pytest.approx(figures[name])
        assert group.low <= group.value <= group.high
        assert group.is_reference is (name == reference)
        if name == reference:
            assert group.ratio is None
            continue
        slower, faster = (
            (figures[name], figures[reference])
            if measure is Measure.RESPONSE
            else (figures[reference], figures[name])
        )
        if faster:
            assert group.ratio == pytest.approx(slower / faster)
            assert group.ratio_low <= group.ratio
            assert group.needs_review is (slower / faster > 1.25 + 1e-9)
        else:
            assert group.ratio == (None if slower else 1)
            assert group.needs_review is bool(slower)


@given(
    leads=st.lists(SERVED, max_size=30), times=st.integers(1, 8), measure=st.sampled_from(Measure)
)
def test_a_group_that_is_too_small_shows_nothing_of_itself(leads, times, measure):
    for groups in compare_groups(leads * times, measure).values():
        for group in groups:
            stored = json.loads(json.dumps(group.to_json()))
            assert Group(**stored) == group
            if group.is_small:
                shown = {key for key, value in stored.items() if value}
                assert shown <= {"name", "is_small"}
            else:
                assert group.leads >= MIN_GROUP_SIZE


@pytest.mark.parametrize(
    ("minutes", "needs_review"), [(12.5, False), (12.6, True), (8.0, False), (None, True)]
)
def test_a_ratio_above_one_and_a_quarter_needs_a_person(minutes, needs_review):
    leads = [*served("en", minutes=10.0), *served("es", minutes=minutes)]

    english, spanish = compare_groups(leads, Measure.RESPONSE)[Grouping.LANGUAGE]

    assert (english.is_reference, english.needs_review) == (True, False)
    assert spanish.needs_review is needs_review


@pytest.mark.parametrize(
    ("number", "is_small"), [(MIN_GROUP_SIZE - 1, True), (MIN_GROUP_SIZE, False)]
)
def test_one_lead_too_few_and_a_group_is_not_shown(number, is_small):
    leads = [*served("en"), *served("es", number=number)]

    spanish = compare_groups(leads, Measure.WORKED)[Grouping.LANGUAGE][1]

    assert spanish.is_small is is_small


def test_a_group_never_handed_off_differs_without_end():
    leads = [*served("en", number=40, handed=10), *served("es", number=40)]

    spanish = compare_groups(leads, Measure.HANDED_OFF)[Grouping.LANGUAGE][1]

    assert (spanish.value, spanish.ratio, spanish.needs_review) == (0, None, True)
    assert spanish.ratio_low > 0


def test_few_leads_may_be_chance_and_many_are_not():
    few = [*served("en", number=30, handed=9), *served("es", number=30, handed=6)]
    many = [*served("en", number=3000, handed=900), *served("es", number=3000, handed=600)]

    by_chance, not_by_chance = (
        compare_groups(leads, Measure.HANDED_OFF)[Grouping.LANGUAGE][1] for leads in (few, many)
    )

    assert by_chance.ratio == pytest.approx(1.5)
    assert not_by_chance.ratio == pytest.approx(1.5)
    assert (by_chance.may_be_chance, not_by_chance.may_be_chance) == (True, False)


def test_intervals_grow_with_the_number_of_comparisons():
    two = [*served("en", handed=15), *served("es", handed=15)]
    five = [*two, *served("zh"), *served("vi"), *served("ko")]

    one, several = compare_groups(two, Measure.HANDED_OFF), compare_groups(five, Measure.HANDED_OFF)

    assert (count_comparisons(one), count_comparisons(several)) == (1, 4)
    narrow, wide = (
        next(each for each in some[Grouping.LANGUAGE] if each.name == "es")
        for some in (one, several)
    )
    assert wide.ratio == narrow.ratio
    assert wide.ratio_low < narrow.ratio_low


def test_places_are_compared_with_those_of_the_smallest_share():
    leads = [
        *served(pct=9.99, minutes=5.0), *served(pct=10.0, minutes=6.0),
        *served(pct=100.0, minutes=9.0), *served(pct=None, minutes=90.0),
    ]  # fmt: skip

    found = compare_groups(leads, Measure.RESPONSE)[Grouping.PLACE]

    assert [(one.name, one.ratio, one.needs_review) for one in found] == [
        ("0–10%", None, False),
        ("10–20%", 1.2, False),
        ("80–100%", 1.8, True),
    ]


@pytest.mark.parametrize(
    ("pct", "band"),
    [(0, "0–10%"), (9.99, "0–10%"), (10, "10–20%"), (50, "50–80%"), (80, "80–100%"),
     (100, "80–100%")],
)  # fmt: skip
def test_a_share_falls_into_one_band(pct, band):
    assert minority_band(pct) == band
