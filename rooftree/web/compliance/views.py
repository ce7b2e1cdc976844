"""Compliance: look up any number or address, what waits for a person, what proves the rest."""

from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse
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
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 40
MAX_LISTED = 25  # held messages on the first page
MEDIA = ("call", "text", "voicemail", "email")


@staff_view("GET")
def show_compliance(request: StaffRequest) -> HttpResponse:
    """The search; before it was used, what waits and how things stand."""
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
    """One verdict, opened; for whoever may see its lead."""
    rows = Verdict.objects.filter(lead__in=leads_visible_to(request.user))
    one = get_object_or_404(rows.select_related("person", "lead"), pk=verdict_id)
    context = {"one": contact_lookup.verdict_details(one), "lead": one.lead}
    if request.htmx:
        return render(request, "compliance/_verdict.html", context)
    return render(request, "compliance/verdict.html", context)


@staff_view("POST")
def add_do_not_contact(request: StaffRequest) -> HttpResponse:
    """Put a number or address on our own list: nothing goes there again."""
    require_permission(request.user, "revoke_consent")
    require_permission(request.user, "see_compliance")
    address = contact_lookup.parse_address(request.POST.get("address", ""))
    media = [one for one in MEDIA if one in request.POST.getlist("media")]
    back = f"{reverse('compliance')}?{urlencode({'q': address.display if address else ''})}"
    if address is None or not media:
        why = (
            "Tick what must stop." if address else "This is no phone number and no e-mail address."
        )
        return respond_refused(request, why, back_to=back, status=422)
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
    return respond_done(request, f"Nothing goes to {address.display} any more", back_to=back)


@staff_view("POST")
def download_evidence(request: StaffRequest) -> HttpResponse:
    """Everything on file about one number or address, to keep or to hand over."""
    require_permission(request.user, "make_evidence")
    address = contact_lookup.parse_address(request.POST.get("address", ""))
    if address is None:
        why = "This is no phone number and no e-mail address."
        return respond_refused(request, why, back_to=reverse("compliance"), status=422)
    actor = f"user:{request.user.pk}"
    body = evidence_archive.build_archive(address.key, actor=actor, at=request.at)
    name = f"evidence {address.key.lstrip('+')} {request.at:%Y-%m-%d}.zip"
    return FileResponse(BytesIO(body), as_attachment=True, filename=name)


@staff_view("POST")
def resolve_hold(request: StaffRequest, revocation_id: UUID) -> HttpResponse:
    """A person read the words and says whether they were a stop."""
    require_permission(request.user, "release_hold")
    is_stop = request.POST.get("meaning") == "stop"
    try:
        message_reviews.decide_hold(
            revocation_id=revocation_id, is_stop=is_stop, by=request.user, at=request.at
        )
    except hold_review.HoldAlreadyDecided as problem:
        return respond_refused(request, str(problem), back_to=reverse("compliance"))
    said = "Released. Messages that waited for it can be let go one by one"
    if is_stop:
        said = "It counts as a stop from now on"
    return respond_done(request, said, back_to=reverse("compliance"))


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
    page = Paginator(verdicts, PAGE_SIZE).get_page(request.GET.get("page"))
    lines = [contact_lookup.verdict_line(one) for one in page.object_list]
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
        "stopped": [contact_lookup.STOPPED_MEDIA_LABELS.get(one, one) for one in stopped],
        "page": page,
        "lines": lines,
        "first": contact_lookup.verdict_details(lines[0]["verdict"]) if lines else None,
        "decisions": contact_lookup.DECISION_LABELS.items(),
        "decision": decision,
        "medium": medium,
        "media": [("call", "Call"), ("text", "Text"), ("email", "E-mail")],
        "offered_media": ["email"] if address.is_email else ["call", "text", "voicemail"],
        "names_of_media": contact_lookup.MEDIA_LABELS,
    }


def _inbox_context(request: StaffRequest) -> dict[str, Any]:
    """What a person must look at, and what waits for its hour."""
    mine = leads_visible_to(request.user)
    messages = Message.objects.filter(lead__in=mine, direction="out").select_related(
        "lead__person", "verdict"
    )
    held = messages.filter(state="held").order_by("due_at", "id")
    review = messages.filter(state="review").order_by("created_at", "id")
    holds = Revocation.objects.filter(kind="review", ended_at=None).select_related("person")
    company = Company.objects.first()
    day = request.at.date()
    return {
        "today": compliance_inbox.list_inbox_lines(request.user, request.at),
        "holds": holds.order_by("at", "id")[:MAX_LISTED],
        "review": review[:MAX_LISTED],
        "review_count": review.count(),
        "held": held[:MAX_LISTED],
        "held_count": held.count(),
        "company": company,
        "emergencies": list(enumerate(company.emergencies)) if company else [],
        "is_fresh": _is_checked_today(company, request),
        "watched": [
            place_name(one) for one in approved_changes.states_with_switch(EMERGENCY_STOP, day)
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
    """What the do-not-call lists that we hold say of a number."""
    today = company_day(request.at)
    good_for = loaded_lists.max_copy_age_days(today)
    said = [] if address.is_email else number_lookup.look_up_number(address.key)
    return {
        "lists": [
            {
                "title": list_title(one.registry),
                "dated": one.dated,
                "by": one.vendor,
                "is_listed": one.is_listed,
                "tone": age_tone(
                    loaded_lists.days_left(one.registry, one.dated, today=today, max_age_days=good_for)
                ),
            }
            for one in said
        ],
        "has_national": any(one.registry == NATIONAL for one in said),
    }


def _registry_summary(request: StaffRequest) -> dict[str, Any]:
    """How many numbers the do-not-call registries we hold list, and how old the copies are."""
    held = loaded_lists.loaded_lists(today=company_day(request.at))
    aging = [loaded_list for loaded_list in held if loaded_list.days_left is not None]
    return {
        "count": sum(one.file_count for one in aging),
        "numbers": f"{sum(one.numbers for one in aging):,}",
        "oldest": min((one.dated for one in aging), default=None),
        "late": sum(one.file_count for one in aging if age_tone(one.days_left) == "late"),
        "good_for": loaded_lists.max_copy_age_days(company_day(request.at)),
    }


def _is_checked_today(company: Company | None, request: StaffRequest) -> bool:
    checked = company.emergencies_checked_at if company else None
    return bool(checked and (request.at - checked).total_seconds() < 24 * 3600)


def _parse_or_new_uuid(typed: str | None) -> UUID:
    """What makes a form count once; one of its own when it brought none."""
    try:
        return UUID(typed or "")
    except ValueError:
        return uuid4()
