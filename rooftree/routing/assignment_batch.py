"""The officers as one transaction sees them while it assigns leads one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.db.statements import execute
from rooftree.org.models import LoanOfficer
from rooftree.routing import choice_inputs, rule_sets
from rooftree.routing.choose_officer import Choice, ChoiceInputs, choose_officer, pool_key
from rooftree.routing.routing_rules import LeadFacts, Pool

# Turns by pool and officer. Only rows of officers locked in this transaction are written.
STORE_TURNS_SQL = """
insert into turn (id, pool, officer_id, taken)
select * from unnest(%s::uuid[], %s::text[], %s::uuid[], %s::int[])
    on conflict (pool, officer_id) do update set taken = excluded.taken
"""
OFFICER = LoanOfficer.objects.only("id")
LOCKED_OFFICER = PreparedQuery(
    lambda id: OFFICER.select_for_update(no_key=True).filter(pk=id), id=UUID
)
FREE_OFFICER = PreparedQuery(
    lambda id: OFFICER.select_for_update(no_key=True, skip_locked=True).filter(pk=id), id=UUID
)
MAX_TRIES = 20  # of locking an officer who is still as read


class CannotRoute(Exception):
    """All eligible officers are being assigned other leads right now; retry. Fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceStart:
    """Where a choice begins: a place in the chain of a rule, and the officers to leave out."""

    declined_officers: frozenset[str] = frozenset()
    place: int = 0
    rule_name: str = ""
    is_retry: bool = False  # a choice of no one is not stored again


class AssignmentBatch:
    """The rules, and the officers with the leads this transaction has assigned so far.

    Choices are stored together at the end, so each is added to the loads that were
    read. A chosen officer stays locked from then on, so nothing about them changes.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.edition = rule_sets.load_current_rule_set(at=at)
        self.rules = choice_inputs.load_rules(self.edition)
        # By pools and state: the officers, and how many choices their loads already include.
        self._inputs_by_pool: dict[tuple[tuple[str, ...], str], tuple[ChoiceInputs, int]] = {}
        self._locked_officers: set[str] = set()
        self._busy: frozenset[str] = frozenset()  # locked by other workers
        self._choices: list[Choice] = []

    def choose_and_lock(
        self, facts: LeadFacts, pools: Sequence[Pool], start: ChoiceStart
    ) -> tuple[Choice, ChoiceInputs] | None:
        """Choose an officer and lock their row, so that no cap or turn is spent twice.

        An officer locked by another worker is skipped as busy, unless no one else can
        have the lead. Returns None instead of waiting for a lock while holding others,
        which could deadlock. Raises `CannotRoute` after `MAX_TRIES`.
        """
        stale = 0
        while stale < MAX_TRIES:
            inputs = self._load_inputs(facts, pools, start)
            choice = choose_officer(facts, self.rules, inputs, at=self.at, with_reasons=False)
            waits = choice.officer_id is None and bool(inputs.busy_officers)
            if waits and self._locked_officers:
                return None
            if waits:
                inputs = replace(inputs, busy_officers=frozenset())
                choice = choose_officer(facts, self.rules, inputs, at=self.at, with_reasons=False)
            if choice.officer_id is None or choice.officer_id in self._locked_officers:
                return self._accept_choice(choice, inputs)
            officers = LOCKED_OFFICER if waits else FREE_OFFICER
            if officers.first(id=UUID(choice.officer_id)) is None:
                self._busy |= {choice.officer_id}
                stale += waits
            elif self._is_unchanged(choice, inputs):
                return self._accept_choice(choice, inputs)
            else:
                self._inputs_by_pool.clear()
                self._busy = frozenset()
                stale += 1
        raise CannotRoute("All loan officers are being assigned other leads. Try again.")

    def store_turns(self) -> None:
        """Store the turns the choices took."""
        taken = {
            (choice.pool_key, choice.officer_id or ""): choice.turn for choice in self._choices
        }
        rows = [(uuid7_at(self.at), *key, n) for key, n in sorted(taken.items())]
        if rows:
            execute(STORE_TURNS_SQL, [list(column) for column in zip(*rows, strict=True)])

    def _load_inputs(
        self, facts: LeadFacts, pools: Sequence[Pool], start: ChoiceStart
    ) -> ChoiceInputs:
        key = tuple(sorted({pool_key(pool) for pool in pools})), facts.state
        inputs, counted = self._inputs_by_pool.get(key) or (None, 0)
        inputs = inputs or choice_inputs.load_choice_inputs(pools, state=facts.state, at=self.at)
        for choice in self._choices[counted:]:
            inputs = _add_choice(inputs, choice)
        self._inputs_by_pool[key] = inputs, len(self._choices)
        return replace(
            inputs,
            busy_officers=self._busy,
            declined_officers=start.declined_officers,
            place=start.place,
            rule_name=start.rule_name,
        )

    def _accept_choice(self, choice: Choice, inputs: ChoiceInputs) -> tuple[Choice, ChoiceInputs]:
        if choice.officer_id:
            self._locked_officers.add(choice.officer_id)
            self._choices.append(choice)
        return choice, inputs

    def _is_unchanged(self, choice: Choice, inputs: ChoiceInputs) -> bool:
        """Return True if the locked officer is still as they were when chosen."""
        candidate = choice_inputs.find_candidate(inputs.candidates, choice.officer_id or "")
        if candidate is None:
            return False
        taken = inputs.turns.get(choice.pool_key, {}).get(candidate.id, 0)
        return choice_inputs.is_unchanged(candidate, pool=choice.pool_key, taken=taken, at=self.at)


def _add_choice(inputs: ChoiceInputs, choice: Choice) -> ChoiceInputs:
    """Return the inputs with one more offer and one more turn for the chosen officer."""
    people = [*inputs.candidates]
    for nth, candidate in enumerate(people):
        if candidate.id == choice.officer_id:
            people[nth] = replace(candidate, today=candidate.today + 1, open=candidate.open + 1)
            break
    pool = {**inputs.turns.get(choice.pool_key, {}), choice.officer_id or "": choice.turn}
    return replace(inputs, candidates=tuple(people), turns={**inputs.turns, choice.pool_key: pool})
