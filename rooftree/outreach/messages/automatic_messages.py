"""Automatic messages: rendered from a template and queued, one per medium."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rooftree.leads import contact_points, unfinished_forms
from rooftree.leads.models import Lead
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from rooftree.outreach.messages import call_outlook, plan_messages, send
from rooftree.outreach.messages.call_outlook import CallOutlook
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import message_templates

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """One message to create from a template, once per cause and medium."""

    lead: Lead  # with person and officer's user loaded
    key: str  # of the template
    medium: str
    idempotency_key: str
    purpose: str = "marketing"
    extra_context: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # further names of it
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
    """Queue the template `key` for a lead by several media; see `queue_requests`."""
    requests = [
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
    return queue_requests(requests, at=at)


def queue_requests(
    requests: Sequence[MessageRequest], *, at: datetime, worded_at: datetime | None = None
) -> list[Message]:
    """Render and queue messages, each in its borrower's language; return the queued messages.

    Skips a request without an address, and a lead with only unfinished forms and no
    permission. A missing or broken template is logged and skipped, so that the other messages
    and the caller's own work go on.

    Args:
        worded_at: use the templates live at this time; None means `at`.
    """
    return send.queue_messages(_render_requests(requests, at, worded_at or at), at=at)


def draft_requests(
    requests: Sequence[MessageRequest], *, at: datetime, worded_at: datetime
) -> list[Message]:
    """Return the messages that `queue_requests` would queue. Nothing is saved."""
    return [
        plan_messages.build_message(spec, at) for spec in _render_requests(requests, at, worded_at)
    ]


def _render_requests(
    requests: Sequence[MessageRequest], at: datetime, worded_at: datetime
) -> list[plan_messages.MessageSpec]:
    requests = [
        request
        for request in requests
        if not unfinished_forms.has_only_unfinished_forms(request.lead)
    ]
    if not requests:
        return []
    contact_points.prefetch_contacts(
        [request.lead.person for request in requests], "phones", "emails"
    )
    company = current_company()
    live = message_templates.live_templates({request.key for request in requests}, at=worded_at)
    promised = {
        request.lead.pk: request.lead
        for request in requests
        if request.key in call_outlook.KEYS_THAT_PROMISE
    }
    outlooks = call_outlook.outlooks_of_leads([*promised.values()], at=at)
    planned: list[plan_messages.MessageSpec] = []
    for request in requests:
        if not (to := plan_messages.address_for(request.lead, request.medium)):
            continue
        try:
            words = _render_content(request, live, company, outlooks.get(request.lead.pk), at)
        except (message_templates.NoTemplate, message_templates.BadTemplate) as problem:
            log.error("could not queue a %s: %s", request.medium, problem)
            continue
        planned.append(
            {
                "lead": request.lead,
                "medium": request.medium,
                "purpose": request.purpose,
                "cause": request.idempotency_key,
                "words": words,
                "to": to,
                "due_at": request.due_at,
            }
        )
    return planned


def _render_content(
    request: MessageRequest,
    live: Sequence[Template],
    company: Company,
    outlook: CallOutlook | None,
    at: datetime,
) -> message_templates.MessageContent:
    lead = request.lead
    if outlook is None:  # the message promises no call
        is_closed = message_templates.is_company_closed(company, at)
        outlook = CallOutlook(
            hours="closed" if is_closed else "",
            calls_from=message_templates.company_opening(company, at),
        )
    template = message_templates.best_template(
        live,
        request.key,
        medium=request.medium,
        language=message_templates.language_for(lead.person.language),
        loan_kind=message_templates.LOAN_KINDS.get(lead.purpose, ""),
        hours=outlook.hours,
    )
    day = message_templates.call_day_phrase(company, template.language, outlook.calls_from)
    rendered = message_templates.render_template(
        template,
        lead=lead,
        company=company,
        officer=lead.officer,
        at=at,
        extra_context={"call": {"day": day}, **request.extra_context},
    )
    return message_templates.MessageContent.from_rendered(rendered, lead.officer)
