"""Who a lead belongs to: numbers, household, other leads; and making two records one, or not."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.identity import duplicate_candidates
from rooftree.capture.identity import merge_people as one_person
from rooftree.capture.identity import split_people as two_people
from rooftree.flow import person_merges
from rooftree.leads import contact_points
from rooftree.leads.models import Introduction, Lead, Person, PersonMerge
from rooftree.org.models import User
from rooftree.retention import legal_holds
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.search_views import search_leads
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_RESULTS = 8
OTHER_BRANCH_MESSAGE = (
    "Some leads of theirs belong to another branch. Ask somebody who sees both, such as operations."
)


@staff_view("GET")
def show_person(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """The page, or for htmx the card of it that stands on the lead's own page."""
    lead = get_visible_lead(request.user, lead_id)
    template = "lead/person.html#card" if request.htmx else "lead/person.html"
    return render(request, template, _person_context(request, lead))


@staff_view("POST")
def merge_person(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """The person of another lead is this one; `other` is that lead."""
    lead = _get_mergeable_lead(request, lead_id)
    other = get_object_or_404(
        leads_visible_to(request.user).select_related("person"), pk=request.POST.get("other")
    )
    back_to = reverse("person", args=[lead.pk])
    if not _can_see_all_leads(request.user, lead.person, other.person):
        return respond_refused(request, OTHER_BRANCH_MESSAGE, back_to=back_to)
    said = {
        find_duplicate.person.pk: find_duplicate.why
        for find_duplicate in duplicate_candidates.find_duplicates(lead.person)
    }
    try:
        person_merges.merge_people(
            kept_id=lead.person_id,
            gone_id=other.person_id,
            reason=request.POST.get("reason", ""),
            evidence=said.get(other.person_id, ""),
            by=request.user,
            at=request.at,
        )
    except person_merges.CannotMerge as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_redirect(
        request, f"{other.person.name} is one person with {lead.person.name}", to=back_to
    )


@staff_view("POST")
def split_person(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """They are two people after all; `merge` says which merge is undone."""
    lead = _get_mergeable_lead(request, lead_id)
    back_to = reverse("person", args=[lead.pk])
    made = get_object_or_404(
        PersonMerge.objects.select_related("gone", "kept"),
        pk=request.POST.get("merge"),
        kept=lead.person_id,
    )
    if not _can_see_all_leads(request.user, made.kept):
        return respond_refused(request, OTHER_BRANCH_MESSAGE, back_to=back_to)
    try:
        person_merges.split_people(
            merge_id=made.pk,
            reason=request.POST.get("reason", ""),
            by=request.user,
            at=request.at,
        )
    except person_merges.CannotSplit as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_redirect(
        request, f"{made.gone.name} and {made.kept.name} are two people", to=back_to
    )


def _get_mergeable_lead(request: StaffRequest, lead_id: UUID) -> Lead:
    """The lead, for somebody who may merge: 404 when unseen, 403 when only seen."""
    lead = get_visible_lead(request.user, lead_id)
    if not has_permission(request.user, "merge_leads"):
        raise PermissionDenied("Branch managers and operations say who is one person.")
    return lead


def _can_see_all_leads(user: User, *people: Person) -> bool:
    theirs = Lead.objects.filter(person__in=people)
    return not theirs.exclude(pk__in=leads_visible_to(user).values("pk")).exists()


def _person_context(request: StaffRequest, lead: Lead) -> dict[str, Any]:
    user, person = request.user, lead.person
    others = duplicate_candidates.find_duplicates(person)
    seen = _newest_leads(user, [other.person for other in others])
    known = [{"one": other, "lead": seen.get(other.person.pk)} for other in others]
    asked = request.GET.get("q", "").strip()
    live = PersonMerge.objects.filter(kept=person, split_at=None).select_related("gone", "by")
    return {
        "lead": lead,
        "person": person,
        "phones": contact_points.usable_phones(person),
        "unlinked": [phone for phone in person.phones.all() if phone.unlinked_at],
        "emails": contact_points.usable_emails(person),
        "bounced": [email for email in person.emails.all() if email.bounced_at],
        "co_phones": contact_points.usable_phones(lead.co_borrower) if lead.co_borrower else [],
        "co_emails": contact_points.usable_emails(lead.co_borrower) if lead.co_borrower else [],
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
        **legal_hold_context(user, lead),
        "may_permit": has_permission(user, "change_lead"),
        "may_merge": has_permission(user, "merge_leads"),
        "reasons": one_person.MERGE_REASONS.items(),
        "split_reasons": two_people.SPLIT_REASONS.items(),
        "q": asked,
        "found": _search_other_leads(user, person, asked),
    }


def legal_hold_context(user: User, lead: Lead) -> dict[str, Any]:
    """The legal holds on the lead's people, which only who keeps records knows of."""
    if not has_permission(user, "keep_records"):
        return {}
    people = [one for one in (lead.person_id, lead.co_borrower_id) if one]
    return {"legal_holds": legal_holds.active_holds(people), "may_hold": user.branch_id is None}


def _newest_leads(user: User, people: Iterable[Person]) -> dict[UUID, Lead]:
    """The newest lead of each that this user may see."""
    rows = leads_visible_to(user).filter(person__in=list(people)).order_by("warmed_at")
    return {lead.person_id: lead for lead in rows}


def _search_other_leads(user: User, person: Person, asked: str) -> list[Lead]:
    if len(asked) < 3 or not has_permission(user, "merge_leads"):
        return []
    rows = search_leads(leads_visible_to(user), asked).exclude(person=person)
    return list(rows.select_related("person", "source").order_by("-created_at", "pk")[:MAX_RESULTS])
