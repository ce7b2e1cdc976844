"""Who a lead belongs to: numbers, household, other leads; and making two records one, or not."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import alike
from rooftree.capture import merge as one_person
from rooftree.capture import split as two_people
from rooftree.compliance.keeping import holds
from rooftree.flow import merging
from rooftree.leads import reach
from rooftree.leads.models import Introduction, Lead, Person, PersonMerge
from rooftree.org.models import User
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web.answers import moved, refused
from rooftree.web.page import staff
from rooftree.web.views.find import matching
from rooftree.web.views.lead import visible

FOUND = 8
ELSEWHERE = (
    "Some leads of theirs belong to another branch. Ask somebody who sees both, such as operations."
)


@staff("GET")
def show(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """The page, or for htmx the card of it that stands on the lead's own page."""
    lead = visible(request.user, lead_id)
    template = "lead/person.html#card" if request.htmx else "lead/person.html"
    return render(request, template, _about(request, lead))


@staff("POST")
def merges(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """The person of another lead is this one; `other` is that lead."""
    lead = _to(request, lead_id)
    other = get_object_or_404(
        leads_visible_to(request.user).select_related("person"), pk=request.POST.get("other")
    )
    back_to = reverse("person", args=[lead.pk])
    if not _sees_all(request.user, lead.person, other.person):
        return refused(request, ELSEWHERE, back_to=back_to)
    said = {one.person.pk: one.why for one in alike.alike(lead.person)}
    try:
        merging.merge(
            kept_id=lead.person_id,
            gone_id=other.person_id,
            reason=request.POST.get("reason", ""),
            evidence=said.get(other.person_id, ""),
            by=request.user,
            at=request.at,
        )
    except merging.CannotMerge as problem:
        return refused(request, str(problem), back_to=back_to)
    return moved(request, f"{other.person.name} is one person with {lead.person.name}", to=back_to)


@staff("POST")
def splits(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """They are two people after all; `merge` says which merge is undone."""
    lead = _to(request, lead_id)
    back_to = reverse("person", args=[lead.pk])
    made = get_object_or_404(
        PersonMerge.objects.select_related("gone", "kept"),
        pk=request.POST.get("merge"),
        kept=lead.person_id,
    )
    if not _sees_all(request.user, made.kept):
        return refused(request, ELSEWHERE, back_to=back_to)
    try:
        merging.split(
            merge_id=made.pk,
            reason=request.POST.get("reason", ""),
            by=request.user,
            at=request.at,
        )
    except merging.CannotSplit as problem:
        return refused(request, str(problem), back_to=back_to)
    return moved(request, f"{made.gone.name} and {made.kept.name} are two people", to=back_to)


def _to(request: HttpRequest, lead_id: UUID) -> Lead:
    """The lead, for somebody who may merge: 404 when unseen, 403 when only seen."""
    lead = visible(request.user, lead_id)
    if not may(request.user, "merge_leads"):
        raise PermissionDenied("Branch managers and operations say who is one person.")
    return lead


def _sees_all(user: User, *people: Person) -> bool:
    theirs = Lead.objects.filter(person__in=people)
    return not theirs.exclude(pk__in=leads_visible_to(user).values("pk")).exists()


def _about(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    user, person = request.user, lead.person
    others = alike.alike(person)
    seen = _newest(user, [one.person for one in others])
    known = [{"one": one, "lead": seen.get(one.person.pk)} for one in others]
    asked = request.GET.get("q", "").strip()
    live = PersonMerge.objects.filter(kept=person, split_at=None).select_related("gone", "by")
    return {
        "lead": lead,
        "person": person,
        "phones": reach.numbers(person),
        "unlinked": [one for one in person.phones.all() if one.unlinked_at],
        "emails": reach.addresses(person),
        "bounced": [one for one in person.emails.all() if one.bounced_at],
        "co_phones": reach.numbers(lead.co_borrower) if lead.co_borrower else [],
        "co_emails": reach.addresses(lead.co_borrower) if lead.co_borrower else [],
        "leads": leads_visible_to(user)
        .filter(person=person)
        .exclude(pk=lead.pk)
        .select_related("source", "officer__user")
        .order_by("-warmed_at"),
        "same": [one for one in known if not one["one"].is_household],
        "household": [one for one in known if one["one"].is_household],
        "merges": live.order_by("-pk"),
        "introduced": Introduction.objects.filter(delivery__touches__lead=lead)
        .select_related("partner__user")
        .order_by("at"),
        **under_hold(user, lead),
        "may_permit": may(user, "change_lead"),
        "may_merge": may(user, "merge_leads"),
        "reasons": one_person.REASONS.items(),
        "split_reasons": two_people.REASONS.items(),
        "q": asked,
        "found": _found(user, person, asked),
    }


def under_hold(user: User, lead: Lead) -> dict[str, Any]:
    """The legal holds on the lead's people, which only who keeps records knows of."""
    if not may(user, "keep_records"):
        return {}
    people = [one for one in (lead.person_id, lead.co_borrower_id) if one]
    return {"legal_holds": holds.over(people), "may_hold": user.branch_id is None}


def _newest(user: User, people: Iterable[Person]) -> dict[UUID, Lead]:
    """The newest lead of each that this user may see."""
    rows = leads_visible_to(user).filter(person__in=list(people)).order_by("warmed_at")
    return {lead.person_id: lead for lead in rows}


def _found(user: User, person: Person, asked: str) -> list[Lead]:
    if len(asked) < 3 or not may(user, "merge_leads"):
        return []
    rows = matching(leads_visible_to(user), asked).exclude(person=person)
    return list(rows.select_related("person", "source").order_by("-created_at", "pk")[:FOUND])
