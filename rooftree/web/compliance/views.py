"""Compliance: contact lookup, the review inbox, do-not-contact, and evidence files."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.consent import hold_review, source_terms, store_revocation
from rooftree.compliance.do_not_call import loaded_lists, number_lookup
from rooftree.compliance.do_not_call.load_list import NATIONAL
from rooftree.compliance.gate.rulebook import EMERGENCY_STOP
from rooftree.compliance.models import Finding, Revocation, Verdict
from rooftree.compliance.rule_changes import approved_changes
from rooftree.compliance.rule_changes.value_wording import place_name
from rooftree.flow import message_reviews
from rooftree.money.company_day import company_day
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.reporting.evidence import evidence_archive
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.compliance import compliance_inbox, contact_lookup, ledger_views
from rooftree.web.compliance.do_not_call_list_views import age_tone, list_title
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 40
MAX_LISTED = 25  # held messages on the first page
MEDIA = ("call", "text", "voicemail", "email")


@staff_view("GET")
def show_compliance(request: StaffRequest) -> HttpResponse:
    """Show the search, and its result or the inbox."""
    require_permission(request.user, "see_compliance")
    typed = request.GET.get("q", "").strip()
    address = contact_lookup.parse_address(typed) if typed else None
    context = {
        "has_context": True,
        "typed": typed,
        "address": address,
        "is_wrong": bool(typed) and address is None,
        **ledger_views.sealing_status(),
        "may_block": has_permission(request.user, "revoke_consent"),
        "may_prove": has_permission(request.user, "make_evidence"),
        "token": uuid4(),
        "may_see_fairness": has_permission(request.user, "see_fair_lending"),
        "findings": Finding.objects.filter(closed_at=None).count(),
    }
    if address:
        return render(
            request, "compliance/contact_lookup.html", context | _lookup_context(request, address)
        )
    return render(request, "compliance/show.html", context | _inbox_context(request))


@staff_view("GET")
def show_verdict(request: StaffRequest, verdict_id: UUID) -> HttpResponse:
    """Show one verdict to users who can see its lead."""
    rows = Verdict.objects.filter(lead__in=leads_visible_to(request.user))
    verdict = get_object_or_404(rows.select_related("person", "lead"), pk=verdict_id)
    context = {"details": contact_lookup.verdict_details(verdict), "lead": verdict.lead}
    if request.htmx:
        return render(request, "compliance/_verdict.html", context)
    return render(request, "compliance/verdict.html", context)


@staff_view("POST")
def add_do_not_contact(request: StaffRequest) -> HttpResponse:
    """Add a phone number or email to the internal do-not-contact list."""
    require_permission(request.user, "revoke_consent")
    require_permission(request.user, "see_compliance")
    address = contact_lookup.parse_address(request.POST.get("address", ""))
    media = [medium for medium in MEDIA if medium in request.POST.getlist("media")]
    back = f"{reverse('compliance')}?{urlencode({'q': address.display if address else ''})}"
    if address is None or not media:
        problem = "Choose what to stop." if address else contact_lookup.INVALID_ADDRESS
        return respond_refused(request, problem, back_to=back, status=422)
    people = list(contact_lookup.find_people(address, request.user)[:2])
    store_revocation.store_revocation(
        person_id=people[0].pk if len(people) == 1 else None,
        address=address.key,
        kind="do_not_contact",
        media=media,
        words=request.POST.get("words", "").strip()[:500],
        origin=f"user:{request.user.pk}",
        idempotency_key=f"page:{_parse_or_new_uuid(request.POST.get('token'))}",
        at=request.at,
    )
    return respond_done(request, f"Contact with {address.display} is stopped", back_to=back)


@staff_view("POST")
def download_evidence(request: StaffRequest) -> HttpResponse:
    """Download everything on file about one phone number or email, with its proof."""
    require_permission(request.user, "make_evidence")
    address = contact_lookup.parse_address(request.POST.get("address", ""))
    if address is None:
        back = reverse("compliance")
        return respond_refused(request, contact_lookup.INVALID_ADDRESS, back_to=back, status=422)
    actor = f"user:{request.user.pk}"
    body = evidence_archive.build_archive(address.key, actor=actor, at=request.at)
    name = f"evidence {address.key.lstrip('+')} {request.at:%Y-%m-%d}.zip"
    response = HttpResponse(body, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@staff_view("POST")
def release_hold(request: StaffRequest, revocation_id: UUID) -> HttpResponse:
    """End a hold: the reply was no opt-out, or the certificate's question is cleared up."""
    return _decide_hold(
        request, revocation_id, is_stop=False,
        words="Hold released. You can now send its messages one by one",
    )  # fmt: skip


@staff_view("POST")
def stop_held_contact(request: StaffRequest, revocation_id: UUID) -> HttpResponse:
    """Stop contact for good: the reply was an opt-out, or the number isn't the borrower's."""
    return _decide_hold(request, revocation_id, is_stop=True, words="Contact is stopped")


def _decide_hold(
    request: StaffRequest, revocation_id: UUID, *, is_stop: bool, words: str
) -> HttpResponse:
    require_permission(request.user, "release_hold")
    try:
        message_reviews.decide_hold(
            revocation_id=revocation_id, is_stop=is_stop, by=request.user, at=request.at
        )
    except hold_review.HoldAlreadyDecided as problem:
        return respond_refused(request, str(problem), back_to=reverse("compliance"))
    return respond_done(request, words, back_to=reverse("compliance"))


