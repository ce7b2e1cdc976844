"""Setup of licenses: state licenses of loan officers and the company, with their dates."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.gate import license_wording
from rooftree.core.us_states import STATES
from rooftree.flow import company_changes, nmls_license_import
from rooftree.money.company_day import company_day
from rooftree.org import officer_licenses
from rooftree.org.models import AUTHORIZING_STATUSES, Company, CompanyLicense, License, LoanOfficer
from rooftree.outreach.messages import plan_messages
from rooftree.outreach.wording import license_disclosures
from rooftree.web.lists.list_page import get_page
from rooftree.web.lists.url_filter import SearchForm, UrlFilter
from rooftree.web.setup.setup_guide import ENDS_SOON
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, choice_field, date_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
COMPANY_PAGE_SIZE = 25
STATUSES = (
    *AUTHORIZING_STATUSES, "Approved - Conditional", "Approved - Inactive", "Pending", "Expired",
    "Surrendered", "Suspended", "Revoked",
)  # fmt: skip
ONE_DAY = timedelta(days=1)


class LicenseForm(StaffForm):
    """One license of an officer or the company; `license_row` is the license being edited."""

    officer = choice_field("Holder", ())
    state = choice_field("State", [("", "Choose a state"), *STATES.items()])
    number = text_field("Number", max_length=40)
    license = choice_field(
        "License type", (), "Company only, where the state’s disclosure depends on the type",
        required=False,
    )  # fmt: skip
    status = choice_field("NMLS status", [(status, status) for status in STATUSES])
    from_date = date_field("First day")
    last_date = date_field("Last day", "Empty: no end date", required=False)

    def __init__(
        self,
        *args: Any,
        today: date,
        license_row: License | CompanyLicense | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._set_license_types(license_row, today)
        if license_row:
            del self.fields["officer"], self.fields["state"]
        else:
            del self.fields["status"]
            officers = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
            names = [(str(o.pk), o.user.name) for o in officers.order_by("user__name")]
            self.set_choices("officer", [("", "The company"), *names])
            self.fields["officer"].required = False
        if isinstance(license_row, CompanyLicense):
            del self.fields["status"]

    def _set_license_types(self, license_row: License | CompanyLicense | None, today: date) -> None:
        """Offer the license types whose disclosures differ, of one state or of all states."""
        states: Iterable[str] = STATES if license_row is None else [license_row.state]
        types = [
            (f"{state}:{key}", f"{state}: {name}")
            for state in states
            for key, name in license_wording.license_kinds(state, on=today).items()
        ]
        if isinstance(license_row, License) or not types:
            del self.fields["license"]
        else:
            self.set_choices("license", [("", "Doesn’t matter in this state"), *types])

    def chosen_license(self, state: str) -> str:
        """Return the license type chosen for a state; "" if none was chosen for it."""
        chosen_state, _, key = self.cleaned_data.get("license", "").partition(":")
        return key if chosen_state == state else ""

    def dates(self) -> tuple[Any, Any]:
        """Return the first day, and the first day after the license; None without an end."""
        last = self.cleaned_data["last_date"]
        return self.cleaned_data["from_date"], last + ONE_DAY if last else None


@staff_view("GET", "POST")
def list_licenses(request: StaffRequest) -> HttpResponse:
    """List all licenses, by officer and state; a POST adds one."""
    require_permission(request.user, "edit_licenses")
    today = company_day(request.at)
    form = LicenseForm(
        request.POST or None, initial={"officer": request.GET.get("officer", "")}, today=today
    )

    def add(typed: dict[str, Any]) -> Any:
        values = {"state": typed["state"], "number": typed["number"], "dates": form.dates()}
        values |= {"by": request.user, "at": request.at}
        if typed["officer"]:
            return officer_licenses.add_license(officer_id=typed["officer"], **values)
        return company_changes.add_license(**values, license=form.chosen_license(typed["state"]))

    if request.method == "POST" and form.submit(add):
        return respond_done(request, f"License in {form.result.state} added", back_to=request.path)
    licenses = License.objects.filter(officer__terminated_at=None).select_related("officer__user")
    state = request.GET.get("state", "")
    if state in STATES:
        licenses = licenses.filter(state=state)
    licenses = licenses.order_by("officer__user__name", "state", "-from_date", "id")
    shown = UrlFilter(SearchForm(request.GET))
    if name := shown.values.get("q"):
        licenses = licenses.filter(officer__user__name__icontains=name)
    page = get_page(request, licenses, size=PAGE_SIZE)
    company_page = get_page(
        request, CompanyLicense.objects.order_by("state", "-from_date", "id"),
        size=COMPANY_PAGE_SIZE, parameter="company_page",
    )  # fmt: skip
    context = {
        "form": form,
        "page": page,
        "rows": [_license_line(row, today, row.status) for row in page.object_list],
        "shown": shown,
        "company_page": company_page,
        "company": _company_license_lines(company_page.object_list, request.at, today),
        "states": sorted(set(License.objects.values_list("state", flat=True))),
        "state": state,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/licenses.html", context, status=status)


@staff_view("GET", "POST")
def import_license_file(request: StaffRequest) -> HttpResponse:
    """Compare an NMLS file with the licenses on file; the second button imports it."""
    require_permission(request.user, "edit_licenses")
    comparison, problem = None, ""
    upload = request.FILES.get("file")
    if request.method == "POST":
        try:
            if upload is None:
                raise nmls_license_import.NotALicenseFile("Choose a file.")
            if request.POST.get("act") == "take":
                imported = nmls_license_import.import_file(
                    upload.read(), by=request.user, at=request.at
                )
                number = len(imported.changes)
                toast = f"{number} license{'' if number == 1 else 's'} updated from NMLS"
                return respond_done(request, toast, back_to=reverse("setup_licenses"))
            comparison = nmls_license_import.compare_file(upload.read(), at=request.at)
        except nmls_license_import.NotALicenseFile as bad:
            problem = str(bad)
    context = {"comparison": comparison, "problem": problem}
    return render(request, "setup/licenses_file.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def edit_officer_license(request: StaffRequest, license_id: UUID) -> HttpResponse:
    """Show one officer's license; a POST corrects, renews or ends it."""
    require_permission(request.user, "edit_licenses")
    rows = License.objects.select_related("officer__user")
    license_row = get_object_or_404(rows, pk=license_id)

    def save(form: LicenseForm) -> Any:
        typed, (from_date, until_date) = form.cleaned_data, form.dates()
        return officer_licenses.edit_license(
            license_id=license_row.pk, by=request.user, at=request.at, number=typed["number"],
            status=typed["status"], from_date=from_date, until_date=until_date,
        )  # fmt: skip

    title = f"{license_row.officer.user.name}, {STATES[license_row.state]}"
    return _edit_license(request, license_row, title, save)


