"""What an officer says first on a call: who, for whom and why, within the state's seconds (DIS-01).

The words are wording like any other. How long they take is reckoned from them, never heard.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from rooftree.compliance.gate import call_rules, person_places
from rooftree.compliance.gate.facts import Facts
from rooftree.compliance.gate.rulebook import STATES
from rooftree.compliance.gate.verdict import Decision
from rooftree.core.us_states import STATES as STATE_NAMES
from rooftree.leads.models import Lead, Person
from rooftree.org.current_company import current_company
from rooftree.org.models import User
from rooftree.outreach.facts.message_facts import possible_places
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.message_templates import (
    LOAN_KINDS,
    LOAN_PHRASES,
    BadTemplate,
    NoTemplate,
    RenderedTemplate,
)

TEMPLATE_KEY, MEDIUM = "call_opening", "call"
# An unhurried voice on a telephone; trained readers keep to 150 or 160. Whoever talks faster is
# through sooner, which breaks no law, so a slower pace than most is the careful one.
WORDS_PER_MINUTE = 150
WORD_PATTERN = re.compile(r"\d|[^\W\d_]+(?:['’][^\W\d_]+)*")  # figures are said one by one
MAX_ABBREVIATION_LENGTH = 4  # letters at most; NMLS is spelled
REQUIRED_PARTS = {  # what must be said, and what fills it in
    "the caller’s name": "caller.name",
    "the company’s name": "company.brand",
    "the purpose": "lead.kind",
}
# Longer than most names are: words that are in time with these are in time with nearly everyone's.
LONG_CALLER_NAME, LONG_BORROWER_NAME = "Maximilian Fernández Montgomery", "María Guadalupe"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """The fewest seconds that any place concerned gives, and the state that gives them."""

    seconds: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """What somebody who calls a borrower has before them."""

    script: RenderedTemplate | None  # None: none in use that can be filled in
    seconds: int  # until all is said, as reckoned
    say_within: TimeLimit | None
    end_within: TimeLimit | None  # after the borrower asks for it

    @property
    def is_too_slow(self) -> bool:
        """These names take longer than the strictest place gives."""
        return self.say_within is not None and self.seconds > self.say_within.seconds


def script_for_call(call_at: datetime, *, lead: Lead, by: User) -> CallScript:
    """What is before whoever began a call at `call_at`: the words that were in use then."""
    words = render_script(lead, by=by, at=call_at)
    states = person_places.candidate_states(
        Facts(places=possible_places(lead))
    )  # every one, as the gate counts them
    return CallScript(
        script=words,
        seconds=max(_seconds_until_said(words, lead, by.name).values(), default=0) if words else 0,
        say_within=_strictest_limit({state: STATES[state].disclose_seconds for state in states}),
        end_within=_strictest_limit({state: STATES[state].end_call_seconds for state in states}),
    )


def render_script(lead: Lead, *, by: User, at: datetime) -> RenderedTemplate | None:
    """The words in use at `at`, for this caller and borrower; None where there are none."""
    try:
        template = message_templates.live_template(
            TEMPLATE_KEY,
            medium=MEDIUM,
            language=message_templates.language_for(lead.person.language),
            loan_kind=LOAN_KINDS.get(lead.purpose, ""),
            is_closed=message_templates.is_company_closed(current_company(), at),
            at=at,
        )
        return _render_template(template, lead, by.name, at)
    except (NoTemplate, BadTemplate):
        return None  # the call is as lawful as before; the page says what to say


def script_version_id(lead: Lead, *, by: User, at: datetime) -> UUID | None:
    """The edition that stands before somebody who calls now, for the ledger to keep."""
    words = render_script(lead, by=by, at=at)
    return words.template.pk if words else None


def longest_seconds(template: Template, *, at: datetime) -> dict[str, int | None]:
    """By part of `PARTS`, the seconds until it is said to anybody; None where some never hear it.

    Raises `BadTemplate`.
    """
    heard = [
        _seconds_until_said(
            _render_template(template, lead, LONG_CALLER_NAME, at), lead, LONG_CALLER_NAME
        )
        for lead in _sample_leads(template)
    ]
    return {
        part: max(one[part] for one in heard) if all(part in one for one in heard) else None
        for part in REQUIRED_PARTS
    }


def find_problems(said: Mapping[str, int | None]) -> Iterator[tuple[str, str]]:
    """What keeps words of which this is said from use, each a sentence with its citation."""
    never = [part for part, seconds in said.items() if seconds is None]
    for part in never:
        yield f"It never says {part}: fill in “{REQUIRED_PARTS[part]}”.", call_rules.DIS_01.cite
    if never:
        return
    seconds, last = max((seconds or 0, part) for part, seconds in said.items())
    missed = sorted(
        (row.disclose_seconds, STATE_NAMES[code], ruling.cite)
        for code, row in STATES.items()
        if (ruling := call_rules.check_identification_time(state=code, seconds=seconds)).decision
        != Decision.ALLOW
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
    words = WORD_PATTERN.findall(text)
    spelled = [word for word in words if word.isupper() and len(word) <= MAX_ABBREVIATION_LENGTH]
    return ceil((len(words) + sum(len(one) - 1 for one in spelled)) * 60 / WORDS_PER_MINUTE)


def _seconds_until_said(words: RenderedTemplate, lead: Lead, caller: str) -> dict[str, int]:
    """By part, the seconds after which it has been said; a part that is not said is not there."""
    kinds = LOAN_PHRASES[words.template.language]
    looked_for = [caller, current_company().brand, kinds.get(lead.purpose, kinds[""])]
    found = {
        part: re.search(rf"(?<!\w){re.escape(one)}(?!\w)", words.body, re.IGNORECASE)
        for part, one in zip(REQUIRED_PARTS, looked_for, strict=True)
    }
    return {part: spoken_seconds(words.body[: one.end()]) for part, one in found.items() if one}


def _render_template(template: Template, lead: Lead, caller: str, at: datetime) -> RenderedTemplate:
    return message_templates.render_template(
        template,
        lead=lead,
        company=current_company(),
        officer=lead.officer,
        at=at,
        extra_context={"caller": {"name": caller}},
    )


def _sample_leads(template: Template) -> Iterator[Lead]:
    """One with each kind of loan that these words are for."""
    person = Person(first_name=LONG_BORROWER_NAME)
    for purpose in LOAN_PHRASES[template.language]:
        if template.loan_kind in ("", LOAN_KINDS.get(purpose, "")):
            yield Lead(person=person, purpose=purpose, property_state="FL")


def _strictest_limit(limits: Mapping[str, int | None]) -> TimeLimit | None:
    found = [(seconds, code) for code, seconds in limits.items() if seconds is not None]
    if not found:
        return None
    seconds, code = min(found)
    return TimeLimit(seconds=seconds, state=STATE_NAMES[code])
