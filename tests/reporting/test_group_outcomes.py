"""Group comparison, checked against a slow version that shares no code with it."""

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
OUTCOMES = st.builds(
    LeadOutcome,
    language=st.sampled_from(["en", "es", "zh", ""]),
    minority_pct=st.sampled_from([None, 0.0, 9.99, 10.0, 55.0, 100.0]),
    minutes=st.one_of(st.none(), st.floats(0, 2 * WEEK)),
    first_offer=st.sampled_from([None, True, False]),
    worked=st.booleans(),
    handed_off=st.booleans(),
)


def outcomes(language="en", *, number=MIN_GROUP_SIZE, minutes=10.0, pct=None, handed=0):
    return [
        LeadOutcome(
            language=language, minority_pct=pct, minutes=minutes, first_offer=True, worked=True,
            handed_off=index < handed,
        )
        for index in range(number)
    ]  # fmt: skip


def reference_figures(leads, measure):
    """Return the figure of each language group (None if too small), and the reference group."""
    groups = {}
    for lead in leads:
        waited = WEEK if lead.minutes is None else lead.minutes
        value = {
            Measure.RESPONSE: 1.0 if waited < 1 else float(WEEK) if waited > WEEK else waited,
            Measure.FIRST_OFFER: lead.first_offer,
            Measure.WORKED: lead.worked,
            Measure.HANDED_OFF: lead.handed_off,
        }[measure]
        if value is not None:
            groups.setdefault(lead.language, []).append(value)
    figures = {
        name: None
        if len(values) < MIN_GROUP_SIZE
        else median(values)
        if measure is Measure.RESPONSE
        else sum(values) / len(values)
        for name, values in groups.items()
    }
    reference = [name for name in ("en", "es", "zh", "") if figures.get(name) is not None]
    return figures, reference[0] if reference else None


@given(
    leads=st.lists(OUTCOMES, max_size=40),
    times=st.integers(1, 12),
    measure=st.sampled_from(Measure),
)
def test_comparison_equals_a_slow_recount(leads, times, measure):
    leads = leads * times
    figures, reference = reference_figures(leads, measure)

    groups = {group.name: group for group in compare_groups(leads, measure)[Grouping.LANGUAGE]}

    assert groups.keys() == figures.keys()
    for name, group in groups.items():
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
    leads=st.lists(OUTCOMES, max_size=30), times=st.integers(1, 8), measure=st.sampled_from(Measure)
)
def test_small_group_stores_only_its_name(leads, times, measure):
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
def test_ratio_above_1_25_needs_review(minutes, needs_review):
    leads = [*outcomes("en", minutes=10.0), *outcomes("es", minutes=minutes)]

    english, spanish = compare_groups(leads, Measure.RESPONSE)[Grouping.LANGUAGE]

    assert (english.is_reference, english.needs_review) == (True, False)
    assert spanish.needs_review is needs_review


@pytest.mark.parametrize(
    ("number", "is_small"), [(MIN_GROUP_SIZE - 1, True), (MIN_GROUP_SIZE, False)]
)
def test_group_below_minimum_size_is_not_shown(number, is_small):
    leads = [*outcomes("en"), *outcomes("es", number=number)]

    spanish = compare_groups(leads, Measure.WORKED)[Grouping.LANGUAGE][1]

    assert spanish.is_small is is_small


def test_group_never_handed_off_has_infinite_ratio():
    leads = [*outcomes("en", number=40, handed=10), *outcomes("es", number=40)]

    spanish = compare_groups(leads, Measure.HANDED_OFF)[Grouping.LANGUAGE][1]

    assert (spanish.value, spanish.ratio, spanish.needs_review) == (0, None, True)
    assert spanish.ratio_low > 0


def test_difference_may_be_chance_only_with_few_leads():
    few = [*outcomes("en", number=30, handed=9), *outcomes("es", number=30, handed=6)]
    many = [*outcomes("en", number=3000, handed=900), *outcomes("es", number=3000, handed=600)]

    by_chance, not_by_chance = (
        compare_groups(leads, Measure.HANDED_OFF)[Grouping.LANGUAGE][1] for leads in (few, many)
    )

    assert by_chance.ratio == pytest.approx(1.5)
    assert not_by_chance.ratio == pytest.approx(1.5)
    assert (by_chance.may_be_chance, not_by_chance.may_be_chance) == (True, False)


def test_intervals_widen_with_more_comparisons():
    two = [*outcomes("en", handed=15), *outcomes("es", handed=15)]
    five = [*two, *outcomes("zh"), *outcomes("vi"), *outcomes("ko")]

    single = compare_groups(two, Measure.HANDED_OFF)
    several = compare_groups(five, Measure.HANDED_OFF)

    assert (count_comparisons(single), count_comparisons(several)) == (1, 4)
    narrow, wide = (
        next(group for group in groups[Grouping.LANGUAGE] if group.name == "es")
        for groups in (single, several)
    )
    assert wide.ratio == narrow.ratio
    assert wide.ratio_low < narrow.ratio_low


def test_places_are_compared_with_the_lowest_band():
    leads = [
        *outcomes(pct=9.99, minutes=5.0), *outcomes(pct=10.0, minutes=6.0),
        *outcomes(pct=100.0, minutes=9.0), *outcomes(pct=None, minutes=90.0),
    ]  # fmt: skip

    bands = compare_groups(leads, Measure.RESPONSE)[Grouping.PLACE]

    assert [(band.name, band.ratio, band.needs_review) for band in bands] == [
        ("0–10%", None, False),
        ("10–20%", 1.2, False),
        ("80–100%", 1.8, True),
    ]


@pytest.mark.parametrize(
    ("pct", "band"),
    [(0, "0–10%"), (9.99, "0–10%"), (10, "10–20%"), (50, "50–80%"), (80, "80–100%"),
     (100, "80–100%")],
)  # fmt: skip
def test_share_falls_into_one_band(pct, band):
    assert minority_band(pct) == band