def _lookup_context(
    request: StaffRequest, address: contact_lookup.ContactAddress
) -> dict[str, Any]:
    people = list(contact_lookup.find_people(address, request.user))
    verdicts = contact_lookup.find_verdicts(people, request.user)
    decision, medium = request.GET.get("decision", ""), request.GET.get("medium", "")
    if decision in contact_lookup.DECISION_BADGES:
        verdicts = verdicts.filter(decision=decision)
    if medium in contact_lookup.MEDIA_LABELS:
        verdicts = verdicts.filter(medium=medium)
    page = get_page(request, verdicts, size=PAGE_SIZE)
    lines = [contact_lookup.verdict_line(verdict) for verdict in page.object_list]
    revocations = contact_lookup.list_revocations(address, people)
    stopped = sorted(
        {
            medium
            for revocation in revocations
            if revocation["row"].ended_at is None and revocation["row"].kind != "review"
            for medium in revocation["row"].media
        }
    )
    return {
        "people": contact_lookup.attach_newest_leads(people, request.user),
        **_do_not_call_status(address, request),
        "consents": contact_lookup.list_consents(address, people),
        "revocations": revocations,
        "stopped": [contact_lookup.STOPPED_MEDIA_LABELS.get(medium, medium) for medium in stopped],
        "page": page,
        "lines": lines,
        "first": contact_lookup.verdict_details(lines[0]["verdict"]) if lines else None,
        "decisions": contact_lookup.DECISION_LABELS.items(),
        "decision": decision,
        "medium": medium,
        "media": [("call", "Call"), ("text", "Text"), ("email", "Email")],
        "offered_media": ["email"] if address.is_email else ["call", "text", "voicemail"],
    }


def _inbox_context(request: StaffRequest) -> dict[str, Any]:
    """Return what needs review, what is on hold, and the status of lists and emergencies."""
    visible = leads_visible_to(request.user)
    messages = Message.objects.filter(lead__in=visible, direction="out").select_related(
        "lead__person", "verdict"
    )
    held_messages = messages.filter(state="held").order_by("due_at", "id")
    review = messages.filter(state="review").order_by("created_at", "id")
    holds = Revocation.objects.filter(kind="review", ended_at=None).select_related("person")
    company = Company.objects.first()
    checked_at = company.emergencies_checked_at if company else None
    day = request.at.date()
    return {
        "today": compliance_inbox.list_inbox_lines(request.user, request.at),
        "holds": [
            {"row": hold, "is_certificate": hold_review.is_certificate_hold(hold)}
            for hold in holds.order_by("at", "id")[:MAX_LISTED]
        ],
        "hold_count": holds.count(),
        "review": review[:MAX_LISTED],
        "review_count": review.count(),
        "held": held_messages[:MAX_LISTED],
        "held_count": held_messages.count(),
        "company": company,
        "emergencies": list(enumerate(company.emergencies)) if company else [],
        "is_fresh": checked_at is not None and request.at - checked_at < timedelta(days=1),
        "watched": [
            place_name(state) for state in approved_changes.states_with_switch(EMERGENCY_STOP, day)
        ],
        "lists": _registry_summary(request),
        "without_terms": sum(1 for _, terms in source_terms.terms_by_source(day) if terms is None),
        "may_release": has_permission(request.user, "release_hold"),
        "may_watch": has_permission(request.user, "record_emergencies"),
        "may_review": has_permission(request.user, "review_terms"),
    }


def _do_not_call_status(
    address: contact_lookup.ContactAddress, request: StaffRequest
) -> dict[str, Any]:
    """Return the number's entries on the loaded do-not-call lists."""
    today = company_day(request.at)
    max_age_days = loaded_lists.max_copy_age_days(today)
    entries = [] if address.is_email else number_lookup.look_up_number(address.key)
    return {
        "lists": [
            {
                "title": list_title(entry.registry),
                "dated": entry.dated,
                "vendor": entry.vendor,
                "is_listed": entry.is_listed,
                "tone": age_tone(
                    loaded_lists.days_left(
                        entry.registry, entry.dated, today=today, max_age_days=max_age_days
                    )
                ),
            }
            for entry in entries
        ],
        "has_national": any(entry.registry == NATIONAL for entry in entries),
    }


def _registry_summary(request: StaffRequest) -> dict[str, Any]:
    """Summarize the do-not-call lists that expire: their numbers and the age of the copies."""
    today = company_day(request.at)
    aging = [
        loaded_list
        for loaded_list in loaded_lists.loaded_lists(today=today)
        if loaded_list.days_left is not None
    ]
    return {
        "count": sum(loaded_list.file_count for loaded_list in aging),
        "numbers": f"{sum(loaded_list.numbers for loaded_list in aging):,}",
        "oldest": min((loaded_list.dated for loaded_list in aging), default=None),
        "late": sum(
            loaded_list.file_count
            for loaded_list in aging
            if age_tone(loaded_list.days_left) == "late"
        ),
        "good_for": loaded_lists.max_copy_age_days(today),
    }


def _parse_or_new_uuid(typed: str | None) -> UUID:
    """Return the form's idempotency token, or a new one if it has none."""
    try:
        return UUID(typed or "")
    except ValueError:
        return uuid4()
