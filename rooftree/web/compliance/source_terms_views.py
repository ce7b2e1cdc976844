"""Compliance > Source terms, and the daily check of declared states of emergency."""

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
from rooftree.web.lists.list_page import get_page
from rooftree.web.lists.url_filter import SearchForm, UrlFilter
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
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50


class SourceTermsForm(StaffForm):
    """One version of what a source's consumers agree to, as reviewed by staff."""

    from_date = date_field("In force from", "Earlier terms end on this day")
    names_us = checkbox_field("The form, or its list of sellers, names us")
    seller_snapshot = textarea_field("List or line that names us", "Copy it as shown")
    wording = textarea_field("Consent wording", "Exactly as the consumer sees it", rows=5)
    signature = choice_field("How they agree", SIGNATURES.items(), required=False)
    channels = checkboxes_field("Covers", CHANNELS.items())
    source_class = choice_field(
        "Origin of the data", SOURCE_CLASSES.items(), "Leads of unknown origin are not contacted",
        required=False,
    )  # fmt: skip
    is_firm_offer = checkbox_field("Credit bureau leads: every lead gets a firm offer")
    criteria = textarea_field("Firm offer criteria", "As set before the offer was made", rows=2)
    is_authorized = checkbox_field(
        "Credit bureau leads: the contract certifies each consumer’s authorization to the bureau"
    )
    report_purpose = choice_field(
        "Permissible purpose for credit data", REPORT_PURPOSES.items(),
        "Needed for a score that the source assigned, not for what consumers state themselves",
        required=False,
    )  # fmt: skip
    report_words = textarea_field(
        "Authorization wording", "Exactly as the consumer signs it", rows=3
    )
    proof_owed = text_field(
        "Proof the source owes us",
        "For example certificates on request",
        required=False,
        max_length=200,
    )


@staff_view("GET")
def list_source_terms(request: StaffRequest) -> HttpResponse:
    """List each source with its terms in force; sources without terms come first."""
    require_permission(request.user, "see_compliance")
    pairs = source_terms.terms_by_source(request.at.date())
    shown = UrlFilter(SearchForm(request.GET))
    name = shown.values.get("q", "").lower()
    pairs = [pair for pair in pairs if name in pair[0].name.lower()]
    page = get_page(request, sorted(pairs, key=lambda pair: pair[1] is not None), size=PAGE_SIZE)
    return render(request, "compliance/all_source_terms.html", {"page": page, "shown": shown})


@staff_view("GET", "POST")
def edit_source_terms(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show a source's terms by date; a POST adds new terms as a new row."""
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
                return respond_done(request, f"Terms of {source.name} saved", back_to=request.path)
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
    """Confirm the list of states of emergency for today, add one, or end one."""
    require_permission(request.user, "record_emergencies")
    back, by, at = reverse("compliance"), request.user, request.at
    act = request.POST.get("act", "")
    try:
        if act == "declare":
            emergency_list.declare_emergency(**_parse_declaration(request), by=by, at=at)
            return respond_done(request, "Emergency added. Sales contact there stops", back_to=back)
        if act.startswith("lift:"):
            number = act.removeprefix("lift:")
            emergency_list.lift_emergency(
                number=int(number) if number.isdecimal() else -1, by=by, at=at
            )
            return respond_done(request, "Emergency ended as of today", back_to=back)
    except emergency_list.BadEmergency as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    emergency_list.confirm_list(by=by, at=at)
    states = ", ".join(approved_changes.states_with_switch(EMERGENCY_STOP, company_day(at)))
    return respond_done(request, f"List for {states} confirmed for today", back_to=back)


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
        raise emergency_list.BadEmergency("Enter a date, for example 2026-11-30.") from None


def _terms_initial(now: Any, today: date) -> dict[str, Any]:
    """Return the terms in force as initial values, dated today."""
    fields = (
        *("names_us", "seller_snapshot", "wording", "signature", "channels", "proof_owed"),
        *("source_class", "is_firm_offer", "criteria", "is_authorized"),
        *("report_purpose", "report_words"),
    )
    return {"from_date": today, **{name: getattr(now, name) for name in fields if now}}
