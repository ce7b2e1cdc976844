"""Security controls from the system's own records, and the records staff must add."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.management import backup_records
from rooftree.money.company_day import company_day
from rooftree.org import second_factor
from rooftree.reporting.controls import (
    assurance_records,
    controls_archive,
    security_controls,
    security_incidents,
)
from rooftree.reporting.controls.assurance_records import ACCESS_REVIEW, KINDS, BadRecord
from rooftree.reporting.models import Assurance, Incident
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    StaffForm,
    checkbox_field,
    choice_field,
    date_field,
    integer_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PERIODS = {"90": "90 days", "365": "a year"}
MAX_LISTED = 50
RECORD_KINDS = [(key, kind.title) for key, kind in KINDS.items() if key != ACCESS_REVIEW]
MAX_NOTES_LENGTH = 600


class RecordForm(StaffForm):
    """A record of a control carried out by staff."""

    kind = choice_field("Type", RECORD_KINDS)
    on_date = date_field("Date")
    said = textarea_field(
        "Result", "Who did it and what they found", required=True, max_length=MAX_NOTES_LENGTH
    )
    document = text_field("Document", "File name, link or folder", required=False)


class IncidentForm(StaffForm):
    """A security incident."""

    what = textarea_field(
        "What happened", "No borrower names or numbers", required=True, max_length=MAX_NOTES_LENGTH
    )
    discovered_on = date_field("Discovered on", "The 30 days to report to the FTC start here")
    consumers = integer_field(
        "People affected", "Whose data may have been accessed", min_value=0, max_value=100_000_000
    )
    is_encrypted = checkbox_field("All data was encrypted")
    was_key_taken = checkbox_field("The encryption key may be compromised")


@staff_view("GET")
def list_controls(request: StaffRequest) -> HttpResponse:
    """List the controls: effective, or in need of attention."""
    require_permission(request.user, "see_access_log")
    days, scope = _parse_period(request.GET.get("days"), request.at)
    controls = security_controls.check_controls(scope)
    context = {
        "controls": controls,
        "late": [control for control in controls if control.is_effective is False],
        "periods": [(key, label, key == days) for key, label in PERIODS.items()],
        "days": days,
    }
    return render(request, "security/controls.html", context)


@staff_view("POST")
def export_controls(request: StaffRequest) -> HttpResponse:
    """Return the controls of a period as a signed archive for an examiner."""
    require_permission(request.user, "see_access_log")
    _, scope = _parse_period(request.POST.get("days"), request.at)
    body = controls_archive.build_archive(scope, by=request.user)
    response = HttpResponse(body, content_type="application/zip")
    name = f"security controls {request.at:%Y-%m-%d}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@staff_view("GET", "POST")
def review_access(request: StaffRequest) -> HttpResponse:
    """List all users who can sign in; a POST records for each whether access is correct."""
    require_permission(request.user, "see_access_log")
    problem = ""
    users = assurance_records.users_to_review()
    if request.method == "POST":
        decisions = {user.pk: request.POST.get(f"person-{user.pk}", "") for user in users}
        try:
            assurance_records.record_access_review(
                decisions, summary=request.POST.get("said", "").strip()[:MAX_NOTES_LENGTH],
                on=company_day(request.at), by=request.user, at=request.at,
            )  # fmt: skip
        except BadRecord as bad:
            problem = str(bad)
        else:
            return respond_done(request, "Review recorded", back_to=reverse("controls"))
    without_factor = {user.pk for user in second_factor.users_without_factor(users)}
    context = {
        "people": [
            (user, user.pk in without_factor, request.POST.get(f"person-{user.pk}", ""))
            for user in users
        ],
        "notes": request.POST.get("said", ""),
        "problem": problem,
        "last": assurance_records.latest_by_kind().get(ACCESS_REVIEW),
    }
    return render(request, "security/access_review.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def list_records(request: StaffRequest) -> HttpResponse:
    """List the control records; a POST adds one."""
    require_permission(request.user, "see_access_log")
    form = RecordForm(request.POST or None, initial={"on_date": company_day(request.at)})

    def save(typed: dict[str, Any]) -> Assurance:
        return assurance_records.record_assurance(
            typed["kind"], on=typed["on_date"], summary=typed["said"], document=typed["document"],
            by=request.user, at=request.at,
        )  # fmt: skip

    if request.method == "POST" and form.submit(save):
        return respond_done(request, "Record added", back_to=reverse("assurances"))
    last = assurance_records.latest_by_kind()
    rows = Assurance.objects.select_related("by").order_by("-at", "-id")
    context = {
        "form": form,
        "kinds": [
            (kind.title, last.get(key), assurance_records.next_due_date(key, last.get(key)))
            for key, kind in KINDS.items()
        ],
        "rows": [(KINDS[row.kind].title, row) for row in rows[:MAX_LISTED]],
        "count": rows.count(),
        "today": company_day(request.at),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "security/control_records.html", context, status=status)


@staff_view("GET", "POST")
def list_incidents(request: StaffRequest) -> HttpResponse:
    """List the incidents with their FTC deadlines; a POST records one."""
    require_permission(request.user, "see_access_log")
    form = IncidentForm(request.POST or None, initial={"discovered_on": company_day(request.at)})

    def save(typed: dict[str, Any]) -> Incident:
        incident = Incident(
            description=typed["what"],
            discovered_on=typed["discovered_on"],
            consumers=typed["consumers"],
            is_encrypted=typed["is_encrypted"],
            was_key_exposed=typed["was_key_taken"],
        )
        return security_incidents.open_incident(incident, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(request, "Incident recorded", back_to=reverse("incidents"))
    rows = Incident.objects.select_related("opened_by").order_by("-opened_at", "-id")
    context = {
        "form": form,
        "incidents": [_incident_line(row, company_day(request.at)) for row in rows[:MAX_LISTED]],
        "count": rows.count(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "security/incidents.html", context, status=status)


@staff_view("POST")
def update_incident(request: StaffRequest, incident_id: UUID) -> HttpResponse:
    """Record the report to the FTC, or close the incident."""
    require_permission(request.user, "see_access_log")
    page_url = reverse("incidents")
    try:
        if "told_on" in request.POST:
            on = _parse_date(request.POST["told_on"])
            security_incidents.record_ftc_notice(incident_id, on=on, by=request.user, at=request.at)
        else:
            resolution = request.POST.get("ended", "").strip()[:MAX_NOTES_LENGTH]
            security_incidents.close_incident(
                incident_id, resolution=resolution, by=request.user, at=request.at
            )
    except BadRecord as bad:
        return respond_refused(request, str(bad), back_to=page_url, status=422)
    return respond_done(request, "Incident updated", back_to=page_url)


def _parse_period(typed: str | None, at: datetime) -> tuple[str, security_controls.ControlScope]:
    days = typed if typed in PERIODS else next(iter(PERIODS))
    last = backup_records.read_record(backup_records.LAST_BACKUP)
    made = datetime.fromisoformat(last["made_at"]) if last else None
    return days, security_controls.ControlScope(
        since=at - timedelta(days=int(days)), at=at, last_backup=made
    )


def _incident_line(incident: Incident, today: date) -> dict[str, Any]:
    due = security_incidents.ftc_deadline(incident)
    return {"incident": incident, "due": due, "is_late": due is not None and due < today}


def _parse_date(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadRecord("Enter a date, for example 2026-11-30.") from None
