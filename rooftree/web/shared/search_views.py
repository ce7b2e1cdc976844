"""Find anything: leads by name, phone or e-mail, and pages by their name."""

import re

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from rooftree.leads.models import Email, Lead, Phone
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.shared import navigation
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

LIMIT = 8


@staff_view("GET")
def search(request: StaffRequest) -> HttpResponse:
    """What was found, among what this user may see. The palette asks with htmx."""
    asked = request.GET.get("q", "").strip()
    context = {"q": asked, "links": search_pages(request, asked), "leads": []}
    if len(asked) >= 2:
        seen = leads_visible_to(request.user)
        context["leads"] = (
            search_leads(seen, asked).select_related("person").order_by("-created_at", "id")[:LIMIT]
        )
    template = "search/show.html#found" if request.htmx else "search/show.html"
    return render(request, template, context)


def search_leads(leads: QuerySet[Lead], asked: str) -> QuerySet[Lead]:
    """The leads whose person has this number, this address, or a name that begins so."""
    digits = re.sub(r"\D", "", asked)
    if "@" in asked:
        addresses = Email.objects.filter(key__startswith=asked.lower())
        return leads.filter(person__in=addresses.values("person"))
    if len(digits) >= 4 and not re.search(r"[A-Za-z]", asked):
        numbers = Phone.objects.filter(unlinked_at=None)
        full = f"+1{digits[-10:]}" if len(digits) >= 10 else ""
        numbers = numbers.filter(e164=full) if full else numbers.filter(e164__contains=digits)
        return leads.filter(person__in=numbers.values("person"))
    wanted = Q()
    for word in asked.split()[:3]:
        wanted &= Q(person__first_name__istartswith=word) | Q(person__last_name__istartswith=word)
    return leads.filter(wanted)


def search_pages(request: StaffRequest, asked: str) -> list[navigation.NavigationLink]:
    """The pages of this user whose name begins so; all of them when nothing is asked."""
    seen = navigation.navigation_context(request)
    links = [*seen["own_links"], *seen["closer_links"]]
    return [link for link in links if link.label.lower().startswith(asked.lower())]


@staff_view("GET")
def show_more(request: StaffRequest) -> HttpResponse:
    """Everything that does not fit into the tab bar of a phone."""
    return render(request, "search/more.html")
