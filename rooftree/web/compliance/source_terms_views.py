"""What compliance writes down: source terms, and the daily look at declared emergencies."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import localdate

from rooftree.compliance.consent import source_terms
from rooftree.compliance.consent.source_terms import (
    CHANNELS,
    REPORT_PURPOSES,
    SIGNATURES,
    SOURCE_CLASSES,
    BadTerms,
)
from rooftree.compliance.consent.store_consents import terms_in_force
from rooftree.compliance.gate import emergency_list
from rooftree.compliance.gate.rulebook import EMERGENCY_STOP
from rooftree.compliance.rule_changes import approved_changes
from rooftree.leads.models import Source
from rooftree.money.company_day import company_day
from rooftree.routing.permissions import has_permission
from rooftree.web.compliance.views import require_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    StaffForm,
    checkbox_field,
    checkboxes_field,
    choice_field,
    date_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


class SourceTermsForm(StaffForm):
    """What the consumers of one source agree to, as read by a person."""

    from_date = date_field("In force from", "The ones before end on this day")
    names_us = checkbox_field("The form, or the list it shows, names us")
    seller_snapshot = textarea_field("The list or line that names us", "Copied as shown")
    wording = textarea_field("The wording they agree to", "Exactly as the consumer sees it", rows=5)
    signature = choice_field("How they agree", SIGNATURES.items(), required=False)
    channels = checkboxes_field("It covers", CHANNELS.items())
    source_class = choice_field(
        "Whose data it is", SOURCE_CLASSES.items(), "Of whom nobody knows, nobody is contacted",
        required=False,
    )  # fmt: skip
    is_firm_offer = checkbox_field("Of a credit bureau: everyone it brings gets a firm offer")
    criteria = textarea_field(
        "The criteria of that offer", "As they were set before it was made", rows=2
    )
    is_authorized = checkbox_field(
        "Of a credit bureau: the contract has each consumer’s authorization certified to it"
    )
    report_purpose = choice_field(
        "Why it may give us credit data", REPORT_PURPOSES.items(),
        "A score it assigned rests on a consumer report; what consumers say of themselves does not",
        required=False,
    )  # fmt: skip
    report_words = textarea_field("The words for it", "Exactly as the consumer signs them", rows=3)
    proof_owed = text_field(
        "Proof the source owes us", "As certificates on request", required=False, max_length=200
    )


@staff_view("GET")
def list_source_terms(request: StaffRequest) -> HttpResponse:
    """The terms in force of each source; those without any come first."""
    require_permission(request.user, "see_compliance")
    found = source_terms.terms_by_source(request.at.date())
    rows = sorted(found, key=lambda pair: pair[1] is not None)
    return render(request, "compliance/all_source_terms.html", {"rows": rows})


@staff_view("GET", "POST")
def edit_source_terms(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """The terms of one source, by date; new ones are a new row."""
    require_permission(request.user, "see_compliance")
    source = get_object_or_404(Source, pk=source_id)
    now = terms_in_force(source.pk, request.at.date())
    form = SourceTermsForm(
        request.POST or None, initial=_terms_initial(now, company_day(request.at))
    )
    status = 200
    if request.method == "POST":
        require_permission(request.user, "review_terms")
        if form.is_valid():
            facts = dict(form.cleaned_data)
            from_date = facts.pop("from_date")
            try:
                source_terms.record_terms(
                    source=source, from_date=from_date, facts=facts, by=request.user, at=request.at
                )
            except BadTerms as problem:
                form.show_refusal(problem.field, str(problem))
            else:
                return respond_done(
                    request, f"Terms of {source.name} recorded", back_to=request.path
                )
        status = 422
    context = {
        "source": source,
        "form": form,
        "now": now,
        "rows": source.terms.select_related("reviewed_by").order_by("-from_date", "-id"),
        "channels": CHANNELS,
        "signatures": SIGNATURES,
        "classes": SOURCE_CLASSES,
        "purposes": REPORT_PURPOSES,
        "may_review": has_permission(request.user, "review_terms"),
    }
    return render(request, "compliance/source_terms.html", context, status=status)


@staff_view("POST")
def record_emergencies(request: StaffRequest) -> HttpResponse:
    """Say that the list is right today, put a declaration on it, or end one."""
    require_permission(request.user, "record_emergencies")
    back, by, at = reverse("compliance"), request.user, request.at
    act = request.POST.get("act", "")
    try:
        if act == "declare":
            emergency_list.declare_emergency(**_parse_declaration(request), by=by, at=at)
            return respond_done(request, "On the list; sales contact there stops", back_to=back)
        if act.startswith("lift:"):
            number = act.removeprefix("lift:")
            emergency_list.lift_emergency(
                number=int(number) if number.isdecimal() else -1, by=by, at=at
            )
            return respond_done(request, "Ended as of today", back_to=back)
    except emergency_list.BadEmergency as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    emergency_list.confirm_list(by=by, at=at)
    states = ", ".join(approved_changes.states_with_switch(EMERGENCY_STOP, company_day(at)))
    return respond_done(request, f"Noted: the list of {states} is right today", back_to=back)


def _parse_declaration(request: StaffRequest) -> dict[str, Any]:
    typed = request.POST
    return {
        "state": typed.get("state", "").strip().upper(),
        "county": typed.get("county", ""),
        "from_date": _parse_date(typed.get("from")) or localdate(request.at),
        "until_date": _parse_date(typed.get("until")),
    }


def _parse_date(typed: str | None) -> date | None:
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise emergency_list.BadEmergency("Write the day as 2026-11-30.") from None


def _terms_initial(now: Any, today: date) -> dict[str, Any]:
    """The terms in force, to begin from; dated today."""
    kept = (
        *("names_us", "seller_snapshot", "wording", "signature", "channels", "proof_owed"),
        *("source_class", "is_firm_offer", "criteria", "is_authorized"),
        *("report_purpose", "report_words"),
    )
    return {"from_date": today, **{name: getattr(now, name) for name in kept if now}}
