"""Compliance, exports: who wants to take people's data out, and what a second person says to it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.reporting import second_person
from rooftree.reporting.models import ExportAsk
from rooftree.reporting.records import NUMBERS
from rooftree.reporting.second_person import CannotExport
from rooftree.web.answers import done, refused
from rooftree.web.page import must_for_all, staff

SHOWN = 40


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, and what was decided."""
    must_for_all(request.user, "approve_export")
    rows = ExportAsk.objects.select_related("asked_by", "decided_by")
    context = {
        "waiting": [_line(one) for one in rows.filter(decided_at=None).order_by("asked_at")],
        "decided": [
            _line(one) for one in rows.exclude(decided_at=None).order_by("-decided_at")[:SHOWN]
        ],
        "few": second_person.FEW,
        "days": second_person.GOOD_FOR.days,
    }
    return render(request, "compliance/keeping/exports.html", context)


@staff("POST")
def decision(request: HttpRequest, ask_id: UUID) -> HttpResponse:
    """The second person agrees or refuses."""
    must_for_all(request.user, "approve_export")
    ask = get_object_or_404(ExportAsk, pk=ask_id)
    is_allowed, back = request.POST.get("say") == "allow", reverse("export_asks")
    try:
        second_person.decide(ask.pk, is_allowed=is_allowed, by=request.user, at=request.at)
    except CannotExport as problem:
        return refused(request, str(problem), back_to=back)
    return done(request, "Allowed, once" if is_allowed else "Refused", back_to=back)


def _line(one: ExportAsk) -> dict[str, Any]:
    """An ask, with its list by name and how it stands."""
    kind, _, number = one.subject.partition(":")
    if one.taken_at:
        state = ("ok", "download", "Taken")
    elif one.is_refused:
        state = ("late", "ban", "Refused")
    else:
        state = ("ok", "check", "Allowed") if one.decided_at else ("soon", "clock", "Waits")
    return {"one": one, "list": NUMBERS.get(number, "Loans in process"), "state": state}
