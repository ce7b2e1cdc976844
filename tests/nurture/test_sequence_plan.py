"""Sequences as data: conditions, delays, checks and the next step of one lead."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.nurture.sequence_plan import (
    MAX_STEPS,
    BadPlan,
    Delay,
    ends_on_event,
    next_move,
    parse_plan,
)
from rooftree.nurture.step_conditions import (
    FACTS,
    FLAGS,
    NUMBERS,
    BadCondition,
    condition_holds,
    parse_condition,
)

FACTS_OF_MARIA = {
    "replied": False, "talked": True, "stage": "working", "state": "FL", "purpose": "purchase",
    "program": "va", "source": "zillow", "timeline": "6_12_months", "credit": "", "use": "primary",
    "language": "es", "score": 61, "days_since_inquiry": 90, "amount": 350_000,
}  # fmt: skip
FRIDAY = datetime(2026, 12, 4, 21, 30, tzinfo=UTC)  # 4:30 PM in New York
TEXT = {"kind": "message", "media": ["text"], "template": "hello", "after_minutes": 5}


def wait(id_="", **more):
    return {"kind": "wait", "after_minutes": 1, **({"id": id_} if id_ else {}), **more}


def branch(condition, then, **more):
    return {"kind": "branch", "if": condition, "then": then, "after_minutes": 0, **more}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("talked", True),
        ("not talked", False),
        ("replied", False),
        ("not replied and talked", True),
        ("state is FL", True),
        ("state is fl, GA", True),
        ("state is GA, TX", False),
        ("state is not GA", True),
        ("state is not FL, GA", False),
        ("credit is good", False),
        ("credit is not good", False),  # unknown fits nothing
        ("no credit", True),
        ("has credit", False),
        ("has timeline", True),
        ("score at least 61", True),
        ("score at least 62", False),
        ("score at most 61", True),
        ("score at most 60", False),
        ("amount at least 350,000", True),
        ("amount at most 349999", False),
        ("days_since_inquiry at least 90 and language is es and purpose is purchase", True),
        ("  stage   is   working  ", True),
    ],
)
def test_condition_is_true_as_read(condition, expected):
    assert condition_holds(parse_condition(condition), FACTS_OF_MARIA) is expected


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("scor at least 5", "There is no “scor” to ask about. Use one of: replied, talked"),
        ("score is 5", "Compare “score” with “at least” or “at most”."),
        ("score at least high", "“high” is not a whole number."),
        ("score at least -1", "“-1” is not a whole number."),
        ("state at least 5", "“state” is not a number. Write “state is ...”."),
        ("state is FL,,GA", "Write a value between the commas after “state is”."),
        ("replied is yes", "“replied” is yes or no. Write “replied” or “not replied”."),
        ("has replied", "“replied” is yes or no."),
        ("state", "Say what “state” should be, such as “state is ...”."),
        ("score", "Say what “score” should be, such as “score at least 60”."),
        ("replied and", "Write something on both sides of “and”."),
        ("and", "Write something on both sides of “and”."),
        ("not", "There is no “not” to ask about."),
        ("opened the door", "There is no “opened the door” to ask about."),
        ("x" * 301, "Use at most 300 characters in a condition."),
    ],
)
def test_bad_condition_is_refused_with_a_sentence(condition, sentence):
    with pytest.raises(BadCondition) as refusal:
        parse_condition(condition)
    assert sentence in str(refusal.value)


@given(st.text(alphabet=st.sampled_from("abandnoti s,5\x00é"), max_size=40))
def test_any_text_is_a_condition_or_a_clear_refusal(text):
    try:
        clauses = parse_condition(text)
    except BadCondition as refusal:
        assert str(refusal).endswith((".", "”."))
    else:
        assert all(clause.fact in FACTS for clause in clauses)


@given(st.sampled_from(sorted(FACTS)), st.sampled_from(["is", "is not", "at least", "has"]))
def test_a_fact_nobody_knows_fits_no_comparison(fact, test):
    if fact in FLAGS or (fact in NUMBERS) != (test == "at least") and test != "has":
        return
    text = f"has {fact}" if test == "has" else f"{fact} {test} 5"
    for value in (None, ""):
        assert not condition_holds(parse_condition(text), {fact: value})


@pytest.mark.parametrize(
    ("delay", "zone", "expected"),
    [
        (Delay(minutes=30), "America/New_York", FRIDAY + timedelta(minutes=30)),
        (Delay(), "America/New_York", FRIDAY + timedelta(seconds=1)),
        (Delay(days=3), "America/New_York", FRIDAY + timedelta(days=3)),
        (Delay(days=1, is_business=True), "America/New_York", FRIDAY + timedelta(days=3)),
        # Christmas Eve is a Thursday; the next business days are December 28 and 29.
        (Delay(days=15, is_business=True), "America/New_York", FRIDAY + timedelta(days=24)),
    ],
)  # fmt: skip
def test_delay_counts_days_at_the_borrowers_place(delay, zone, expected):
    assert delay.due_after(FRIDAY, zone) == expected


def test_hour_is_the_borrowers_own_and_never_in_the_past():
    nine = parse_plan([wait(at="09:00", after_minutes=0)]).steps[0].delay

    assert nine.due_after(FRIDAY, "America/New_York") == datetime(2026, 12, 5, 14, tzinfo=UTC)
    assert nine.due_after(FRIDAY, "Pacific/Honolulu") == datetime(2026, 12, 5, 19, tzinfo=UTC)
    monday = (
        parse_plan([wait(at="09:00", after_minutes=0, after_days=1, business=True)]).steps[0].delay
    )
    assert monday.due_after(FRIDAY, "America/New_York") == datetime(2026, 12, 7, 14, tzinfo=UTC)
    # The hour stays nine on the day the clocks change.
    march = datetime(2027, 3, 13, 20, tzinfo=UTC)
    assert nine.due_after(march, "America/New_York") == datetime(2027, 3, 14, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("steps", "rules", "place", "sentence"),
    [
        ([], {}, 0, "Add at least one step."),
        ("steps", {}, 0, "Add at least one step."),
        ([wait()] * (MAX_STEPS + 1), {}, 0, "up to 60 steps"),
        ([{**TEXT, "media": []}], {}, 1, "choose text, email or both."),
        ([{**TEXT, "media": ["fax"]}], {}, 1, "choose text, email or both."),
        ([{**TEXT, "template": ""}], {}, 1, "choose a template."),
        ([{**TEXT, "kind": "poem"}], {}, 1, "choose what the step does."),
        ([{**TEXT, "after_minutes": -1}], {}, 1, "set a delay of up to 800 days."),
        ([{**TEXT, "after_minutes": None}], {}, 1, "set a delay of up to 800 days."),
        ([{**TEXT, "after_days": 801}], {}, 1, "set a delay of up to 800 days."),
        ([wait(at="9 o'clock")], {}, 1, "enter the hour as 09:00."),
        ([{"kind": "call_task"}], {}, 1, "write what the loan officer reads."),
        ([{"kind": "officer_alert", "words": {"es": "Hola"}}], {}, 1, "write what the loan"),
        ([wait(**{"if": "sate is FL"})], {}, 1, "condition: There is no “sate”"),
        ([branch("", "exit")], {}, 1, "write the condition of the branch."),
        ([branch("talked", "")], {}, 1, "choose what happens when the condition is true."),
        ([branch("talked", "move:")], {}, 1, "choose what happens"),
        ([wait("a"), branch("talked", "go:a")], {}, 2, "a branch goes to a later step."),
        ([branch("talked", "go:x", id="x"), wait()], {}, 1, "a branch goes to a later step."),
        ([branch("talked", "go:nowhere"), wait()], {}, 1, "a branch goes to a later step."),
        ([wait("a"), wait("a")], {}, 2, "has the same id as another step."),
        ([None], {}, 1, "choose a template."),
        ([wait()], {"start": "full moon"}, 0, "Choose what starts the sequence."),
        ([wait()], {"start": "gone_cold", "start_days": 2}, 0, "7 days at the earliest"),
        ([wait()], {"start": "funded_date", "start_days": 900}, 0, "up to 800"),
        ([wait()], {"start": "milestone"}, 0, "Choose the milestone"),
        ([wait()], {"start": "segment"}, 0, "say which leads the sequence is for"),
        ([wait()], {"audience": "sate is FL"}, 0, "Audience: There is no “sate”"),
        ([wait()], {"goal": "stage"}, 0, "Goal: Say what “stage” should be"),
        ([wait()], {"stages": ["asleep"]}, 0, "Choose the stages"),
        ([wait()], {"priority": 101}, 0, "Enter a priority from 0 to 100."),
    ],
)
def test_bad_sequence_is_refused_where_the_fault_is(steps, rules, place, sentence):
    with pytest.raises(BadPlan) as refusal:
        parse_plan(steps, rules)
    assert any(n == place and sentence in text for n, text in refusal.value.problems)


def test_all_problems_are_said_at_once():
    with pytest.raises(BadPlan) as refusal:
        parse_plan([{**TEXT, "media": []}, branch("", "")], {"priority": -1})
    assert [place for place, _ in refusal.value.problems] == [0, 1, 2, 2]


def test_old_steps_are_read_as_before():
    plan = parse_plan([{"after_minutes": 30, "template": "a", "media": ["email", "text"]}])

    assert (plan.steps[0].kind, plan.steps[0].media) == ("message", ("text", "email"))
    assert plan.stages == {"new", "working", "nurture"}
    assert ends_on_event(plan, "replied")
    assert ends_on_event(plan, "talked")


def test_only_a_reply_or_a_talk_can_leave_a_sequence_running():
    plan = parse_plan([TEXT], {"ends_on": ["talked"]})

    assert not ends_on_event(plan, "replied")
    assert ends_on_event(plan, "talked")
    assert ends_on_event(plan, "handed off")


def test_next_step_follows_conditions_branches_and_the_goal():
    plan = parse_plan(
        [
            {**TEXT, "if": "not replied"},
            branch("replied", "go:call"),
            branch("score at most 20", "exit"),
            branch("timeline is 6_12_months", "move:later"),
            wait(),
            {"kind": "exit", "if": "state is NY"},
            {"kind": "call_task", "id": "call", "words": {"en": "Call"}},
        ],
        {"goal": "stage is application"},
    )

    def outcome(number, **facts):
        move = next_move(plan, number, {"replied": False, **facts})
        return move.outcome, move.next_number, move.end_reason

    assert outcome(0) == ("done", 1, "")
    assert outcome(0, replied=True) == ("skipped", 1, "")
    assert outcome(1) == ("passed", 2, "")
    assert outcome(1, replied=True) == ("passed", 6, "")
    assert outcome(2, score=20) == ("ended", None, "ended by a branch")
    assert outcome(2) == ("passed", 3, "")
    assert outcome(3, timeline="6_12_months") == ("ended", None, "moved to later")
    assert next_move(plan, 3, {"timeline": "6_12_months"}).move_to == "later"
    assert outcome(4) == ("passed", 5, "")
    assert outcome(5, state="NY") == ("ended", None, "ended by its step")
    assert outcome(5) == ("skipped", 6, "")
    assert outcome(6) == ("done", None, "finished")
    assert outcome(0, stage="application") == ("ended", None, "goal reached")
    assert outcome(7) == ("ended", None, "finished")


@given(st.data())
def test_every_sequence_ends_and_no_step_comes_twice(data):
    size = data.draw(st.integers(1, 12))
    rows = []
    for number in range(size):
        later = [f"go:{nth}" for nth in range(number + 1, size)]
        then = data.draw(st.sampled_from(["exit", "move:other", *later]))
        rows.append(
            data.draw(
                st.sampled_from(
                    [
                        branch("replied", then, id=str(number)),
                        wait(str(number)),
                        {**TEXT, "id": str(number), "if": "talked"},
                        {"kind": "exit", "id": str(number), "if": "not talked"},
                    ]
                )
            )
        )
    plan, number, seen = parse_plan(rows), 0, set()
    while number is not None:
        assert number not in seen
        seen.add(number)
        facts = {"replied": data.draw(st.booleans()), "talked": data.draw(st.booleans())}
        move = next_move(plan, number, facts)
        assert (move.next_number is None) == bool(move.end_reason)
        number = move.next_number
