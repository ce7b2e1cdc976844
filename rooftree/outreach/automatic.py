"""Putting a message nobody typed in line: from a template, by each medium it can go by."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.org.the_company import the_company
from rooftree.outreach import send, wording
from rooftree.outreach.models import Message

log = logging.getLogger(__name__)


def plan(  # noqa: PLR0913
    *,
    lead: Lead,
    key: str,
    cause: str,
    media: Iterable[str],
    at: datetime,
    purpose: str = "marketing",
    more: dict[str, dict[str, str]] | None = None,
    due_at: Mapping[str, datetime] | None = None,
) -> list[Message]:
    """Put the template `key` in line for a lead, in their language; those planned.

    A medium without an address is left out, and so is one whose wording is
    missing or broken: that is logged, and stops neither the other medium nor
    what the caller does besides.

    Args:
        cause: what makes it once, by each medium.
        more: further names of the template.
        due_at: by medium, where it is not at once.
    """
    company, planned = the_company(), []
    for medium in media:
        to = send.address_for(lead, medium)
        if not to:
            continue
        try:
            words = _words(lead, key, medium, company, more, at)
        except (wording.NoWording, wording.BadTemplate) as problem:
            log.error("a %s was not planned: %s", medium, problem)
            continue
        planned.append(
            send.plan(
                lead=lead,
                medium=medium,
                purpose=purpose,
                cause=cause,
                words=words,
                to=to,
                at=at,
                due_at=(due_at or {}).get(medium),
            )
        )
    return planned


def _words(
    lead: Lead,
    key: str,
    medium: str,
    company: Company,
    more: dict[str, dict[str, str]] | None,
    at: datetime,
) -> send.Words:
    language = wording.language_for(lead.person.language)
    template = wording.live_template(
        key,
        medium=medium,
        language=language,
        loan_kind=wording.LOAN_KINDS.get(lead.purpose, ""),
        is_closed=wording.is_closed(company, at),
        at=at,
    )
    rendered = wording.render(
        template, lead=lead, company=company, officer=lead.officer, at=at, more=more
    )
    return send.Words.of(rendered, lead.officer)
