import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftree.routing import candidates
from rooftree.routing.candidates import Candidate, Lender, Permit, entitlement_problem
from rooftree.routing.choose_officer import ChoiceInputs, choose_officer
from rooftree.routing.routing_rules import (
    Backup,
    BackupKind,
    Criteria,
    LeadFacts,
    Pool,
    Rule,
    WhenNobody,
)

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday
LONG_AGO = date(2020, 1, 1)
ALL_DAY = {day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
MORNINGS = {"mon": ["08:00", "11:00"], "tue": ["08:00", "11:00"]}
STATES = ("CA", "FL", "TX")
LENDER = Lender(kind="nonbank", permits=tuple(Permit(state=s, from_date=LONG_AGO) for s in STATES))
LEAD = LeadFacts(id="lead", source="zillow", purpose="purchase", state="TX", day="mon")
EVERYONE = Rule(name="Everyone")


def officer(id_, **changes):
    return Candidate(
        **{
            "id": id_,
            "name": id_.title(),
            "branch_path": "/tampa/",
            "nmls_id": "14",
            "zone": "America/New_York",
            "hours": ALL_DAY,
            "languages": ("en",),
            "permits": tuple(Permit(state=s, from_date=LONG_AGO) for s in STATES),
            "sponsored_from_date": LONG_AGO,
            **changes,
        }
    )


def make_inputs(*people, **changes):
    return ChoiceInputs(lender=LENDER, candidates=people, **changes)


def reason_of(choice, id_):
    return next(reason for reason in choice.reasons if reason.officer_id == id_)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"permits": ()}, "unlicensed"),
        ({"permits": (Permit(state="CA", from_date=LONG_AGO),)}, "unlicensed"),
        (
            {"permits": (Permit(state="TX", from_date=LONG_AGO, status="Approved - Inactive"),)},
            "license_inactive",
        ),
        (
            {"permits": (Permit(state="TX", from_date=LONG_AGO, until_date=date(2026, 11, 23)),)},
            "license_expired",  # until is the first day without it
        ),
        ({"permits": (Permit(state="TX", from_date=date(2026, 11, 24)),)}, "license_not_yet"),
        ({"sponsored_from_date": date(2026, 11, 24)}, "not_sponsored"),
        ({"terminated_at": NOON}, "terminated"),
        ({"paused_at": NOON}, "paused"),
        ({"today": 20}, "day_full"),
        ({"open": 60}, "full"),
        ({"hours": MORNINGS}, "off_work"),
        ({"hours": {}}, "off_work"),
        ({"products": ("conventional",)}, "product"),
    ],
)
def test_ineligible_officer_is_passed_over_with_reason(changes, code):
    lead = replace(LEAD, loan_type="va")

    choice = choose_officer(
        lead, [EVERYONE], make_inputs(officer("ann", **changes), officer("bob")), at=NOON
    )

    assert choice.officer_id == "bob"
    assert reason_of(choice, "ann").code == code
    assert reason_of(choice, "ann").text


def test_license_dates_count_in_officers_own_zone():
    ends = Permit(state="TX", from_date=LONG_AGO, until_date=date(2026, 11, 24))
    late = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 1:00 in New York, 22:00 the day before in LA

    eastern = officer("ann", permits=(ends,))
    western = officer("bob", permits=(ends,), zone="America/Los_Angeles")

    assert entitlement_problem(eastern, lender=LENDER, state="TX", at=late)
    assert entitlement_problem(western, lender=LENDER, state="TX", at=late) is None


def test_company_must_be_licensed_too():
    unlicensed = Lender(kind="nonbank", permits=(Permit(state="CA", from_date=LONG_AGO),))

    problem = entitlement_problem(officer("ann"), lender=unlicensed, state="TX", at=NOON)

    assert problem == ("company_unlicensed", "The company is not licensed in TX")


def test_bank_officer_needs_registration_but_no_state_license():
    bank = Lender(kind="depository")

    assert not entitlement_problem(officer("ann", permits=()), lender=bank, state="TX", at=NOON)
    assert entitlement_problem(officer("ann", nmls_id=""), lender=bank, state="TX", at=NOON)


