"""The order in which a history is loaded, and what is told of it meanwhile."""

import json
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.reporting.first_screen.report_period import last_complete_period
from rooftree_demo.demo_staff import BRANCHES, LICENSED_STATES, OFFICERS
from rooftree_demo.history_plan import OLDER_PART, HistoryPlan, measure_progress
from rooftree_demo.invented_borrowers import invent_borrower
from rooftree_demo.lead_origins import HISTORY_MONTHS, ORIGINS, origins_in_month
from rooftree_demo.stories import history_start, month_number, plan_stories
from tests.demo.conftest import NOW

PLAN = HistoryPlan(began=NOW, count=30_000)
QUARTER = last_complete_period("quarter", NOW.date())


def test_every_story_is_in_one_part():
    numbers = [one.number for part in PLAN.by_part.values() for one in part]

    assert sorted(numbers) == list(range(30_000))


def test_the_first_part_is_a_fair_sample_of_all_that_the_first_screen_shows():
    first, recent = PLAN.by_part["layer0"], [story for story in plan_stories(now=NOW)]
    recent = [one for one in recent if one.at.date() >= QUARTER.from_date]

    assert min(one.at for one in first).date() <= QUARTER.from_date + timedelta(days=1)
    assert 0.8 < len(first) * PLAN.layers / len(recent) < 1.2
    assert {one.slug for one in first} == {one.slug for one in origins_in_month(HISTORY_MONTHS - 1)}


def test_older_months_come_newest_first_so_that_no_gap_is_ever_left():
    moments = [one.at for one in PLAN.by_part[OLDER_PART]]

    assert moments == sorted(moments, reverse=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400))
def test_progress_counts_what_is_told_and_names_what_is_not(told):
    plan = HistoryPlan(began=NOW, count=400)
    order = [str(one.number) for part in plan.by_part.values() for one in part]

    now = measure_progress(plan, order[:told])

    assert (now.told, now.is_done) == (told, told == 400)
    assert now.is_done or 0 <= now.pct < 100
    assert json.loads(now.as_json())["of"] == 400


def test_the_parts_together_cost_what_the_months_cost_and_a_small_history_costs_less():
    small = HistoryPlan(began=NOW, count=3_000)

    def months(plan: HistoryPlan) -> float:
        return sum(plan.ad_months(part) for part in plan.by_part for _ in plan.spans(part))

    assert 18 < months(PLAN) < 20
    assert 1.8 < months(small) < 2.0


def test_a_plan_is_kept_and_a_home_of_an_earlier_release_keeps_its_own(tmp_path):
    made = HistoryPlan.load_or_create(tmp_path, count=2_000)
    assert HistoryPlan.load_or_create(tmp_path, count=30_000) == made

    (tmp_path / "began.json").write_text(json.dumps(NOW.isoformat()))

    assert HistoryPlan.load_or_create(tmp_path, count=2_000).parts == []


def test_a_source_sends_leads_in_its_months_alone():
    first = history_start(NOW.date())
    for story in plan_stories(now=NOW):
        used = origins_in_month(month_number((story.at + timedelta(days=8)).date(), first))
        assert story.slug in {
            one.slug for one in (*used, *origins_in_month(month_number(story.at.date(), first)))
        }


def test_twelve_sources_six_branches_in_two_regions_and_forty_officers():
    assert len(ORIGINS) == len({origin.slug for origin in ORIGINS}) == 12
    assert (len(BRANCHES), len({branch.region for branch in BRANCHES})) == (6, 2)
    assert len(OFFICERS) == len({officer.login for officer in OFFICERS}) == 40
    assert {officer.branch for officer in OFFICERS} == {branch.name for branch in BRANCHES}
    assert all(set(officer.states) <= set(LICENSED_STATES) for officer in OFFICERS)
    assert all(officer.backup in {two.last for two in OFFICERS} for officer in OFFICERS)


def test_no_two_borrowers_share_a_number_or_an_address():
    people = [invent_borrower(story.rng(), story.number) for story in plan_stories(now=NOW)]

    assert (
        len({person.phone for person in people})
        == len({person.email for person in people})
        == 30_000
    )
    assert {person.phone[3:6] for person in people} == {"555"}


def test_who_comes_to_the_spanish_site_speaks_spanish():
    es = [story for story in plan_stories(now=NOW) if story.slug == "our-site-es"][:50]

    assert {invent_borrower(one.rng(), one.number, language="es").language for one in es} == {"es"}
