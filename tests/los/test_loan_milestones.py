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


def seen(code: str, on: date | None = None) -> ObservedStep:
    return ObservedStep(code=code, on=on, source_status="in a test")


def written(events: tuple[NewStep, ...]) -> list[RecordedStep]:
    return [RecordedStep(code=e.code, on=e.on, is_inferred=e.is_inferred) for e in events]


def test_a_first_step_is_one_event_with_the_los_date():
    events = find_new_steps(
        [], [seen("lead_in_los", MAY_4)], previous_milestone="", current_milestone="lead_in_los"
    )

    assert [(e.code, e.on, e.is_inferred) for e in events] == [("lead_in_los", MAY_4, False)]


def test_a_later_step_proves_the_earlier_ones_without_inventing_their_day():
    events = find_new_steps(
        [], [seen("clear_to_close", MAY_20)], previous_milestone="", current_milestone=""
    )

    inferred = [e.code for e in events if e.is_inferred]
    assert inferred == [
        "lead_in_los",
        "application",
        "processing",
        "submitted_to_underwriting",
        "conditional_approval",
    ]
    assert {e.on for e in events if e.is_inferred} == {None}


def test_steps_that_many_loans_skip_are_not_invented():
    events = find_new_steps(
        [], [seen("servicing", MAY_20)], previous_milestone="", current_milestone="servicing"
    )

    skipped = {"prequalified", "preapproved", "resubmitted", "final_approval", "shipped"}
    assert skipped.isdisjoint(e.code for e in events)
    assert "funded" in {e.code for e in events if e.is_inferred}


def test_a_day_that_turns_up_later_confirms_what_was_inferred():
    before = [RecordedStep(code="conditional_approval", on=None, is_inferred=True)]

    events = find_new_steps(
        before,
        [seen("conditional_approval", MAY_9)],
        previous_milestone="clear_to_close",
        current_milestone="clear_to_close",
    )

    assert ("conditional_approval", MAY_9) in [(e.code, e.on) for e in events if not e.is_inferred]


def test_clear_to_close_lost_and_won_again_keeps_its_first_day_and_all_turns():
    history: list[RecordedStep] = []
    stood_at = ""
    turns = []
    for facts, stands_at in [
        ([seen("clear_to_close", MAY_9)], "clear_to_close"),
        ([seen("suspended", MAY_20)], "suspended"),
        ([seen("clear_to_close", MAY_20), seen("suspended", MAY_20)], "clear_to_close"),
    ]:
        events = find_new_steps(
            history, facts, previous_milestone=stood_at, current_milestone=stands_at
        )
        turns += [(e.code, e.on, e.is_return) for e in events if not e.is_inferred]
        history, stood_at = history + written(events), stands_at

    assert turns == [
        ("clear_to_close", MAY_9, False),
        ("suspended", MAY_20, False),
        ("clear_to_close", MAY_20, True),
    ]


def test_a_second_suspension_on_another_day_is_another_event():
    history = [RecordedStep(code="suspended", on=MAY_4)]

    events = find_new_steps(
        history,
        [seen("suspended", MAY_9)],
        previous_milestone="suspended",
        current_milestone="suspended",
    )

    assert [(e.code, e.on) for e in events] == [("suspended", MAY_9)]


def test_a_denial_infers_nothing():
    events = find_new_steps(
        [], [seen("denied", MAY_9)], previous_milestone="", current_milestone="denied"
    )

    assert [e.code for e in events] == ["denied"]


def test_the_list_is_whole_and_in_order():
    ranks = [step.rank for step in all_milestones().values() if step.rank is not None]

    assert ranks == sorted(set(ranks))
    assert set(EVERY_LOAN_PASSES) | NEVER_ANNOUNCED <= all_milestones().keys()
    assert all(is_funnel(code) for code in EVERY_LOAN_PASSES)


facts = st.builds(
    seen, st.sampled_from(sorted(all_milestones())), st.none() | st.dates(MAY_4, MAY_20)
)
reads = st.lists(facts, max_size=8)


@given(reads, st.sampled_from(["", *all_milestones()]))
def test_reading_the_same_twice_gives_nothing_new(read, stands_at):
    first = find_new_steps([], read, previous_milestone="", current_milestone=stands_at)

    assert (
        find_new_steps(
            written(first), read, previous_milestone=stands_at, current_milestone=stands_at
        )
        == ()
    )


@given(reads, st.randoms())
def test_the_order_of_the_facts_does_not_matter(read, random):
    shuffled = list(read)
    random.shuffle(shuffled)

    def told(facts):
        return [
            (e.code, e.on)
            for e in find_new_steps([], facts, previous_milestone="", current_milestone="")
        ]

    assert told(read) == told(shuffled)


@given(reads, reads)
def test_the_highest_rank_never_falls(first, second):
    before = find_new_steps([], first, previous_milestone="", current_milestone="")
    after = find_new_steps(written(before), second, previous_milestone="", current_milestone="")

    def rank(events):
        top = highest_milestone(e.code for e in events)
        return all_milestones()[top].rank if top else 0

    assert rank((*before, *after)) == max(rank(before), rank(after))
    codes = [e.code for e in (*before, *after) if not e.is_inferred and is_funnel(e.code)]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", sorted(NEVER_ANNOUNCED))
def test_what_the_creditor_must_say_first_is_never_announced(code):
    assert not is_funnel(code)
