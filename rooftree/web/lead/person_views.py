"""The contact page of a lead's borrower, and merging or splitting borrower records."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.identity import duplicate_candidates, merge_people, split_people
from rooftree.flow import person_merges
from rooftree.leads import contact_points
from rooftree.leads.models import Introduction, Lead, Person, PersonMerge
from rooftree.org.models import User
from rooftree.retention import legal_holds
from rooftree.routing.permissions import can_act_on, has_permission, leads_visible_to
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.search_views import search_leads
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_RESULTS = 8
OTHER_BRANCH_MESSAGE = (
    "Some of this borrower’s leads belong to another branch. Ask operations, who can see both."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMatch:
    """A possible duplicate or household member, with a lead the user can open, if any."""

    candidate: duplicate_candidates.DuplicateCandidate
    lead: Lead | None


@staff_view("GET")
def show_person(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the contact page; htmx gets the card for the lead page."""
    lead = get_visible_lead(request.user, lead_id)
    template = "lead/person.html#card" if request.htmx else "lead/person.html"
    return render(request, template, _person_context(request, lead))


@staff_view("POST")
def merge_person(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Merge the borrower of the lead `other` into this lead's borrower."""
    lead = _get_mergeable_lead(request, lead_id)
    other = get_object_or_404(
        leads_visible_to(request.user).select_related("person"), pk=request.POST.get("other")
    )
    back_to = reverse("person", args=[lead.pk])
    if not _can_see_all_leads(request.user, lead.person, other.person):
        return respond_refused(request, OTHER_BRANCH_MESSAGE, back_to=back_to)
    evidence = {
        candidate.person.pk: candidate.evidence
        for candidate in duplicate_candidates.find_duplicates(lead.person)
    }
    try:
        person_merges.merge_people(
            survivor_id=lead.person_id,
            duplicate_id=other.person_id,
            reason=request.POST.get("reason", ""),
            evidence=evidence.get(other.person_id, ""),
            by=request.user,
            at=request.at,
        )
    except person_merges.CannotMerge as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_redirect(
        request, f"Merged {other.person.name} into {lead.person.name}", to=back_to
    )


@staff_view("POST")
def split_person(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Undo a merge into this lead's borrower; `merge` is its id."""
    lead = _get_mergeable_lead(request, lead_id)
    back_to = reverse("person", args=[lead.pk])
    merge = get_object_or_404(
        PersonMerge.objects.select_related("merged", "survivor"),
        pk=request.POST.get("merge"),
        survivor=lead.person_id,
    )
    if not _can_see_all_leads(request.user, merge.survivor):
        return respond_refused(request, OTHER_BRANCH_MESSAGE, back_to=back_to)
    try:
        person_merges.split_people(
            merge_id=merge.pk,
            reason=request.POST.get("reason", ""),
            by=request.user,
            at=request.at,
        )
    except person_merges.CannotSplit as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_redirect(
        request,
        f"Merge undone: {merge.merged.name} and {merge.survivor.name} are two people again",
        to=back_to,
    )


def _get_mergeable_lead(request: StaffRequest, lead_id: UUID) -> Lead:
    """Return the lead; 404 if the user can't see it, 403 if the user can't merge records."""
    lead = get_visible_lead(request.user, lead_id)
    if not can_act_on(request.user, "merge_leads", lead):
        raise PermissionDenied(
            "Only branch managers and operations can merge or split borrower records."
        )
    return lead


def _can_see_all_leads(user: User, *people: Person) -> bool:
    leads = Lead.objects.filter(person__in=people)
    return not leads.exclude(pk__in=leads_visible_to(user, "merge_leads").values("pk")).exists()


def _person_context(request: StaffRequest, lead: Lead) -> dict[str, Any]:
    user, person = request.user, lead.person
    candidates = duplicate_candidates.find_duplicates(person)
    people = [candidate.person for candidate in candidates]
    visible = leads_visible_to(user).filter(person__in=people).order_by("last_inquiry_at")
    newest_leads = {row.person_id: row for row in visible}
    matches = [
        PersonMatch(candidate=candidate, lead=newest_leads.get(candidate.person.pk))
        for candidate in candidates
    ]
    search_text = request.GET.get("q", "").strip()
    merges = PersonMerge.objects.filter(survivor=person, split_at=None)
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
        .order_by("-last_inquiry_at"),
        "same": [match for match in matches if not match.candidate.is_household],
        "household": [match for match in matches if match.candidate.is_household],
        "merges": merges.select_related("merged", "by").order_by("-pk"),
        "introduced": Introduction.objects.filter(delivery__touches__lead=lead)
        .select_related("partner__user")
        .order_by("at"),
        **legal_hold_context(user, lead),
        "can_share": can_act_on(user, "change_lead", lead),
        "can_merge": can_act_on(user, "merge_leads", lead),
        "reasons": merge_people.MERGE_REASONS.items(),
        "split_reasons": split_people.SPLIT_REASONS.items(),
        "q": search_text,
        "search_results": _search_other_leads(user, person, search_text),
    }


def legal_hold_context(user: User, lead: Lead) -> dict[str, Any]:
    """Return the legal holds on the borrowers; empty without the `keep_records` permission."""
    if not has_permission(user, "keep_records"):
        return {}
    people = [key for key in (lead.person_id, lead.co_borrower_id) if key]
    return {"legal_holds": legal_holds.active_holds(people), "may_hold": user.branch_id is None}


def _search_other_leads(user: User, person: Person, search_text: str) -> list[Lead]:
    if len(search_text) < 3 or not has_permission(user, "merge_leads"):
        return []
    rows = search_leads(leads_visible_to(user), search_text).exclude(person=person)
    return list(rows.select_related("person", "source").order_by("-created_at", "pk")[:MAX_RESULTS])
