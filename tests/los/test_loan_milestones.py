"""Milestones of a loan: new, inferred and returned steps."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.los.loan_milestones import (
    EVERY_LOAN_PASSES,
    NEVER_ANNOUNCED,
    NewStep,
    ObservedStep,
    RecordedStep,
    all_milestones,
    find_new_steps,
    highest_milestone,
    is_funnel,
)

MAY_4, MAY_9, MAY_20 = date(2026, 5, 4), date(2026, 5, 9), date(2026, 5, 20)


def observe(code: str, on: date | None = None) -> ObservedStep:
    return ObservedStep(code=code, on=on, source_status="in a test")


def as_recorded(events: tuple[NewStep, ...]) -> list[RecordedStep]:
    return [RecordedStep(code=e.code, on=e.on, is_inferred=e.is_inferred) for e in events]


def test_first_step_is_recorded_with_the_los_date():
    steps = find_new_steps(
        [], [observe("lead_in_los", MAY_4)], previous_milestone="", current_milestone="lead_in_los"
    )

    assert [(step.code, step.on, step.is_inferred) for step in steps] == [
        ("lead_in_los", MAY_4, False)
    ]


def test_later_step_infers_earlier_ones_without_dates():
    steps = find_new_steps(
        [], [observe("clear_to_close", MAY_20)], previous_milestone="", current_milestone=""
    )

    inferred = [step.code for step in steps if step.is_inferred]
    assert inferred == [
        "lead_in_los",
        "application",
        "processing",
        "submitted_to_underwriting",
        "conditional_approval",
    ]
    assert {step.on for step in steps if step.is_inferred} == {None}


def test_steps_that_many_loans_skip_are_not_inferred():
    steps = find_new_steps(
        [], [observe("servicing", MAY_20)], previous_milestone="", current_milestone="servicing"
    )

    skipped = {"prequalified", "preapproved", "resubmitted", "final_approval", "shipped"}
    assert skipped.isdisjoint(step.code for step in steps)
    assert "funded" in {step.code for step in steps if step.is_inferred}


def test_date_found_later_confirms_inferred_step():
    recorded = [RecordedStep(code="conditional_approval", on=None, is_inferred=True)]

    steps = find_new_steps(
        recorded,
        [observe("conditional_approval", MAY_9)],
        previous_milestone="clear_to_close",
        current_milestone="clear_to_close",
    )

    assert ("conditional_approval", MAY_9) in [
        (step.code, step.on) for step in steps if not step.is_inferred
    ]


def test_clear_to_close_regained_keeps_its_first_day_and_every_return():
    recorded: list[RecordedStep] = []
    previous = ""
    recorded_steps = []
    for observations, current in [
        ([observe("clear_to_close", MAY_9)], "clear_to_close"),
        ([observe("suspended", MAY_20)], "suspended"),
        ([observe("clear_to_close", MAY_20), observe("suspended", MAY_20)], "clear_to_close"),
    ]:
        steps = find_new_steps(
            recorded, observations, previous_milestone=previous, current_milestone=current
        )
        recorded_steps += [
            (step.code, step.on, step.is_return) for step in steps if not step.is_inferred
        ]
        recorded, previous = recorded + as_recorded(steps), current

    assert recorded_steps == [
        ("clear_to_close", MAY_9, False),
        ("suspended", MAY_20, False),
        ("clear_to_close", MAY_20, True),
    ]


def test_second_suspension_on_another_day_is_recorded():
    recorded = [RecordedStep(code="suspended", on=MAY_4)]

    steps = find_new_steps(
        recorded,
        [observe("suspended", MAY_9)],
        previous_milestone="suspended",
        current_milestone="suspended",
    )

    assert [(step.code, step.on) for step in steps] == [("suspended", MAY_9)]


def test_denial_infers_no_steps():
    steps = find_new_steps(
        [], [observe("denied", MAY_9)], previous_milestone="", current_milestone="denied"
    )

    assert [step.code for step in steps] == ["denied"]


def test_milestone_ranks_are_unique_and_in_order():
    ranks = [step.rank for step in all_milestones().values() if step.rank is not None]

    assert ranks == sorted(set(ranks))
    assert set(EVERY_LOAN_PASSES) | NEVER_ANNOUNCED <= all_milestones().keys()
    assert all(is_funnel(code) for code in EVERY_LOAN_PASSES)


observations = st.builds(
    observe, st.sampled_from(sorted(all_milestones())), st.none() | st.dates(MAY_4, MAY_20)
)
observation_lists = st.lists(observations, max_size=8)


@given(observation_lists, st.sampled_from(["", *all_milestones()]))
def test_second_identical_read_adds_no_steps(read, current_milestone):
    first = find_new_steps([], read, previous_milestone="", current_milestone=current_milestone)

    assert (
        find_new_steps(
            as_recorded(first),
            read,
            previous_milestone=current_milestone,
            current_milestone=current_milestone,
        )
        == ()
    )


@given(observation_lists, st.randoms())
def test_order_of_observations_does_not_matter(read, random):
    shuffled = list(read)
    random.shuffle(shuffled)

    def find_steps(observations):
        return [
            (step.code, step.on)
            for step in find_new_steps(
                [], observations, previous_milestone="", current_milestone=""
            )
        ]

    assert find_steps(read) == find_steps(shuffled)


@given(observation_lists, observation_lists)
def test_highest_rank_never_falls(first, second):
    before = find_new_steps([], first, previous_milestone="", current_milestone="")
    after = find_new_steps(as_recorded(before), second, previous_milestone="", current_milestone="")

    def highest_rank(steps):
        top = highest_milestone(step.code for step in steps)
        return all_milestones()[top].rank if top else 0

    assert highest_rank((*before, *after)) == max(highest_rank(before), highest_rank(after))
    codes = [
        step.code for step in (*before, *after) if not step.is_inferred and is_funnel(step.code)
    ]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", sorted(NEVER_ANNOUNCED))
def test_milestone_of_a_creditor_notice_is_not_in_the_funnel(code):
    assert not is_funnel(code)
