"""Shadow mode: its switch, its report, and the list of what the other system did."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.transaction import atomic
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.user_errors import InvalidField, UserError
from rooftree.flow import shadow_switch
from rooftree.org import access_log, shadow_mode
from rooftree.org.access_log import AccessKind
from rooftree.org.models import Company, ShadowPeriod
from rooftree.reporting.first_screen.cohort_maturity import HORIZON_DAYS
from rooftree.reporting.shadow import funding_costs, report_file, result_lists, shadow_report
from rooftree.reporting.shadow.result_file import EXAMPLE, MAX_BYTES, decode_upload
from rooftree.reporting.shadow.result_lists import CheckedList
from rooftree.routing.permissions import has_company_permission
from rooftree.web.shared.file_responses import csv_response
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_forms import StaffForm, textarea_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view
from rooftree.web.sign_in import login

MAX_REFUSED_SHOWN = 50


class ListForm(StaffForm):
    """The list of what the other system did, pasted or as a file; the file wins."""

    CONDITIONALLY_REQUIRED = frozenset({"lines", "file"})  # one of the two

    lines = textarea_field(
        "Pasted list",
        "One line per lead, funded or not. The first line names the columns, in any order: vendor "
        "id, phone, email, source, received, first contact, officer, funded, revenue.",
        rows=8,
    )
    file = forms.FileField(
        label="Or a file",
        required=False,
        help_text="CSV",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lines"].max_length = MAX_BYTES  # type: ignore[attr-defined]
        self.fields["lines"].widget.attrs |= {"placeholder": EXAMPLE, "spellcheck": "false"}

    def read_text(self) -> str:
        """Return the list's text. Raises `InvalidField`."""
        upload = self.cleaned_data["file"]
        return decode_upload(upload.read() if upload else self.cleaned_data["lines"].encode())


@staff_view("GET", "POST")
def switch_shadow_mode(request: StaffRequest) -> HttpResponse:
    """Show whether shadow mode is on, and its periods; a POST turns it on or off."""
    require_company_permission(request.user, "edit_setup")
    if request.method == "POST":
        return _turn_switch(request)
    periods = ShadowPeriod.objects.select_related("started_by", "ended_by").order_by("-from_at")
    context = {"period": shadow_mode.current_period(), "periods": periods}
    return render(request, "setup/shadow.html", context)


def _turn_switch(request: StaffRequest) -> HttpResponse:
    """Turn shadow mode to the posted state, after a fresh proof of identity; keep who and when."""
    page_url = reverse("setup_shadow")
    if not login.is_recently_authenticated(request, request.at):
        return login.redirect_to_reauthentication(page_url)
    turns_on = request.POST.get("turn") == "on"
    try:
        with atomic():
            if turns_on and shadow_mode.is_shadow_on():
                raise UserError("Shadow mode is on already.")
            if turns_on:
                shadow_switch.turn_on(by=request.user, at=request.at)
            elif shadow_switch.turn_off(by=request.user, at=request.at) is None:
                raise UserError("Shadow mode is off already.")
            access_log.record_access(
                AccessKind.SHADOW_STARTED if turns_on else AccessKind.SHADOW_ENDED,
                client=request_caller(request), at=request.at, user_id=request.user.pk,
                subject="shadow mode",
            )  # fmt: skip
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=page_url)
    toast = "Shadow mode is on" if turns_on else "Shadow mode is off"
    return respond_redirect(request, toast, to=page_url)


@staff_view("GET")
def show_report(request: StaffRequest, period_id: UUID) -> HttpResponse:
    """Show what would have happened in a period of shadow mode, ready to print."""
    require_company_permission(request.user, "see_shadow_report")
    period = get_object_or_404(ShadowPeriod, pk=period_id)
    context = {
        "report": shadow_report.build_report(period, at=request.at),
        "period": period,
        "company": Company.objects.first(),
        "min_leads": shadow_report.MIN_LEADS,
        "min_fundings": funding_costs.MIN_FUNDINGS,
        "horizon_days": HORIZON_DAYS,
        "can_upload": has_company_permission(request.user, "edit_setup"),
    }
    return render(request, "setup/shadow_report.html", context)


@staff_view("GET")
def download_report(request: StaffRequest, period_id: UUID) -> HttpResponse:
    """Download the report's leads as CSV, and record it in the audit log."""
    require_company_permission(request.user, "see_shadow_report")
    period = get_object_or_404(ShadowPeriod, pk=period_id)
    text, number = report_file.render_report(shadow_report.build_report(period, at=request.at))
    access_log.record_access(
        AccessKind.EXPORTED, client=request_caller(request), at=request.at,
        user_id=request.user.pk, subject="shadow report", number=number,
    )  # fmt: skip
    return csv_response(text, f"shadow-report-{period.from_at:%Y-%m-%d}.csv")


@staff_view("GET", "POST")
def check_list(request: StaffRequest, period_id: UUID) -> HttpResponse:
    """Show the form of the list; a POST checks each line and keeps nothing."""
    require_company_permission(request.user, "edit_setup")
    period = get_object_or_404(ShadowPeriod, pk=period_id)
    if request.method == "GET":
        return _render_list(request, period, ListForm())
    form, checked, text = _read_posted_list(request, period)
    if checked is None:
        return _render_list(request, period, form, status=422)
    return _render_list(request, period, ListForm(initial={"lines": text}), checked)


@staff_view("POST")
def keep_list(request: StaffRequest, period_id: UUID) -> HttpResponse:
    """Keep the lines that can be used, in place of the period's earlier list."""
    require_company_permission(request.user, "edit_setup")
    period = get_object_or_404(ShadowPeriod, pk=period_id)
    form, checked, _ = _read_posted_list(request, period)
    if checked is not None and not checked.usable:
        form.show_refusal("lines", "No line can be used. Fix the list and preview it again.")
    if checked is None or not checked.usable:
        return _render_list(request, period, form, status=422)
    result_lists.keep_list(checked, period, by=request.user, at=request.at)
    return respond_redirect(request, "List saved", to=reverse("shadow_report", args=[period.pk]))


def _read_posted_list(
    request: StaffRequest, period: ShadowPeriod
) -> tuple[ListForm, CheckedList | None, str]:
    """Check the posted list; None, with the error in the form, if it can't be read."""
    form = ListForm(request.POST, request.FILES)
    if not form.is_valid():
        return form, None, ""
    try:
        text = form.read_text()
        return form, result_lists.check_list(text, period, at=request.at), text
    except InvalidField as problem:
        form.show_refusal("lines", str(problem))
        return form, None, ""


def _render_list(
    request: StaffRequest,
    period: ShadowPeriod,
    form: ListForm,
    checked: CheckedList | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "period": period,
        "checked": checked,
        "refused": checked.refused[:MAX_REFUSED_SHOWN] if checked else (),
        "more_refused": max(len(checked.refused) - MAX_REFUSED_SHOWN, 0) if checked else 0,
    }
    return render(request, "setup/shadow_list.html", context, status=status)
