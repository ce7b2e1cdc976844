"""Compliance: look up any number or address, what waits for a person, what proves the rest."""

from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance import held_lists, listed, release_hold, revoke, source_terms
from rooftree.compliance.amending import standing
from rooftree.compliance.amending.value_words import place_name
from rooftree.compliance.load_dnc import NATIONAL
from rooftree.compliance.models import Finding, Revocation, Verdict
from rooftree.compliance.rulebook import EMERGENCY
from rooftree.flow import reviews
from rooftree.money.company_day import company_day
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.reporting import evidence_file
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import look_up, today
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.views import ledger
from rooftree.web.views.dnc import title_of, tone_of

PAGE = 40
SHOWN = 25  # held messages on the first page
MEDIA = ("call", "text", "voicemail", "email")


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The search; before it was used, what waits and how things stand."""
    must(request.user, "see_compliance")
    typed = request.GET.get("q", "").strip()
    address = look_up.read(typed) if typed else None
    context = {
        "has_context": True,
        "typed": typed,
        "address": address,
        "is_wrong": bool(typed) and address is None,
        **ledger.standing(),
        "may_block": may(request.user, "revoke_consent"),
        "may_prove": may(request.user, "make_evidence"),
        "token": uuid4(),
        "may_see_fairness": may(request.user, "see_fair_lending"),
        "findings": Finding.objects.filter(closed_at=None).count(),
    }
    if address:
        return render(request, "compliance/found.html", context | _found(request, address))
    return render(request, "compliance/show.html", context | _waiting(request))


@staff("GET")
def verdict(request: HttpRequest, verdict_id: UUID) -> HttpResponse:
    """One verdict, opened; for whoever may see its lead."""
    rows = Verdict.objects.filter(lead__in=leads_visible_to(request.user))
    one = get_object_or_404(rows.select_related("person", "lead"), pk=verdict_id)
    context = {"one": look_up.opened(one), "lead": one.lead}
    if request.htmx:
        return render(request, "compliance/_verdict.html", context)
    return render(request, "compliance/verdict.html", context)


@staff("POST")
def do_not_contact(request: HttpRequest) -> HttpResponse:
    """Put a number or address on our own list: nothing goes there again."""
    must(request.user, "revoke_consent")
    must(request.user, "see_compliance")
    address = look_up.read(request.POST.get("address", ""))
    media = [one for one in MEDIA if one in request.POST.getlist("media")]
    back = f"{reverse('compliance')}?{urlencode({'q': address.shown if address else ''})}"
    if address is None or not media:
        why = (
            "Tick what must stop." if address else "This is no phone number and no e-mail address."
        )
        return refused(request, why, back_to=back, status=422)
    people = list(look_up.people_of(address, request.user)[:2])
    revoke.record(
        person_id=people[0].pk if len(people) == 1 else None,
        address=address.key,
        kind="do_not_contact",
        media=media,
        words=request.POST.get("words", "").strip()[:500],
        origin=f"user:{request.user.pk}",
        cause=f"page:{_uuid(request.POST.get('token'))}",
        at=request.at,
    )
    return done(request, f"Nothing goes to {address.shown} any more", back_to=back)


@staff("POST")
def evidence(request: HttpRequest) -> HttpResponse:
    """Everything on file about one number or address, to keep or to hand over."""
    must(request.user, "make_evidence")
    address = look_up.read(request.POST.get("address", ""))
    if address is None:
        why = "This is no phone number and no e-mail address."
        return refused(request, why, back_to=reverse("compliance"), status=422)
    actor = f"user:{request.user.pk}"
    body = evidence_file.make(address.key, actor=actor, at=request.at)
    name = f"evidence {address.key.lstrip('+')} {request.at:%Y-%m-%d}.zip"
    return FileResponse(BytesIO(body), as_attachment=True, filename=name)


@staff("POST")
def release(request: HttpRequest, revocation_id: UUID) -> HttpResponse:
    """A person read the words and says whether they were a stop."""
    must(request.user, "release_hold")
    is_stop = request.POST.get("meaning") == "stop"
    try:
        reviews.decide_hold(
            revocation_id=revocation_id, is_stop=is_stop, by=request.user, at=request.at
        )
    except release_hold.CannotRelease as problem:
        return refused(request, str(problem), back_to=reverse("compliance"))
    said = "Released. Messages that waited for it can be let go one by one"
    if is_stop:
        said = "It counts as a stop from now on"
    return done(request, said, back_to=reverse("compliance"))


def _found(request: HttpRequest, address: look_up.Address) -> dict[str, Any]:
    people = list(look_up.people_of(address, request.user))
    verdicts = look_up.verdicts_of(people, request.user)
    decision, medium = request.GET.get("decision", ""), request.GET.get("medium", "")
    if decision in look_up.DECISIONS:
        verdicts = verdicts.filter(decision=decision)
    if medium in look_up.MEDIA:
        verdicts = verdicts.filter(medium=medium)
    page = Paginator(verdicts, PAGE).get_page(request.GET.get("page"))
    lines = [look_up.line(one) for one in page.object_list]
    revocations = look_up.revocations_of(address, people)
    stopped = sorted(
        {
            medium
            for one in revocations
            if one["row"].ended_at is None and one["row"].kind != "review"
            for medium in one["row"].media
        }
    )
    return {
        "people": look_up.with_leads(people, request.user),
        **_on_lists(address, request),
        "consents": look_up.consents_of(address, people),
        "revocations": revocations,
        "stopped": [look_up.STOPPED.get(one, one) for one in stopped],
        "page": page,
        "lines": lines,
        "first": look_up.opened(lines[0]["verdict"]) if lines else None,
        "decisions": look_up.KINDS.items(),
        "decision": decision,
        "medium": medium,
        "media": [("call", "Call"), ("text", "Text"), ("email", "E-mail")],
        "offered_media": ["email"] if address.is_mail else ["call", "text", "voicemail"],
        "names_of_media": look_up.MEDIA,
    }


def _waiting(request: HttpRequest) -> dict[str, Any]:
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
        "today": today.lines(request.user, request.at),
        "holds": holds.order_by("at", "id")[:SHOWN],
        "review": review[:SHOWN],
        "review_count": review.count(),
        "held": held[:SHOWN],
        "held_count": held.count(),
        "company": company,
        "emergencies": list(enumerate(company.emergencies)) if company else [],
        "is_fresh": _is_fresh(company, request),
        "watched": [place_name(one) for one in standing.states_with(EMERGENCY, day)],
        "lists": _lists(request),
        "without_terms": sum(1 for _, terms in source_terms.by_source(day) if terms is None),
        "may_release": may(request.user, "release_hold"),
        "may_watch": may(request.user, "record_emergencies"),
        "may_review": may(request.user, "review_terms"),
    }


def _on_lists(address: look_up.Address, request: HttpRequest) -> dict[str, Any]:
    """What the do-not-call lists that we hold say of a number."""
    today = company_day(request.at)
    good_for = held_lists.good_for(today)
    said = [] if address.is_mail else listed.says(address.key)
    return {
        "lists": [
            {
                "title": title_of(one.registry),
                "dated": one.dated,
                "by": one.by,
                "is_listed": one.is_listed,
                "tone": tone_of(
                    held_lists.days_left(one.registry, one.dated, today=today, good_for=good_for)
                ),
            }
            for one in said
        ],
        "has_national": any(one.registry == NATIONAL for one in said),
    }


def _lists(request: HttpRequest) -> dict[str, Any]:
    """How many numbers the do-not-call registries we hold list, and how old the copies are."""
    held = held_lists.held(today=company_day(request.at))
    aging = [one for one in held if one.days_left is not None]
    return {
        "count": sum(one.parts for one in aging),
        "numbers": f"{sum(one.numbers for one in aging):,}",
        "oldest": min((one.dated for one in aging), default=None),
        "late": sum(one.parts for one in aging if tone_of(one.days_left) == "late"),
        "good_for": held_lists.good_for(company_day(request.at)),
    }


def _is_fresh(company: Company | None, request: HttpRequest) -> bool:
    checked = company.emergencies_checked_at if company else None
    return bool(checked and (request.at - checked).total_seconds() < 24 * 3600)


def _uuid(typed: str | None) -> UUID:
    """What makes a form count once; one of its own when it brought none."""
    try:
        return UUID(typed or "")
    except ValueError:
        return uuid4()
