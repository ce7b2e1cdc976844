"""What an officer says first on a call: who, for whom and why, within the state's seconds (DIS-01).

The words are wording like any other. How long they take is reckoned from them, never heard.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from rooftree.compliance import calling, places
from rooftree.compliance.facts import Facts
from rooftree.compliance.rulebook import STATES
from rooftree.compliance.verdict import Decision
from rooftree.core.states import STATES as STATE_NAMES
from rooftree.leads.models import Lead, Person
from rooftree.org.models import User
from rooftree.org.the_company import the_company
from rooftree.outreach import wording
from rooftree.outreach.facts import whereabouts
from rooftree.outreach.models import Template
from rooftree.outreach.wording import KINDS, LOAN_KINDS, BadTemplate, NoWording, Rendered

KEY, MEDIUM = "call_opening", "call"
# An unhurried voice on a telephone; trained readers keep to 150 or 160. Whoever talks faster is
# through sooner, which breaks no law, so a slower pace than most is the careful one.
WORDS_A_MINUTE = 150
WORD = re.compile(r"\d|[^\W\d_]+(?:['’][^\W\d_]+)*")  # figures are said one by one
ABBREVIATION = 4  # letters at most; NMLS is spelled
PARTS = {  # what must be said, and what fills it in
    "the caller’s name": "caller.name",
    "the company’s name": "company.brand",
    "the purpose": "lead.kind",
}
# Longer than most names are: words that are in time with these are in time with nearly everyone's.
LONG_CALLER, LONG_NAME = "Maximilian Fernández Montgomery", "María Guadalupe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The fewest seconds that any place concerned gives, and the state that gives them."""

    seconds: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What somebody who calls a borrower has before them."""

    words: Rendered | None  # None: none in use that can be filled in
    seconds: int  # until all is said, as reckoned
    say_within: Limit | None
    end_within: Limit | None  # after the borrower asks for it

    @property
    def is_slow(self) -> bool:
        """These names take longer than the strictest place gives."""
        return self.say_within is not None and self.seconds > self.say_within.seconds


def before(call_at: datetime, *, lead: Lead, by: User) -> Opening:
    """What is before whoever began a call at `call_at`: the words that were in use then."""
    words = words_for(lead, by=by, at=call_at)
    states = places.states(Facts(places=whereabouts(lead)))  # every one, as the gate counts them
    return Opening(
        words=words,
        seconds=max(_said(words, lead, by.name).values(), default=0) if words else 0,
        say_within=_strictest({one: STATES[one].disclose_seconds for one in states}),
        end_within=_strictest({one: STATES[one].end_call_seconds for one in states}),
    )


def words_for(lead: Lead, *, by: User, at: datetime) -> Rendered | None:
    """The words in use at `at`, for this caller and borrower; None where there are none."""
    try:
        template = wording.live_template(
            KEY,
            medium=MEDIUM,
            language=wording.language_for(lead.person.language),
            loan_kind=LOAN_KINDS.get(lead.purpose, ""),
            is_closed=wording.is_closed(the_company(), at),
            at=at,
        )
        return _rendered(template, lead, by.name, at)
    except (NoWording, BadTemplate):
        return None  # the call is as lawful as before; the page says what to say


def edition_for(lead: Lead, *, by: User, at: datetime) -> UUID | None:
    """The edition that stands before somebody who calls now, for the ledger to keep."""
    words = words_for(lead, by=by, at=at)
    return words.template.pk if words else None


def longest(template: Template, *, at: datetime) -> dict[str, int | None]:
    """By part of `PARTS`, the seconds until it is said to anybody; None where some never hear it.

    Raises `BadTemplate`.
    """
    heard = [
        _said(_rendered(template, lead, LONG_CALLER, at), lead, LONG_CALLER)
        for lead in _borrowers(template)
    ]
    return {
        part: max(one[part] for one in heard) if all(part in one for one in heard) else None
        for part in PARTS
    }


def problems(said: Mapping[str, int | None]) -> Iterator[tuple[str, str]]:
    """What keeps words of which this is said from use, each a sentence with its citation."""
    never = [part for part, seconds in said.items() if seconds is None]
    for part in never:
        yield f"It never says {part}: fill in “{PARTS[part]}”.", calling.DIS_01.cite
    if never:
        return
    seconds, last = max((seconds or 0, part) for part, seconds in said.items())
    missed = sorted(
        (row.disclose_seconds, STATE_NAMES[code], ruling.cite)
        for code, row in STATES.items()
        if (ruling := calling.opening(state=code, seconds=seconds)).decision != Decision.ALLOW
        and row.disclose_seconds is not None
    )
    if not missed:
        return
    (limit, state, cite), *others = missed
    also = "".join(f", {name} {fewer}" for fewer, name, _ in others)
    yield (
        f"{state} gives {limit} seconds{also}; these words take about {seconds} until {last} is"
        " said. Say less before it.",
        cite,
    )


def spoken_seconds(text: str) -> int:
    """How long somebody takes to say it, in whole seconds."""
    words = WORD.findall(text)
    spelled = [one for one in words if one.isupper() and len(one) <= ABBREVIATION]
    return ceil((len(words) + sum(len(one) - 1 for one in spelled)) * 60 / WORDS_A_MINUTE)


def _said(words: Rendered, lead: Lead, caller: str) -> dict[str, int]:
    """By part, the seconds after which it has been said; a part that is not said is not there."""
    kinds = KINDS[words.template.language]
    looked_for = [caller, the_company().brand, kinds.get(lead.purpose, kinds[""])]
    found = {
        part: re.search(rf"(?<!\w){re.escape(one)}(?!\w)", words.body, re.IGNORECASE)
        for part, one in zip(PARTS, looked_for, strict=True)
    }
    return {part: spoken_seconds(words.body[: one.end()]) for part, one in found.items() if one}


def _rendered(template: Template, lead: Lead, caller: str, at: datetime) -> Rendered:
    return wording.render(
        template,
        lead=lead,
        company=the_company(),
        officer=lead.officer,
        at=at,
        more={"caller": {"name": caller}},
    )


def _borrowers(template: Template) -> Iterator[Lead]:
    """One with each kind of loan that these words are for."""
    person = Person(first_name=LONG_NAME)
    for purpose in KINDS[template.language]:
        if template.loan_kind in ("", LOAN_KINDS.get(purpose, "")):
            yield Lead(person=person, purpose=purpose, property_state="FL")


def _strictest(limits: Mapping[str, int | None]) -> Limit | None:
    found = [(seconds, code) for code, seconds in limits.items() if seconds is not None]
    if not found:
        return None
    seconds, code = min(found)
    return Limit(seconds=seconds, state=STATE_NAMES[code])
