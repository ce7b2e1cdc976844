"""Search: leads by name, phone or email, and pages by name."""

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
    """Show the leads and pages that match `q` and the user can see; the palette uses htmx."""
    text = request.GET.get("q", "").strip()
    leads = Lead.objects.none()
    if len(text) >= 2:
        leads = search_leads(leads_visible_to(request.user), text)
        leads = leads.select_related("person").order_by("-created_at", "id")[:LIMIT]
    context = {"q": text, "links": search_pages(request, text), "leads": leads}
    template = "search/show.html#found" if request.htmx else "search/show.html"
    return render(request, template, context)


def search_leads(leads: QuerySet[Lead], text: str) -> QuerySet[Lead]:
    """Filter leads by the borrower's email, phone number or start of name.

    Text with an `@` is an email; four or more digits without letters are a phone number.
    """
    digits = re.sub(r"\D", "", text)
    if "@" in text:
        addresses = Email.objects.filter(key__startswith=text.lower())
        return leads.filter(person__in=addresses.values("person"))
    if len(digits) >= 4 and not re.search(r"[A-Za-z]", text):
        numbers = Phone.objects.filter(unlinked_at=None)
        full = f"+1{digits[-10:]}" if len(digits) >= 10 else ""
        numbers = numbers.filter(e164=full) if full else numbers.filter(e164__contains=digits)
        return leads.filter(person__in=numbers.values("person"))
    has_name = Q()
    for word in text.split()[:3]:
        has_name &= Q(person__first_name__istartswith=word) | Q(person__last_name__istartswith=word)
    return leads.filter(has_name)


def search_pages(request: StaffRequest, text: str) -> list[navigation.NavigationLink]:
    """Return the user's pages whose name starts with `text`; all of them when it is empty."""
    context = navigation.navigation_context(request)
    links = [*context["own_links"], *context["closer_links"]]
    return [link for link in links if link.label.lower().startswith(text.lower())]


@staff_view("GET")
def show_more(request: StaffRequest) -> HttpResponse:
    """Show the links that don't fit in the phone's tab bar."""
    return render(request, "search/more.html")
