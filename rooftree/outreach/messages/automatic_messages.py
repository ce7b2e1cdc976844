"""Putting a message nobody typed in line: from a template, by each medium it can go by."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rooftree.leads import contact_points, unfinished_forms
from rooftree.leads.models import Lead
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import message_templates

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """One message to be made of a template: once a cause and medium."""

    lead: Lead  # with its person, and its officer's user
    key: str  # of the template
    medium: str
    idempotency_key: str
    purpose: str = "marketing"
    extra_context: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # further names of it
    due_at: datetime | None = None  # None: at once


def queue_template(  # noqa: PLR0913
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
        MessageRequest(
            lead=lead,
            key=key,
            medium=medium,
            idempotency_key=cause,
            purpose=purpose,
            extra_context=more or {},
            due_at=(due_at or {}).get(medium),
        )
        for medium in media
    ]
    return queue_requests(wanted, at=at)


def queue_requests(
    wanted: Sequence[MessageRequest], *, at: datetime, worded_at: datetime | None = None
) -> list[Message]:
    """Put messages in line, each in its borrower's language; those planned.

    One without an address is left out, so is whoever only began a form and permitted nothing,
    and so is one whose wording is missing or
    broken: that is logged, and stops neither the others nor what the caller does besides.

    Args:
        worded_at: the moment whose wording is used; without it today's.
    """
    return send.queue_messages(_render_requests(wanted, at, worded_at or at), at=at)


def draft_requests(
    wanted: Sequence[MessageRequest], *, at: datetime, worded_at: datetime
) -> list[Message]:
    """The messages that `plan_all` would put in line. Nothing is written."""
    return [
        send.build_message(render_request, at)
        for render_request in _render_requests(wanted, at, worded_at)
    ]


def _render_requests(
    wanted: Sequence[MessageRequest], at: datetime, worded_at: datetime
) -> list[send.MessageSpec]:
    wanted = [
        message_request
        for message_request in wanted
        if not unfinished_forms.has_only_unfinished_forms(message_request.lead)
    ]
    if not wanted:
        return []
    contact_points.prefetch_contacts(
        [message_request.lead.person for message_request in wanted], "phones", "emails"
    )
    company = current_company()
    live = message_templates.live_templates(
        {message_request.key for message_request in wanted}, at=worded_at
    )
    planned: list[send.MessageSpec] = []
    for message_request in wanted:
        if not (to := send.address_for(message_request.lead, message_request.medium)):
            continue
        try:
            words = _render_content(message_request, live, company, at)
        except (message_templates.NoTemplate, message_templates.BadTemplate) as problem:
            log.error("a %s was not planned: %s", message_request.medium, problem)
            continue
        planned.append(
            {
                "lead": message_request.lead,
                "medium": message_request.medium,
                "purpose": message_request.purpose,
                "cause": message_request.idempotency_key,
                "words": words,
                "to": to,
                "due_at": message_request.due_at,
            }
        )
    return planned


def _render_content(
    one: MessageRequest, live: Sequence[Template], company: Company, at: datetime
) -> message_templates.MessageContent:
    lead = one.lead
    template = message_templates.best_template(
        live,
        one.key,
        medium=one.medium,
        language=message_templates.language_for(lead.person.language),
        loan_kind=message_templates.LOAN_KINDS.get(lead.purpose, ""),
        is_closed=message_templates.is_company_closed(company, at),
    )
    rendered = message_templates.render_template(
        template, lead=lead, company=company, officer=lead.officer, at=at, extra_context=one.extra_context
    )
    return message_templates.MessageContent.from_rendered(rendered, lead.officer)
