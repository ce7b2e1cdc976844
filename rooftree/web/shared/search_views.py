"""Search: leads by name, phone, email, address or loan number, and pages by name."""

import re

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from rooftree.leads.models import Email, Lead, Loan, Phone
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.shared import navigation
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

LIMIT = 8
MIN_ADDRESS = 4  # characters of an address or loan number; fewer match too much


@staff_view("GET")
def search(request: StaffRequest) -> HttpResponse:
    """Show the leads and pages that match `q` and the user can see; the palette uses htmx."""
    text = " ".join(request.GET.get("q", "").split())
    leads: list[tuple[Lead, str]] = []  # with what matched
    if len(text) >= 2:
        rows = search_leads(leads_visible_to(request.user), text).select_related("person")
        newest = rows.prefetch_related("loans").order_by("-created_at", "id")[:LIMIT]
        leads = [(lead, _describe_match(lead, text)) for lead in newest]
    context = {"q": text, "links": search_pages(request, text), "leads": leads}
    template = "search/show.html#found" if request.htmx else "search/show.html"
    return render(request, template, context)


def search_leads(leads: QuerySet[Lead], text: str) -> QuerySet[Lead]:
    """Filter leads by the borrower's name, phone, email or address, or the loan number.

    Text with an `@` is an email. Four or more digits without letters are a phone number or a loan
    number. Anything else is the start of names, a part of a street address, or the start of a
    loan number or of an email.
    """
    digits = re.sub(r"\D", "", text)
    if "@" in text:
        return leads.filter(_has_email(text))
    if len(digits) >= 4 and not re.search(r"[A-Za-z]", text):
        return leads.filter(_has_number(text, digits))
    matches = Q()
    for word in text.split()[:3]:
        matches &= Q(person__first_name__istartswith=word) | Q(person__last_name__istartswith=word)
    if len(text) >= MIN_ADDRESS:
        matches |= Q(property_street__icontains=text) | Q(person__street__icontains=text)
        if " " not in text:
            matches |= _has_email(text) | _has_loan_number(text)
    return leads.filter(matches)


def _has_email(text: str) -> Q:
    addresses = Email.objects.filter(key__startswith=text.lower())
    return Q(person__in=addresses.values("person"))


def _has_number(text: str, digits: str) -> Q:
    numbers = Phone.objects.filter(unlinked_at=None)
    full = f"+1{digits[-10:]}" if len(digits) >= 10 else ""
    numbers = numbers.filter(e164=full) if full else numbers.filter(e164__contains=digits)
    matches = Q(person__in=numbers.values("person")) | _has_loan_number(text)
    return matches | Q(property_zip=text) if len(digits) == 5 else matches


def _has_loan_number(text: str) -> Q:
    loans = Loan.objects.filter(loan_number__istartswith=text)
    return Q(pk__in=loans.values("lead"))


def _describe_match(lead: Lead, text: str) -> str:
    """Return what the text matched if the name doesn't show it: a loan number or an address."""
    for loan in lead.loans.all():
        if loan.loan_number.lower().startswith(text.lower()):
            return f"Loan {loan.loan_number}"
    for street in (lead.property_street, lead.person.street):
        if text.lower() in street.lower():
            return street
    return ""


def search_pages(request: StaffRequest, text: str) -> list[navigation.NavigationLink]:
    """Return the user's pages whose name starts with `text`; all of them when it is empty."""
    context = navigation.navigation_context(request)
    links = [*context["own_links"], *context["closer_links"]]
    return [link for link in links if link.label.lower().startswith(text.lower())]


@staff_view("GET")
def show_more(request: StaffRequest) -> HttpResponse:
    """Show the links that don't fit in the phone's tab bar."""
    return render(request, "search/more.html")
