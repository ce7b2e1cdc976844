"""Spend files: the check shows what the booking does, and the booking does exactly that."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.core.user_errors import InvalidField
from rooftree.flow import money_in
from rooftree.money.company_day import company_day
from rooftree.money.spend_entries import SpendPlan, plan_spend
from rooftree.money.spend_files import MAX_LINES, SpendFile, decode_file, read_spend_file
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import StaffForm
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view


class SpendFileForm(StaffForm):
    """A CSV file of spend."""

    file = forms.FileField(
        label="CSV file",
        help_text="Columns: date, source, campaign (optional), amount",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )


class CheckedFileForm(StaffForm):
    """The text of a checked file, and the digest of what its check showed."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    fingerprint = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)


@staff_view("GET", "POST")
def check_spend_file(request: StaffRequest) -> HttpResponse:
    """Show the upload form; a POST shows what the file would book, and books nothing."""
    require_company_permission(request.user, "book_money")
    form = SpendFileForm(request.POST or None, request.FILES or None)
    if request.method != "POST":
        return _render_upload(request, form, status=200)

    def read(typed: dict[str, Any]) -> str:
        text = decode_file(typed["file"].read())
        read_spend_file(text, today=company_day(request.at))
        return text

    if not form.submit(read):
        return _render_upload(request, form, status=422)
    return _render_check(request, form.result, form.cleaned_data["file"].name[:200])


@staff_view("POST")
def book_spend_file(request: StaffRequest) -> HttpResponse:
    """Book a checked file; if the books changed since the check, show the new check instead."""
    require_company_permission(request.user, "book_money")
    form = CheckedFileForm(request.POST)
    upload = SpendFileForm()
    if not form.is_valid():
        return _render_upload(request, upload, status=422)
    text, name = form.cleaned_data["text"], form.cleaned_data["name"]
    try:
        plan = plan_spend(read_spend_file(text, today=company_day(request.at)).lines)
    except InvalidField:
        return _render_upload(request, upload, status=422)
    if plan.fingerprint != form.cleaned_data["fingerprint"]:
        return _render_check(request, text, name, has_changed=True)
    money_in.book_spend_plan(plan, reason=f"File {name}"[:300], by=request.user, at=request.at)
    words = f"{count_noun(len(plan.new), 'entry', 'entries')} and "
    words += f"{count_noun(len(plan.changed), 'correction')} booked"
    return respond_redirect(request, words, to=reverse("money"))


def _render_upload(request: StaffRequest, form: SpendFileForm, *, status: int) -> HttpResponse:
    context = {"form": form, "max_lines": MAX_LINES}
    return render(request, "money/file.html", context, status=status)


def _render_check(
    request: StaffRequest, text: str, name: str, *, has_changed: bool = False
) -> HttpResponse:
    file: SpendFile = read_spend_file(text, today=company_day(request.at))
    plan: SpendPlan = plan_spend(file.lines)
    context = {
        "name": name,
        "file": file,
        "plan": plan,
        "has_changed": has_changed,
        "has_work": bool(plan.new or plan.changed),
        "form": CheckedFileForm(
            initial={"text": text, "fingerprint": plan.fingerprint, "name": name}
        ),
    }
    return render(request, "money/file_check.html", context, status=409 if has_changed else 200)
