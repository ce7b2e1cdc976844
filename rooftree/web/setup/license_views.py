"""Set-up: licenses by state with their dates, of loan officers and of the company."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.gate import license_wording
from rooftree.core.us_states import STATES
from rooftree.flow import company_changes, nmls_license_import
from rooftree.money.company_day import company_day
from rooftree.org import officer_licenses
from rooftree.org.models import AUTHORIZING_STATUSES, Company, CompanyLicense, License, LoanOfficer
from rooftree.outreach.wording import license_disclosures
from rooftree.web.setup.setup_guide import ENDS_SOON
from rooftree.web.setup.views import require_permission
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, choice_field, date_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PAGE_SIZE = 100
STATUSES = (
    *AUTHORIZING_STATUSES, "Approved - Conditional", "Approved - Inactive", "Pending", "Expired",
    "Surrendered", "Suspended", "Revoked",
)  # fmt: skip
ONE_DAY = timedelta(days=1)


class LicenseForm(StaffForm):
    """One license, of an officer or of the company."""

    officer = choice_field("Whose", ())
    state = choice_field("State", [("", "Choose a state"), *STATES.items()])
    number = text_field("Number", max_length=40)
    license = choice_field(
        "Which license", (), "Only of the company, where the state’s wording differs by license",
        required=False,
    )  # fmt: skip
    status = choice_field("NMLS says", [(one, one) for one in STATUSES])
    from_date = date_field("First day")
    last_date = date_field("Last day", "Empty: no end is known", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        held, today = kwargs.pop("held", None), kwargs.pop("today")
        super().__init__(*args, **kwargs)
        self._set_license_choices(held, today)
        if held:
            del self.fields["officer"], self.fields["state"]
        else:
            del self.fields["status"]
            officers = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
            self.fields["officer"].choices = [
                ("", "The company"),
                *((str(o.pk), o.user.name) for o in officers.order_by("user__name")),
            ]
            self.fields["officer"].required = False
        if isinstance(held, CompanyLicense):
            del self.fields["status"]

    def _set_license_choices(self, held: License | CompanyLicense | None, today: date) -> None:
        """Those between which the wording differs: of every state, or of the one in hand."""
        states = STATES if held is None else [held.state]
        offered = [
            (f"{state}:{key}", f"{state}: {name}")
            for state in states
            for key, name in license_wording.license_kinds(state, on=today).items()
        ]
        if isinstance(held, License) or not offered:
            del self.fields["license"]
        else:
            self.fields["license"].choices = [("", "Makes no difference there"), *offered]

    def chosen_license(self, state: str) -> str:
        """The one chosen for a state; "" where none of its was."""
        whose, _, key = self.cleaned_data.get("license", "").partition(":")
        return key if whose == state else ""

    def dates(self) -> tuple[Any, Any]:
        """The first day, and the first day without it."""
        last = self.cleaned_data["last_date"]
        return self.cleaned_data["from_date"], last + ONE_DAY if last else None


@staff_view("GET", "POST")
def list_licenses(request: StaffRequest) -> HttpResponse:
    """Every license, those that end first at the top of their officer; and a new one."""
    require_permission(request.user, "edit_licenses")
    today = company_day(request.at)
    form = LicenseForm(
        request.POST or None, initial={"officer": request.GET.get("officer", "")}, today=today
    )

    def add(typed: dict[str, Any]) -> Any:
        kept = {"state": typed["state"], "number": typed["number"], "dates": form.dates()}
        kept |= {"by": request.user, "at": request.at}
        if typed["officer"]:
            return officer_licenses.add_license(officer_id=typed["officer"], **kept)
        return company_changes.add_license(**kept, license=form.chosen_license(typed["state"]))

    if request.method == "POST" and form.submit(add):
        return respond_done(
            request, f"The license in {form.result.state} is on file", back_to=request.path
        )
    rows = License.objects.filter(officer__terminated_at=None).select_related("officer__user")
    state = request.GET.get("state", "")
    if state in STATES:
        rows = rows.filter(state=state)
    page = Paginator(
        rows.order_by("officer__user__name", "state", "-from_date", "id"), PAGE_SIZE
    ).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": [_license_line(one, today, one.status) for one in page.object_list],
        "company": _company_license_lines(request.at, today),
        "states": sorted(set(License.objects.values_list("state", flat=True))),
        "state": state,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/licenses.html", context, status=status)


@staff_view("GET", "POST")
def import_license_file(request: StaffRequest) -> HttpResponse:
    """What a file of NMLS's says beside what is on file; the second button takes it in."""
    require_permission(request.user, "edit_licenses")
    found, problem = None, ""
    given = request.FILES.get("file")
    if request.method == "POST":
        try:
            if given is None:
                raise nmls_license_import.NotALicenseFile("Choose a file.")
            if request.POST.get("act") == "take":
                taken = nmls_license_import.import_file(
                    given.read(), by=request.user, at=request.at
                )
                said = f"{len(taken.changes)} licenses are as NMLS says"
                return respond_done(request, said, back_to=reverse("setup_licenses"))
            found = nmls_license_import.compare_file(given.read(), at=request.at)
        except nmls_license_import.NotALicenseFile as bad:
            problem = str(bad)
    context = {"found": found, "problem": problem}
    return render(request, "setup/licenses_file.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def edit_officer_license(request: StaffRequest, license_id: UUID) -> HttpResponse:
    """Correct, renew or end one officer's license."""
    require_permission(request.user, "edit_licenses")
    rows = License.objects.select_related("officer__user")
    held = get_object_or_404(rows, pk=license_id)

    def change(form: LicenseForm) -> Any:
        typed, (from_date, until_date) = form.cleaned_data, form.dates()
        return officer_licenses.edit_license(
            license_id=held.pk, by=request.user, at=request.at, number=typed["number"],
            status=typed["status"], from_date=from_date, until_date=until_date,
        )  # fmt: skip

    return _edit_license(request, held, f"{held.officer.user.name}, {STATES[held.state]}", change)


@staff_view("GET", "POST")
def edit_company_license(request: StaffRequest, license_id: UUID) -> HttpResponse:
    """Correct, renew or end one license of the company."""
    require_permission(request.user, "edit_licenses")
    held = get_object_or_404(CompanyLicense, pk=license_id)

    def change(form: LicenseForm) -> Any:
        return company_changes.edit_license(
            license_id=held.pk, number=form.cleaned_data["number"],
            license=form.chosen_license(held.state), dates=form.dates(),
            by=request.user, at=request.at,
        )  # fmt: skip

    return _edit_license(request, held, f"The company, {STATES[held.state]}", change)


def _edit_license(
    request: StaffRequest, held: License | CompanyLicense, title: str, change: Any
) -> HttpResponse:
    initial = {
        "number": held.number,
        "license": f"{held.state}:{getattr(held, 'license', '')}",
        "status": getattr(held, "status", ""),
        "from_date": held.from_date,
        "last_date": held.until_date - ONE_DAY if held.until_date else None,
    }
    form = LicenseForm(
        request.POST or None, initial=initial, license_row=held, today=company_day(request.at)
    )
    if request.method == "POST" and form.submit(lambda _: change(form)):
        return respond_done(request, f"{title}: kept", back_to=reverse("setup_licenses"))
    context = {
        "form": form, "title": title, "back": reverse("setup_licenses"), "back_to": "Licenses",
        "sub": "leads that a change makes unlawful to keep go back to routing at once",
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)


def _company_license_lines(at: datetime, today: date) -> list[dict[str, Any]]:
    """Its licenses, each with the words that messages name it by, or what is missing of them."""
    company, licenses = Company.objects.first(), license_disclosures.load_company_licenses()
    missing = license_disclosures.missing_license_entries(company, at=at) if company else {}
    rows = []
    for company_license in CompanyLicense.objects.order_by("state", "-from_date"):
        row = _license_line(company_license, today)
        if company and row["tone"] != "late":
            row["missing"] = missing.get(company_license.state, "")
            if row["missing"]:
                row |= {"tone": "late", "icon": "warn", "said": "Not named"}
            row["words"] = license_disclosures.license_disclosure(
                "email", state=company_license.state, company=company, licenses=licenses, at=at
            )
        rows.append(row)
    return rows


def _license_line(one: Any, today: Any, status: str = "Approved") -> dict[str, Any]:
    """A license with how it stands today, in a word and a tone."""
    last = one.until_date - ONE_DAY if one.until_date else None
    tone, icon, said = "ok", "check", "Good"
    if status not in AUTHORIZING_STATUSES:
        tone, icon, said = "late", "ban", status
    elif one.from_date > today:
        tone, icon, said = "", "clock", "Not yet"
    elif last and last < today:
        tone, icon, said = "late", "ban", "Ended"
    elif last and last <= today + ENDS_SOON:
        tone, icon, said = "soon", "clock", "Ends soon"
    return {"one": one, "last": last, "tone": tone, "icon": icon, "said": said}