def test_lead_without_state_goes_only_to_pool_that_asks_for_it():
    asks = Rule(name="Ask", criteria=Criteria(without_state=True), pool=Pool(officers=("bob",)))
    people = (officer("ann"), officer("bob", permits=()))

    choice = choose_officer(
        replace(LEAD, state=""), [EVERYONE, asks], make_inputs(*people), at=NOON
    )

    assert (choice.rule_name, choice.officer_id) == ("Ask", "bob")
    assert (
        choose_officer(
            replace(LEAD, state=""), [EVERYONE], make_inputs(*people), at=NOON
        ).officer_id
        is None
    )


def test_language_match_beats_rotation_but_not_license():
    people = (
        officer("ann"),
        officer("bob", languages=("en", "es")),
        officer("cid", languages=("es",), permits=()),
    )
    turns = {"everyone": {"bob": 9, "ann": 9}}

    choice = choose_officer(
        replace(LEAD, language="es"), [EVERYONE], make_inputs(*people, turns=turns), at=NOON
    )

    assert choice.officer_id == "bob"
    assert choice.sentence == "Bob speaks Spanish and was next in rotation."
    assert reason_of(choice, "ann").text == "Doesn't speak Spanish; number 2 in rotation"
    assert reason_of(choice, "cid").code == "unlicensed"


def test_language_no_one_speaks_does_not_delay_the_lead():
    choice = choose_officer(
        replace(LEAD, language="ko"), [EVERYONE], make_inputs(officer("ann")), at=NOON
    )

    assert choice.officer_id == "ann"


def test_chain_never_returns_to_officers_already_asked():
    rule = Rule(
        name="Chain",
        pool=Pool(officers=("ann", "bob")),
        chain=(
            Backup(kind=BackupKind.POOL, take_seconds=60),
            Backup(kind=BackupKind.OFFICERS, officers=("cid",), take_seconds=30),
        ),
    )
    people = (officer("ann"), officer("bob"), officer("cid"))

    second = choose_officer(
        LEAD, [rule], make_inputs(*people, declined_officers=frozenset(["ann"]), place=1), at=NOON
    )
    third = choose_officer(
        LEAD,
        [rule],
        make_inputs(*people, declined_officers=frozenset(["ann", "bob"]), place=1),
        at=NOON,
    )
    last = choose_officer(
        LEAD, [rule], make_inputs(*people, declined_officers=frozenset(["cid"]), place=2), at=NOON
    )

    assert (second.officer_id, second.place, second.take_seconds) == ("bob", 1, 60)
    assert (third.officer_id, third.place, third.take_seconds) == ("cid", 2, 30)
    assert last.officer_id is None


def test_rule_can_hold_lead_until_first_officer_starts_work():
    rule = Rule(name="Hold", nobody=WhenNobody.HOLD)
    people = (officer("ann", hours=MORNINGS), officer("bob", hours=MORNINGS, paused_at=NOON))

    choice = choose_officer(LEAD, [rule], make_inputs(*people), at=NOON)

    assert choice.officer_id is None
    assert choice.hold_until == datetime(2026, 11, 24, 13, 0, tzinfo=UTC)  # 8:00 in New York


def test_fallback_pool_is_used_when_no_one_is_eligible():
    rule = Rule(
        name="Other",
        pool=Pool(officers=("ann",)),
        nobody=WhenNobody.POOL,
        nobody_pool=Pool(officers=("bob",)),
    )

    choice = choose_officer(
        LEAD, [rule], make_inputs(officer("ann", paused_at=NOON), officer("bob")), at=NOON
    )

    assert choice.officer_id == "bob"


def test_officer_back_from_leave_is_owed_one_turn_at_most():
    turns = {"ann": 500, "bob": 500, "cid": 3}
    got, taken = [], dict(turns)
    people = [officer(id_) for id_ in turns]
    for _ in range(9):
        choice = choose_officer(
            LEAD, [EVERYONE], make_inputs(*people, turns={"everyone": taken}), at=NOON
        )
        taken[choice.officer_id] = choice.turn
        got.append(choice.officer_id)

    assert got[0] == "cid"
    assert Counter(got)["cid"] <= 4


