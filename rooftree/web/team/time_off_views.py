"""Pauses, days off and holidays: who takes no new leads, and until when."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import lead_offers
from rooftree.org import officer_availability
from rooftree.org.models import LoanOfficer
from rooftree.routing import time_off
from rooftree.routing.models import TimeOff
from rooftree.routing.permissions import has_company_permission, has_permission
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_permission,
    staff_view,
)
from rooftree.web.team.officer_views import get_officer, render_officer
from rooftree.web.team.time_off_forms import HolidayForm, PauseForm, TimeOffForm


@staff_view("POST")
def pause_officer(request: StaffRequest, officer_id: UUID) -> HttpResponse:
    """Stop new leads to an officer, until a time or until somebody resumes."""
    officer = _settable_officer(request, officer_id)
    form = PauseForm(request.POST, auto_id="pause_%s")
    if not form.is_valid():
        return render_officer(request, officer, pause_form=form, status=422)
    officer_availability.pause_officer(
        officer_id=officer.pk,
        by=request.user,
        at=request.at,
        until=form.end_for(officer, request.at),
    )
    return respond_done(
        request, f"{officer.user.name} gets no new leads for now", back_to=_page(officer)
    )


@staff_view("POST")
def resume_officer(request: StaffRequest, officer_id: UUID) -> HttpResponse:
    """Let an officer take leads again; waiting leads are offered at once."""
    officer = _settable_officer(request, officer_id)
    lead_offers.resume_officer(officer_id=officer.pk, by=request.user, at=request.at)
    return respond_done(request, f"{officer.user.name} takes leads again", back_to=_page(officer))


@staff_view("POST")
def add_time_off(request: StaffRequest, officer_id: UUID) -> HttpResponse:
    """Enter days off for an officer; their backup covers what they owe."""
    officer = _settable_officer(request, officer_id)
    form = TimeOffForm(request.POST, auto_id="off_%s")
    if not form.submit(lambda typed: _save(form, officer, request)):
        return render_officer(request, officer, time_off_form=form, status=422)
    return respond_done(request, "Time off saved", back_to=_page(officer))


@staff_view("POST")
def cancel_time_off(request: StaffRequest, time_off_id: UUID) -> HttpResponse:
    """Cancel days off, or a holiday; the officer takes leads again."""
    row = get_object_or_404(TimeOff.objects.select_related("officer"), pk=time_off_id)
    if row.officer_id:
        officer = _settable_officer(request, row.officer_id)
        back_to = _page(officer)
    else:
        _require_holiday_permission(request)
        back_to = reverse("team_holidays")
    time_off.cancel_time_off(time_off_id=row.pk, by=request.user, at=request.at)
    return respond_done(request, "Time off canceled", back_to=back_to)


@staff_view("GET", "POST")
def list_holidays(request: StaffRequest) -> HttpResponse:
    """List the company's holidays; a POST adds one."""
    require_permission(request.user, "see_team")
    form = HolidayForm(request.POST or None)
    if request.method == "POST":
        _require_holiday_permission(request)
        if form.submit(lambda typed: _save(form, None, request)):
            return respond_done(request, "Holiday saved", back_to=reverse("team_holidays"))
    context = {
        "holidays": time_off.list_holidays(at=request.at),
        "form": form,
        "can_set": has_company_permission(request.user, "set_availability"),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "team/holidays.html", context, status=status)


def _settable_officer(request: StaffRequest, officer_id: UUID) -> LoanOfficer:
    officer = get_officer(request, officer_id)
    if not has_permission(request.user, "set_availability", officer):
        raise PermissionDenied("Only the officer or a branch manager can change this.")
    return officer


def _require_holiday_permission(request: StaffRequest) -> None:
    if not has_company_permission(request.user, "set_availability"):
        raise PermissionDenied("Only company-wide users can change holidays.")


def _save(form: TimeOffForm, officer: LoanOfficer | None, request: StaffRequest) -> Any:
    first, last = form.typed_days()
    return time_off.add_time_off(
        officer_id=officer.pk if officer else None,
        first=first,
        last=last,
        note=form.cleaned_data["note"],
        by=request.user,
        at=request.at,
    )


def _page(officer: LoanOfficer) -> str:
    return reverse("team_officer", args=[officer.pk])