@staff_view("GET", "POST")
def edit_company_license(request: StaffRequest, license_id: UUID) -> HttpResponse:
    """Show one license of the company; a POST corrects, renews or ends it."""
    require_permission(request.user, "edit_licenses")
    license_row = get_object_or_404(CompanyLicense, pk=license_id)

    def save(form: LicenseForm) -> Any:
        return company_changes.edit_license(
            license_id=license_row.pk, number=form.cleaned_data["number"],
            license=form.chosen_license(license_row.state), dates=form.dates(),
            by=request.user, at=request.at,
        )  # fmt: skip

    return _edit_license(request, license_row, f"Company, {STATES[license_row.state]}", save)


def _edit_license(
    request: StaffRequest,
    license_row: License | CompanyLicense,
    title: str,
    save: Callable[[LicenseForm], Any],
) -> HttpResponse:
    initial = {
        "number": license_row.number,
        "license": f"{license_row.state}:{getattr(license_row, 'license', '')}",
        "status": getattr(license_row, "status", ""),
        "from_date": license_row.from_date,
        "last_date": license_row.until_date - ONE_DAY if license_row.until_date else None,
    }
    form = LicenseForm(
        request.POST or None,
        initial=initial,
        license_row=license_row,
        today=company_day(request.at),
    )
    if request.method == "POST" and form.submit(lambda _: save(form)):
        return respond_done(request, f"{title}: license saved", back_to=reverse("setup_licenses"))
    context = {
        "form": form,
        "title": title,
        "back": reverse("setup_licenses"),
        "back_to": "Licenses",
        "sub": "leads the officer may no longer keep go back to routing right away",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)


def _company_license_lines(
    rows: Iterable[CompanyLicense], at: datetime, today: date
) -> list[dict[str, Any]]:
    """Return the company's licenses, each with its disclosure or what is missing for it."""
    company, licenses = Company.objects.first(), license_disclosures.load_company_licenses()
    missing = license_disclosures.missing_license_entries(company, at=at) if company else {}
    lines = []
    for license_row in rows:
        row = _license_line(license_row, today)
        if company and row["tone"] != "late":
            row["missing"] = missing.get(license_row.state, "")
            if row["missing"]:
                row |= {"tone": "late", "icon": "warn", "label": "Not disclosed"}
            row["disclosure"] = plan_messages.license_disclosure(
                "email", state=license_row.state, company=company, licenses=licenses, at=at
            )
        lines.append(row)
    return lines


def _license_line(
    license_row: License | CompanyLicense, today: date, status: str = "Approved"
) -> dict[str, Any]:
    """Return a license with its status today as a label and a tone."""
    last = license_row.until_date - ONE_DAY if license_row.until_date else None
    tone, icon, label = "ok", "check", "Active"
    if status not in AUTHORIZING_STATUSES:
        tone, icon, label = "late", "ban", status
    elif license_row.from_date > today:
        tone, icon, label = "", "clock", "Not started"
    elif last and last < today:
        tone, icon, label = "late", "ban", "Expired"
    elif last and last <= today + ENDS_SOON:
        tone, icon, label = "soon", "clock", "Expires soon"
    return {"license": license_row, "last_date": last, "tone": tone, "icon": icon, "label": label}