PEOPLE = st.lists(
    st.builds(
        officer,
        st.sampled_from([f"officer{n}" for n in range(12)]),
        permits=st.sets(st.sampled_from(STATES)).map(
            lambda states: tuple(Permit(state=s, from_date=LONG_AGO) for s in sorted(states))
        ),
        languages=st.sampled_from([("en",), ("en", "es"), ("es",)]),
        paused_at=st.sampled_from([None, NOON - timedelta(days=1)]),
        terminated_at=st.sampled_from([None, None, NOON - timedelta(days=1)]),
        sponsored_from_date=st.sampled_from([LONG_AGO, date(2027, 1, 1)]),
        hours=st.sampled_from([ALL_DAY, MORNINGS]),
        today=st.integers(18, 21),
    ),
    unique_by=lambda person: person.id,
    max_size=12,
)
LEADS = st.builds(
    LeadFacts,
    id=st.just("lead"),
    source=st.just("zillow"),
    state=st.sampled_from(STATES),
    language=st.sampled_from(["", "en", "es", "ko"]),
)
TURNS = st.dictionaries(st.sampled_from([f"officer{n}" for n in range(12)]), st.integers(0, 50))


@given(PEOPLE, LEADS, TURNS)
def test_unlicensed_or_unavailable_officer_is_never_chosen(people, lead, turns):
    choice = choose_officer(
        lead, [EVERYONE], make_inputs(*people, turns={"everyone": turns}), at=NOON
    )

    able = [
        person
        for person in people
        if entitlement_problem(person, lender=LENDER, state=lead.state, at=NOON) is None
        and not person.paused_at
        and person.hours is ALL_DAY
        and person.today < person.daily_cap
    ]
    assert (
        (choice.officer_id in {person.id for person in able}) if able else choice.officer_id is None
    )
    assert sorted(reason.officer_id for reason in choice.reasons) == sorted(p.id for p in people)
    assert all(reason.text for reason in choice.reasons)


@given(PEOPLE, LEADS, TURNS, st.randoms())
def test_order_of_candidates_does_not_change_the_choice(people, lead, turns, random):
    shuffled = list(people)
    random.shuffle(shuffled)

    first, second = (
        choose_officer(lead, [EVERYONE], make_inputs(*listed, turns={"everyone": turns}), at=NOON)
        for listed in (people, shuffled)
    )

    assert first == second


@given(PEOPLE, LEADS, TURNS)
def test_choice_from_stored_candidates_is_the_same(people, lead, turns):
    again = candidates.candidates_from_json(
        json.loads(json.dumps(candidates.candidates_to_json(people)))
    )

    first, second = (
        choose_officer(lead, [EVERYONE], make_inputs(*listed, turns={"everyone": turns}), at=NOON)
        for listed in (people, again)
    )

    assert first == second


@given(st.lists(st.integers(1, 10), min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=40)
def test_shares_match_weights_after_every_full_round(weights, rounds):
    people = [officer(f"officer{n}") for n in range(len(weights))]
    shares = {person.id: weight for person, weight in zip(people, weights, strict=True)}
    rule = Rule(name="Shares", pool=Pool(weights=shares))
    taken: dict[str, int] = {}
    for _ in range(sum(weights) * rounds):
        choice = choose_officer(
            LEAD, [rule], make_inputs(*people, turns={"everyone": taken}), at=NOON
        )
        taken[choice.officer_id] = choice.turn

    assert taken == {id_: weight * rounds for id_, weight in shares.items()}


@given(PEOPLE, LEADS, TURNS)
def test_choice_without_reasons_is_the_same_choice(people, lead, turns):
    explained, short = (
        choose_officer(
            lead,
            [EVERYONE],
            make_inputs(*people, turns={"everyone": turns}),
            at=NOON,
            with_reasons=with_reasons,
        )
        for with_reasons in (True, False)
    )

    assert replace(explained, reasons=()) == replace(short, reasons=())
    assert short.officer_id or short.reasons == explained.reasons
