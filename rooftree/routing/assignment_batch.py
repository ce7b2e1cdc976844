"""The officers as one transaction sees them while it gives leads out, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import LoanOfficer
from rooftree.routing import choice_inputs, rule_sets
from rooftree.routing.choose_officer import Choice, ChoiceInputs, choose_officer, pool_key
from rooftree.routing.routing_rules import LeadFacts, Pool

# Each pool and officer's turns; the rows are the held officers' own.
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
MAX_TRIES = 20  # of finding officers as they were read


class CannotRoute(Exception):
    """Every officer is being given other leads at this moment; trying again will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceStart:
    """Where a choice begins: a place in the chain of a rule, and whom to leave out."""

    declined_officers: frozenset[str] = frozenset()
    place: int = 0
    rule_name: str = ""


class AssignmentBatch:
    """What choices rest on: the rules, and the officers with what they have been given here.

    What a choice gives is written down at the end of all, so it is added to what is
    read. An officer is held from the first choice on: nothing about them changes then.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.edition = rule_sets.current_rule_set(at=at)
        self.rules = choice_inputs.load_rules(self.edition)
        # By pools and state: the officers, and how many of the choices are counted in them.
        self._read: dict[tuple[tuple[str, ...], str], tuple[ChoiceInputs, int]] = {}
        self._matching_rows: set[str] = set()
        self._busy: frozenset[str] = frozenset()  # whom other workers hold
        self._assign_by_manager: list[Choice] = []

    def choose_and_lock(
        self, about: LeadFacts, pools: Sequence[Pool], start: ChoiceStart
    ) -> tuple[Choice, ChoiceInputs] | None:
        """Choose, and hold the chosen officer's row, so that no cap or turn is spent twice.

        An officer whom another worker holds is left out as busy rather than waited
        for, unless nobody else can have the lead; None when that would be to wait for
        one while others are held.
        """
        stale = 0
        while stale < MAX_TRIES:
            known = self._load_inputs(about, pools, start)
            choice = choose_officer(about, self.rules, known, at=self.at, with_reasons=False)
            waits = choice.officer_id is None and bool(known.busy_officers)
            if waits and self._matching_rows:
                return None
            if waits:
                known = replace(known, busy_officers=frozenset())
                choice = choose_officer(about, self.rules, known, at=self.at, with_reasons=False)
            if choice.officer_id is None or choice.officer_id in self._matching_rows:
                return self._accept_choice(choice, known)
            if not _lock_officer(choice.officer_id, waits=waits):
                self._busy |= {choice.officer_id}
                stale += waits
            elif self._is_unchanged(choice, known):
                return self._accept_choice(choice, known)
            else:
                self._read.clear()
                self._busy = frozenset()
                stale += 1
        raise CannotRoute("Every loan officer is being given another lead. Try again.")

    def store_turns(self) -> None:
        """Write down whose turn was taken."""
        taken = {(one.pool_key, one.officer_id or ""): one.turn for one in self._assign_by_manager}
        rows = [(uuid7_at(self.at), *key, n) for key, n in sorted(taken.items())]
        if rows:
            with connection.cursor() as cursor:
                cursor.execute(
                    STORE_TURNS_SQL, [list(column) for column in zip(*rows, strict=True)]
                )

    def _load_inputs(
        self, about: LeadFacts, pools: Sequence[Pool], start: ChoiceStart
    ) -> ChoiceInputs:
        place = tuple(sorted({pool_key(pool) for pool in pools})), about.state
        found, counted = self._read.get(place) or (None, 0)
        found = found or choice_inputs.load_choice_inputs(pools, state=about.state, at=self.at)
        for one in self._assign_by_manager[counted:]:
            found = _add_choice(found, one)
        self._read[place] = found, len(self._assign_by_manager)
        return replace(
            found,
            busy_officers=self._busy,
            declined_officers=start.declined_officers,
            place=start.place,
            rule_name=start.rule_name,
        )

    def _accept_choice(self, choice: Choice, known: ChoiceInputs) -> tuple[Choice, ChoiceInputs]:
        if choice.officer_id:
            self._matching_rows.add(choice.officer_id)
            self._assign_by_manager.append(choice)
        return choice, known

    def _is_unchanged(self, choice: Choice, known: ChoiceInputs) -> bool:
        """Whether the officer held is as they were when chosen."""
        chosen = choice_inputs.find_candidate(known.candidates, choice.officer_id or "")
        if chosen is None:
            return False
        taken = known.turns.get(choice.pool_key, {}).get(chosen.id, 0)
        return choice_inputs.is_unchanged(chosen, pool=choice.pool_key, taken=taken, at=self.at)


def _lock_officer(officer_id: str, *, waits: bool) -> bool:
    officers = LOCKED_OFFICER if waits else FREE_OFFICER
    return officers.first(id=UUID(officer_id)) is not None


def _add_choice(known: ChoiceInputs, given: Choice) -> ChoiceInputs:
    """The officers with one more offer in the hands of one of them, and one turn taken."""
    people = [*known.candidates]
    for nth, one in enumerate(people):
        if one.id == given.officer_id:
            people[nth] = replace(one, today=one.today + 1, open=one.open + 1)
            break
    pool = {**known.turns.get(given.pool_key, {}), given.officer_id or "": given.turn}
    return replace(known, candidates=tuple(people), turns={**known.turns, given.pool_key: pool})
