"""The order in which a history is loaded, and its reported progress."""

import json
from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.reporting.first_screen.report_period import last_complete_period
from rooftree_demo.demo_staff import BRANCHES, LICENSED_STATES, OFFICERS
from rooftree_demo.history_plan import OLDER_PART, HistoryPlan, measure_progress
from rooftree_demo.invented_borrowers import invent_borrower
from rooftree_demo.lead_origins import HISTORY_MONTHS, ORIGINS, origins_in_month
from rooftree_demo.load_history import DEFAULT_LEADS
from rooftree_demo.stories import Fate, history_start, month_number, plan_stories
from tests.demo.conftest import NOW

PLAN = HistoryPlan(began=NOW, count=30_000)
QUARTER = last_complete_period("quarter", NOW.date())


def test_every_story_is_in_exactly_one_part():
    numbers = [story.number for part in PLAN.by_part.values() for story in part]

    assert sorted(numbers) == list(range(30_000))


def test_first_layer_is_fair_sample_of_recent_leads():
    first, recent = PLAN.by_part["layer0"], [story for story in plan_stories(now=NOW)]
    recent = [story for story in recent if story.at.date() >= QUARTER.from_date]

    assert min(story.at for story in first).date() <= QUARTER.from_date + timedelta(days=1)
    assert 0.8 < len(first) * PLAN.layers / len(recent) < 1.2
    slugs = {origin.slug for origin in origins_in_month(HISTORY_MONTHS - 1)}
    assert {story.slug for story in first} == slugs


def test_older_months_are_loaded_newest_first():
    moments = [story.at for story in PLAN.by_part[OLDER_PART]]

    assert moments == sorted(moments, reverse=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400))
def test_progress_counts_loaded_leads(count):
    plan = HistoryPlan(began=NOW, count=400)
    order = [str(story.number) for part in plan.by_part.values() for story in part]

    progress = measure_progress(plan, order[:count])

    assert (progress.loaded, progress.is_done) == (count, count == 400)
    assert progress.is_done or 0 <= progress.pct < 100
    assert json.loads(progress.as_json())["of"] == 400


def test_advertising_costs_add_up_and_scale_with_history_size():
    small = HistoryPlan(began=NOW, count=3_000)

    def months(plan: HistoryPlan) -> float:
        return sum(plan.ad_months(part) for part in plan.by_part for _ in plan.spans(part))

    assert 18 < months(PLAN) < 20
    assert 1.8 < months(small) < 2.0


def test_plan_is_kept_and_earlier_release_loads_no_history(tmp_path):
    plan = HistoryPlan.load_or_create(tmp_path, count=2_000)
    assert HistoryPlan.load_or_create(tmp_path, count=30_000) == plan

    (tmp_path / "began.json").write_text(json.dumps(NOW.isoformat()))

    assert HistoryPlan.load_or_create(tmp_path, count=2_000).parts == []


def test_usual_history_is_the_beginning_of_the_largest_and_covers_every_month():
    usual = plan_stories(now=NOW, count=DEFAULT_LEADS)
    by_number = {story.number: story for story in plan_stories(now=NOW)}

    assert all(by_number[story.number] == story for story in usual)
    months = Counter(f"{story.at:%Y-%m}" for story in usual[:-1])
    assert len(months) == HISTORY_MONTHS + 1
    assert min(months.values()) > 50
    assert {story.slug for story in usual} == {origin.slug for origin in ORIGINS}
    assert sum(story.fate is Fate.FUNDED for story in usual) > 66


def test_source_sends_leads_only_in_its_months():
    first = history_start(NOW.date())
    for story in plan_stories(now=NOW):
        used = origins_in_month(month_number((story.at + timedelta(days=8)).date(), first))
        assert story.slug in {
            origin.slug
            for origin in (*used, *origins_in_month(month_number(story.at.date(), first)))
        }


def test_demo_has_twelve_sources_six_branches_and_forty_officers():
    assert len(ORIGINS) == len({origin.slug for origin in ORIGINS}) == 12
    assert (len(BRANCHES), len({branch.region for branch in BRANCHES})) == (6, 2)
    assert len(OFFICERS) == len({officer.login for officer in OFFICERS}) == 40
    assert {officer.branch for officer in OFFICERS} == {branch.name for branch in BRANCHES}
    assert all(set(officer.states) <= set(LICENSED_STATES) for officer in OFFICERS)
    last_names = {officer.last for officer in OFFICERS}
    assert all(officer.backup in last_names for officer in OFFICERS)


def test_no_two_borrowers_share_a_phone_number_or_email():
    people = [invent_borrower(story.rng(), story.number) for story in plan_stories(now=NOW)]

    assert (
        len({person.phone for person in people})
        == len({person.email for person in people})
        == 30_000
    )
    assert {person.phone[3:6] for person in people} == {"555"}


def test_visitors_of_spanish_site_speak_spanish():
    es = [story for story in plan_stories(now=NOW) if story.slug == "our-site-es"][:50]

    borrowers = [invent_borrower(story.rng(), story.number, language="es") for story in es]
    assert {borrower.language for borrower in borrowers} == {"es"}
