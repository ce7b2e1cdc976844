"""What compliance writes down: source terms, and the daily look at declared emergencies."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import localdate

from rooftree.compliance import emergency_watch, source_terms
from rooftree.compliance.amending import standing
from rooftree.compliance.record_consent import terms_in_force
from rooftree.compliance.rulebook import EMERGENCY
from rooftree.compliance.source_terms import CHANNELS, CLASSES, PURPOSES, SIGNATURES, BadTerms
from rooftree.leads.models import Source
from rooftree.money.company_day import company_day
from rooftree.routing.visible import may
from rooftree.web.answers import done, refused
from rooftree.web.page import staff
from rooftree.web.staff_forms import StaffForm, area, choice, day, several, text, yes
from rooftree.web.views.compliance import must


class TermsForm(StaffForm):
    """What the consumers of one source agree to, as read by a person."""

    from_date = day("In force from", "The ones before end on this day")
    names_us = yes("The form, or the list it shows, names us")
    seller_snapshot = area("The list or line that names us", "Copied as shown")
    wording = area("The wording they agree to", "Exactly as the consumer sees it", rows=5)
    signature = choice("How they agree", SIGNATURES.items(), required=False)
    channels = several("It covers", CHANNELS.items())
    source_class = choice(
        "Whose data it is", CLASSES.items(), "Of whom nobody knows, nobody is contacted",
        required=False,
    )  # fmt: skip
    is_firm_offer = yes("Of a credit bureau: everyone it brings gets a firm offer")
    criteria = area("The criteria of that offer", "As they were set before it was made", rows=2)
    is_authorized = yes(
        "Of a credit bureau: the contract has each consumer’s authorization certified to it"
    )
    report_purpose = choice(
        "Why it may give us credit data", PURPOSES.items(),
        "A score it assigned rests on a consumer report; what consumers say of themselves does not",
        required=False,
    )  # fmt: skip
    report_words = area("The words for it", "Exactly as the consumer signs them", rows=3)
    proof_owed = text(
        "Proof the source owes us", "As certificates on request", required=False, longest=200
    )


@staff("GET")
def every(request: HttpRequest) -> HttpResponse:
    """The terms in force of each source; those without any come first."""
    must(request.user, "see_compliance")
    found = source_terms.by_source(request.at.date())
    rows = sorted(found, key=lambda pair: pair[1] is not None)
    return render(request, "compliance/all_terms.html", {"rows": rows})


@staff("GET", "POST")
def terms(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """The terms of one source, by date; new ones are a new row."""
    must(request.user, "see_compliance")
    source = get_object_or_404(Source, pk=source_id)
    now = terms_in_force(source.pk, request.at.date())
    form = TermsForm(request.POST or None, initial=_typed(now, company_day(request.at)))
    status = 200
    if request.method == "POST":
        must(request.user, "review_terms")
        if form.is_valid():
            facts = dict(form.cleaned_data)
            from_date = facts.pop("from_date")
            try:
                source_terms.record(
                    source=source, from_date=from_date, facts=facts, by=request.user, at=request.at
                )
            except BadTerms as problem:
                form.refuse(problem.field, str(problem))
            else:
                return done(request, f"Terms of {source.name} recorded", back_to=request.path)
        status = 422
    context = {
        "source": source,
        "form": form,
        "now": now,
        "rows": source.terms.select_related("reviewed_by").order_by("-from_date", "-id"),
        "channels": CHANNELS,
        "signatures": SIGNATURES,
        "classes": CLASSES,
        "purposes": PURPOSES,
        "may_review": may(request.user, "review_terms"),
    }
    return render(request, "compliance/terms.html", context, status=status)


@staff("POST")
def emergencies(request: HttpRequest) -> HttpResponse:
    """Say that the list is right today, put a declaration on it, or end one."""
    must(request.user, "record_emergencies")
    back, by, at = reverse("compliance"), request.user, request.at
    act = request.POST.get("act", "")
    try:
        if act == "declare":
            emergency_watch.declare(**_declared(request), by=by, at=at)
            return done(request, "On the list; sales contact there stops", back_to=back)
        if act.startswith("lift:"):
            number = act.removeprefix("lift:")
            emergency_watch.lift(number=int(number) if number.isdecimal() else -1, by=by, at=at)
            return done(request, "Ended as of today", back_to=back)
    except emergency_watch.BadEmergency as problem:
        return refused(request, str(problem), back_to=back, status=422)
    emergency_watch.confirm(by=by, at=at)
    states = ", ".join(standing.states_with(EMERGENCY, company_day(at)))
    return done(request, f"Noted: the list of {states} is right today", back_to=back)


def _declared(request: HttpRequest) -> dict[str, Any]:
    typed = request.POST
    return {
        "state": typed.get("state", "").strip().upper(),
        "county": typed.get("county", ""),
        "from_date": _date(typed.get("from")) or localdate(request.at),
        "until_date": _date(typed.get("until")),
    }


def _date(typed: str | None) -> date | None:
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise emergency_watch.BadEmergency("Write the day as 2026-11-30.") from None


def _typed(now: Any, today: date) -> dict[str, Any]:
    """The terms in force, to begin from; dated today."""
    kept = (
        *("names_us", "seller_snapshot", "wording", "signature", "channels", "proof_owed"),
        *("source_class", "is_firm_offer", "criteria", "is_authorized"),
        *("report_purpose", "report_words"),
    )
    return {"from_date": today, **{name: getattr(now, name) for name in kept if now}}
