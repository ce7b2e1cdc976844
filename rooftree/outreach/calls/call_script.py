"""Opening script of a call: caller, company and purpose within the state's seconds (DIS-01).

The script is a template like any other. Its duration is estimated from the words.
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
from rooftree.outreach.calls import call_reason
from rooftree.outreach.calls.call_reason import CallReason
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
# An unhurried phone voice; trained readers speak 150 to 160. A faster speaker finishes sooner,
# which breaks no law, so a slow pace is the safe assumption.
WORDS_PER_MINUTE = 150
WORD_PATTERN = re.compile(r"\d|[^\W\d_]+(?:['’][^\W\d_]+)*")  # digits are spoken one by one
MAX_ABBREVIATION_LENGTH = 4  # letters; NMLS is spelled out
REQUIRED_PARTS = {  # required part: the placeholder that fills it
    "the caller’s name": "caller.name",
    "the company’s name": "company.brand",
    "the purpose": "lead.kind",
}
# Longer than most names: a script in time with these is in time with nearly everyone's.
LONG_CALLER_NAME, LONG_BORROWER_NAME = "Maximilian Fernández Montgomery", "María Guadalupe"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """The shortest limit of all states concerned, and the state it comes from."""

    seconds: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """The script shown to a caller, with its estimated duration and the limits."""

    script: RenderedTemplate | None  # None: no live template could be rendered
    seconds: int  # estimated, until all required parts are said
    say_within: TimeLimit | None
    end_within: TimeLimit | None  # after the borrower asks to end the call

    @property
    def is_too_slow(self) -> bool:
        """Return True if the script takes longer than the strictest state allows."""
        return self.say_within is not None and self.seconds > self.say_within.seconds


def script_for_call(call_at: datetime, *, lead: Lead, by: User) -> CallScript:
    """Return the script for a call begun at `call_at`, from the template live then."""
    script = render_script(lead, by=by, at=call_at)
    states = person_places.candidate_states(Facts(places=possible_places(lead)))  # as in the gate
    return CallScript(
        script=script,
        seconds=max(_seconds_until_said(script, lead, by.name).values(), default=0)
        if script
        else 0,
        say_within=_strictest_limit({state: STATES[state].disclose_seconds for state in states}),
        end_within=_strictest_limit({state: STATES[state].end_call_seconds for state in states}),
    )


def render_script(lead: Lead, *, by: User, at: datetime) -> RenderedTemplate | None:
    """Render the template live at `at` for this caller and borrower; None if there is none."""
    try:
        template = message_templates.live_template(
            TEMPLATE_KEY,
            medium=MEDIUM,
            language=message_templates.language_for(lead.person.language),
            loan_kind=LOAN_KINDS.get(lead.purpose, ""),
            hours="closed" if message_templates.is_company_closed(current_company(), at) else "",
            at=at,
        )
        reason = call_reason.find_reason(lead, call_at=at)
        return _render_template(template, lead, by.name, at, reason=reason)
    except (NoTemplate, BadTemplate):
        return None  # the call is still lawful; the page lists what to say


def script_version_id(lead: Lead, *, by: User, at: datetime) -> UUID | None:
    """Return the id of the template version shown to the caller, for the ledger."""
    script = render_script(lead, by=by, at=at)
    return script.template.pk if script else None


def longest_seconds(template: Template, *, at: datetime) -> dict[str, int | None]:
    """Return, per required part, the longest time until it is said, in seconds.

    None means that some borrowers never hear the part. Raises `BadTemplate`.
    """
    samples = [
        _seconds_until_said(
            _render_template(template, lead, LONG_CALLER_NAME, at, reason=reason),
            lead,
            LONG_CALLER_NAME,
        )
        for lead in _sample_leads(template)
        for reason in CallReason
    ]
    return {
        part: max(seconds[part] for seconds in samples)
        if all(part in seconds for seconds in samples)
        else None
        for part in REQUIRED_PARTS
    }


def find_problems(seconds_by_part: Mapping[str, int | None]) -> Iterator[tuple[str, str]]:
    """Yield the problems that keep a script from use, each a sentence and its citation.

    Args:
        seconds_by_part: the result of `longest_seconds`.
    """
    missing = [part for part, seconds in seconds_by_part.items() if seconds is None]
    for part in missing:
        yield f"Add {part}: insert “{REQUIRED_PARTS[part]}”.", call_rules.DIS_01.cite
    if missing:
        return
    seconds, last_part = max((seconds or 0, part) for part, seconds in seconds_by_part.items())
    exceeded = sorted(
        (row.disclose_seconds, STATE_NAMES[code], ruling.cite)
        for code, row in STATES.items()
        if (ruling := call_rules.check_identification_time(state=code, seconds=seconds)).decision
        != Decision.ALLOW
        and row.disclose_seconds is not None
    )
    if not exceeded:
        return
    (limit, state, cite), *others = exceeded
    other_limits = "".join(f", {name} {seconds_there}" for seconds_there, name, _ in others)
    yield (
        f"{state} allows {limit} seconds{other_limits}. This script takes about {seconds} seconds"
        f" to get to {last_part}. Shorten what comes before.",
        cite,
    )


def spoken_seconds(text: str) -> int:
    """Return how long it takes to say `text`, in whole seconds."""
    words = WORD_PATTERN.findall(text)
    spelled = [word for word in words if word.isupper() and len(word) <= MAX_ABBREVIATION_LENGTH]
    return ceil((len(words) + sum(len(word) - 1 for word in spelled)) * 60 / WORDS_PER_MINUTE)


def _seconds_until_said(script: RenderedTemplate, lead: Lead, caller: str) -> dict[str, int]:
    """Return the seconds until each required part is said; a part never said is left out."""
    kinds = LOAN_PHRASES[script.template.language]
    phrases = [caller, current_company().brand, kinds.get(lead.purpose, kinds[""])]
    matches = {
        part: re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", script.body, re.IGNORECASE)
        for part, phrase in zip(REQUIRED_PARTS, phrases, strict=True)
    }
    return {
        part: spoken_seconds(script.body[: match.end()]) for part, match in matches.items() if match
    }


def _render_template(
    template: Template, lead: Lead, caller: str, at: datetime, *, reason: CallReason
) -> RenderedTemplate:
    phrase = call_reason.reason_phrase(reason, template.language, lead.purpose)
    return message_templates.render_template(
        template,
        lead=lead,
        company=current_company(),
        officer=lead.officer,
        at=at,
        extra_context={"caller": {"name": caller}, "call": {"reason": phrase}},
    )


def _sample_leads(template: Template) -> Iterator[Lead]:
    """Yield one lead for each loan purpose the template covers."""
    person = Person(first_name=LONG_BORROWER_NAME)
    for purpose in LOAN_PHRASES[template.language]:
        if template.loan_kind in ("", LOAN_KINDS.get(purpose, "")):
            yield Lead(person=person, purpose=purpose, property_state="FL")


def _strictest_limit(limits: Mapping[str, int | None]) -> TimeLimit | None:
    known = [(seconds, code) for code, seconds in limits.items() if seconds is not None]
    if not known:
        return None
    seconds, code = min(known)
    return TimeLimit(seconds=seconds, state=STATE_NAMES[code])
