"""Automatic messages: rendered from a template and queued, one per medium.

A message must not promise a call that the gate forbids, and must not say that nobody is there
while an officer takes the lead. So the gate is asked about our call before the template is picked.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q, prefetch_related_objects

from rooftree.compliance.gate import message_gate
from rooftree.compliance.gate.facts import Medium
from rooftree.compliance.gate.license_checks import ACTIVE_STATUSES
from rooftree.compliance.gate.verdict import Decision, Verdict
from rooftree.leads import contact_points, unfinished_forms
from rooftree.leads.models import Lead
from rooftree.org import officer_licenses, working_hours
from rooftree.org.current_company import current_company
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.message_facts import build_contact_by_hand, gather_facts
from rooftree.outreach.messages import plan_messages, send
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import message_templates

log = logging.getLogger(__name__)
# Templates that say that we call, or when.
KEYS_THAT_PROMISE = frozenset({"first_hello", "again_hello", "missed_call"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutlook:
    """The hours of the fitting template, and the moment from when we can call."""

    hours: str = ""  # as of a template: closed, no_call; "": a call comes soon
    calls_from: datetime | None = None  # None: soon, or never


SOON, NO_CALL = CallOutlook(), CallOutlook(hours="no_call")


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


def preview_calls(leads: Sequence[Lead], *, company: Company, at: datetime) -> dict[UUID, Verdict]:
    """Return the gate's verdict about a call by hand to each borrower now. Nothing is stored.

    A borrower without a phone number has none.

    Args:
        leads: with persons and officers loaded.
    """
    prefetch_related_objects([*leads], "source", "officer__user")
    contact_points.prefetch_contacts([lead.person for lead in leads], "phones", "emails")
    officer_licenses.prefetch_licenses(lead.officer for lead in leads)
    numbers = {lead.pk: plan_messages.address_for(lead, "call") for lead in leads}
    reachable = [lead for lead in leads if numbers[lead.pk]]
    keys = {lead.pk: [numbers[lead.pk]] for lead in reachable}
    records = LeadRecords.load_many(reachable, keys=keys, at=at) if reachable else {}
    verdicts = {}
    for lead in reachable:
        call = build_contact_by_hand(Medium.CALL, lead, numbers[lead.pk], records[lead.pk])
        facts = gather_facts(call, lead=lead, company=company, at=at, records=records[lead.pk])
        verdicts[lead.pk] = message_gate.decide(facts)
    return verdicts


def _outlooks_of_leads(
    leads: Sequence[Lead], company: Company, at: datetime
) -> dict[UUID, CallOutlook]:
    """Return what can be promised to each borrower at `at`, by lead id.

    Args:
        leads: with persons and officers loaded.
    """
    if not leads:
        return {}
    verdicts = preview_calls(leads, company=company, at=at)
    is_closed = message_templates.is_company_closed(company, at)
    on_duty = _load_officers_on_duty(at) if is_closed else []
    return {
        lead.pk: _judge_outlook(
            verdicts.get(lead.pk),
            company,
            is_attended=not is_closed or _is_attended(lead, on_duty, company, at),
            at=at,
        )
        for lead in leads
    }


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
        request.lead.pk: request.lead for request in requests if request.key in KEYS_THAT_PROMISE
    }
    outlooks = _outlooks_of_leads([*promised.values()], company, at)
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


def _judge_outlook(
    verdict: Verdict | None, company: Company, *, is_attended: bool, at: datetime
) -> CallOutlook:
    if verdict is None or verdict.decision in (Decision.REQUIRE, Decision.BLOCK):
        return NO_CALL
    if verdict.decision is Decision.ALLOW and is_attended:
        return SOON
    earliest = verdict.next_allowed_at or at
    opening = working_hours.next_opening(company.hours, zone=company.zone, at=earliest)
    return CallOutlook(hours="closed", calls_from=opening or earliest)


def _load_officers_on_duty(at: datetime) -> list[LoanOfficer]:
    """Return the officers at work now who take leads, with their licenses."""
    officers = LoanOfficer.objects.filter(
        Q(paused_at=None) | Q(paused_at__gt=at), terminated_at=None
    ).prefetch_related("licenses")
    return [
        officer
        for officer in officers
        if working_hours.is_open(officer.hours, zone=officer.zone, at=at)
    ]


def _is_attended(
    lead: Lead, on_duty: Sequence[LoanOfficer], company: Company, at: datetime
) -> bool:
    """Return True if the lead's officer is at work, or for an unowned lead one who can take it."""
    if lead.officer_id is not None:
        return any(officer.pk == lead.officer_id for officer in on_duty)
    if company.kind == "depository":
        return bool(on_duty)
    today = working_hours.local_date(company.zone, at)
    return any(
        row.state == lead.property_state
        and row.status in ACTIVE_STATUSES
        and row.from_date <= today
        and (row.until_date is None or row.until_date > today)
        for officer in on_duty
        for row in officer.licenses.all()
    )
