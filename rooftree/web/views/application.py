"""What we hold of an application and what is due for it; the basis of a credit bureau's lead."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture import credit_data
from rooftree.compliance import lead_basis
from rooftree.compliance.application import ITEMS
from rooftree.compliance.lead_basis import TIES, Basis, NoBasis
from rooftree.compliance.models import CreditClock
from rooftree.flow.credit_facts import pieces_of
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.routing.visible import may
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, choice, text, yes
from rooftree.web.views.clocks import line
from rooftree.web.views.lead import visible


class BasisForm(StaffForm):
    """On what we may contact one person whose inquiry a bureau sold."""

    is_authorized = yes("Their own authorization was certified to the bureau")
    relationship = choice("What we are to them today", TIES.items(), required=False)
    has_opted_out = yes("They opted out of prescreened offers")
    reference = text("Where the proof is kept", "As the certification’s number, or the loan’s")


@staff("GET")
def show(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """The page, or for htmx the card of it that stands on the lead's own page."""
    lead = visible(request.user, lead_id)
    template = "lead/application.html#card" if request.htmx else "lead/application.html"
    return render(request, template, _about(request, lead))


@staff("POST")
def basis(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Record what proves that this person may be contacted."""
    lead = visible(request.user, lead_id)
    must(request.user, "record_basis")
    form = BasisForm(request.POST)
    if form.is_valid():
        try:
            seen = Basis(**form.cleaned_data)
            lead_basis.record(lead, seen, by=request.user, at=request.at)
        except NoBasis as problem:
            form.refuse(problem.field, str(problem))
        else:
            back = reverse("application", args=[lead.pk])
            return done(request, "The basis is on file", back_to=back)
    context = _about(request, lead, form=form)
    return render(request, "lead/application.html", context, status=422)


def _about(request: HttpRequest, lead: Lead, form: BasisForm | None = None) -> dict[str, Any]:
    held = pieces_of(lead)
    mine = CreditClock.objects.filter(lead=lead).select_related("owner").order_by("opened_at")
    is_asked = lead_basis.is_asked_of(lead)
    return {
        "lead": lead,
        "person": lead.person,
        "pieces": [(label, held.get(item)) for item, label in ITEMS.items()],
        "held": len(held),
        "lines": [line(one, request.at) for one in mine],
        "loan": lead.loans.order_by("-created_at").first(),
        "may_open": may(request.user, "see_clocks"),
        "not_kept": Event.objects.filter(lead_id=lead.pk, kind=credit_data.REFUSED)
        .order_by("-occurred_at")
        .first(),
        "must_prove": is_asked,
        "bases": [
            (one, TIES[one.relationship])
            for one in lead.bases.select_related("by").order_by("-at", "-id")
        ],
        "form": (form or BasisForm()) if is_asked and may(request.user, "record_basis") else None,
    }
