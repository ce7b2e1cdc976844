"""Putting a message nobody typed in line: from a template, by each medium it can go by."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rooftree.leads import reach, unfinished
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.org.the_company import the_company
from rooftree.outreach import send, wording
from rooftree.outreach.models import Message, Template

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One message to be made of a template: once a cause and medium."""

    lead: Lead  # with its person, and its officer's user
    key: str  # of the template
    medium: str
    cause: str
    purpose: str = "marketing"
    more: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # further names of it
    due_at: datetime | None = None  # None: at once


def plan(  # noqa: PLR0913
    *,
    lead: Lead,
    key: str,
    cause: str,
    media: Iterable[str],
    at: datetime,
    purpose: str = "marketing",
    more: Mapping[str, Mapping[str, str]] | None = None,
    due_at: Mapping[str, datetime] | None = None,
) -> list[Message]:
    """Put the template `key` in line for a lead, by several media; see `plan_all`."""
    wanted = [
        Wanted(
            lead=lead,
            key=key,
            medium=medium,
            cause=cause,
            purpose=purpose,
            more=more or {},
            due_at=(due_at or {}).get(medium),
        )
        for medium in media
    ]
    return plan_all(wanted, at=at)


def plan_all(
    wanted: Sequence[Wanted], *, at: datetime, worded_at: datetime | None = None
) -> list[Message]:
    """Put messages in line, each in its borrower's language; those planned.

    One without an address is left out, so is whoever only began a form and permitted nothing,
    and so is one whose wording is missing or
    broken: that is logged, and stops neither the others nor what the caller does besides.

    Args:
        worded_at: the moment whose wording is used; without it today's.
    """
    return send.plan_all(_planned(wanted, at, worded_at or at), at=at)


def drafts(wanted: Sequence[Wanted], *, at: datetime, worded_at: datetime) -> list[Message]:
    """The messages that `plan_all` would put in line. Nothing is written."""
    return [send.draft(one, at) for one in _planned(wanted, at, worded_at)]


def _planned(wanted: Sequence[Wanted], at: datetime, worded_at: datetime) -> list[send.Planned]:
    wanted = [one for one in wanted if not unfinished.only_begun(one.lead)]
    if not wanted:
        return []
    reach.load([one.lead.person for one in wanted], "phones", "emails")
    company = the_company()
    live = wording.live_templates({one.key for one in wanted}, at=worded_at)
    planned: list[send.Planned] = []
    for one in wanted:
        if not (to := send.address_for(one.lead, one.medium)):
            continue
        try:
            words = _words(one, live, company, at)
        except (wording.NoWording, wording.BadTemplate) as problem:
            log.error("a %s was not planned: %s", one.medium, problem)
            continue
        planned.append(
            {
                "lead": one.lead,
                "medium": one.medium,
                "purpose": one.purpose,
                "cause": one.cause,
                "words": words,
                "to": to,
                "due_at": one.due_at,
            }
        )
    return planned


def _words(one: Wanted, live: Sequence[Template], company: Company, at: datetime) -> wording.Words:
    lead = one.lead
    template = wording.best(
        live,
        one.key,
        medium=one.medium,
        language=wording.language_for(lead.person.language),
        loan_kind=wording.LOAN_KINDS.get(lead.purpose, ""),
        is_closed=wording.is_closed(company, at),
    )
    rendered = wording.render(
        template, lead=lead, company=company, officer=lead.officer, at=at, more=one.more
    )
    return wording.Words.of(rendered, lead.officer)
