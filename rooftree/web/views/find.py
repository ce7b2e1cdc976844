"""Find anything: leads by name, phone or e-mail, and pages by their name."""

import re

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rooftree.leads.models import Email, Lead, Phone
from rooftree.routing.visible import leads_visible_to
from rooftree.web import shell
from rooftree.web.page import staff

LIMIT = 8


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """What was found, among what this user may see. The palette asks with htmx."""
    asked = request.GET.get("q", "").strip()
    context = {"q": asked, "links": pages(request, asked), "leads": []}
    if len(asked) >= 2:
        seen = leads_visible_to(request.user)
        context["leads"] = (
            matching(seen, asked).select_related("person").order_by("-created_at", "id")[:LIMIT]
        )
    template = "find/show.html#found" if request.htmx else "find/show.html"
    return render(request, template, context)


def matching(leads: QuerySet[Lead], asked: str) -> QuerySet[Lead]:
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


def pages(request: HttpRequest, asked: str) -> list[shell.Link]:
    """The pages of this user whose name begins so; all of them when nothing is asked."""
    seen = shell.shell(request)
    links = [*seen["own_links"], *seen["closer_links"]]
    return [link for link in links if link.label.lower().startswith(asked.lower())]


@staff("GET")
def more(request: HttpRequest) -> HttpResponse:
    """Everything that does not fit into the tab bar of a phone."""
    return render(request, "more/show.html")
