"""Controls: what keeps data safe here, said by our own records; and what people must write down."""

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.management import backing_up
from rooftree.money.company_day import company_day
from rooftree.org import second_factor
from rooftree.reporting import assurance, controls, controls_file, incidents
from rooftree.reporting.assurance import KINDS, REVIEW, BadRecord
from rooftree.reporting.models import Assurance, Incident
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, area, choice, day, number, text, yes

PERIODS = {"90": "90 days", "365": "a year"}
SHOWN = 50
WRITTEN = [(key, one.title) for key, one in KINDS.items() if key != REVIEW]


class RecordForm(StaffForm):
    """Something people did."""

    kind = choice("What was done", WRITTEN)
    on_date = day("On which day")
    said = area("By whom, and what came of it", required=True)
    document = text("Where the paper is", "A file name, a link or a folder", required=False)


class IncidentForm(StaffForm):
    """What went wrong."""

    what = area("What happened", "Without names or numbers of borrowers.", required=True)
    discovered_on = day("Discovered on", "The thirty days to tell the FTC run from here.")
    consumers = number("Whose data could be reached: how many people", least=0, most=100_000_000)
    is_encrypted = yes("All of it was encrypted")
    was_key_taken = yes("The key may have been reached as well")


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """Every control, what works and what needs somebody."""
    must(request.user, "see_access_log")
    days, asked = _asked(request.GET.get("days"), request.at)
    found = controls.every(asked)
    context = {
        "controls": found,
        "late": [one for one in found if one.works is False],
        "periods": [(key, label, key == days) for key, label in PERIODS.items()],
        "days": days,
    }
    return render(request, "controls/show.html", context)


@staff("POST")
def export(request: HttpRequest) -> HttpResponse:
    """The controls of a period, signed, to hand to an examiner."""
    must(request.user, "see_access_log")
    _, asked = _asked(request.POST.get("days"), request.at)
    body = controls_file.make(asked, by=request.user)
    name = f"security controls {request.at:%Y-%m-%d}.zip"
    return FileResponse(BytesIO(body), as_attachment=True, filename=name)


@staff("GET", "POST")
def review(request: HttpRequest) -> HttpResponse:
    """Everybody who can sign in; the reviewer says of each whether that is right."""
    must(request.user, "see_access_log")
    problem = ""
    people = assurance.to_review()
    if request.method == "POST":
        decisions = {one.pk: request.POST.get(f"person-{one.pk}", "") for one in people}
        try:
            assurance.review(
                decisions, said=request.POST.get("said", "").strip()[:600],
                on=company_day(request.at), by=request.user, at=request.at,
            )  # fmt: skip
        except BadRecord as bad:
            problem = str(bad)
        else:
            return done(request, "The review is written down", back_to=reverse("controls"))
    bare = {one.pk for one in second_factor.without_one(people)}
    context = {
        "people": [
            (one, one.pk in bare, request.POST.get(f"person-{one.pk}", "")) for one in people
        ],
        "said": request.POST.get("said", ""),
        "problem": problem,
        "last": assurance.last_of_each().get(REVIEW),
    }
    return render(request, "controls/review.html", context, status=422 if problem else 200)


@staff("GET", "POST")
def records(request: HttpRequest) -> HttpResponse:
    """What people wrote down, and a form for more."""
    must(request.user, "see_access_log")
    form = RecordForm(request.POST or None, initial={"on_date": company_day(request.at)})

    def keep(typed: dict[str, Any]) -> Assurance:
        return assurance.record(
            typed["kind"], on=typed["on_date"], said=typed["said"], document=typed["document"],
            by=request.user, at=request.at,
        )  # fmt: skip

    if request.method == "POST" and form.carried_out(keep):
        return done(request, "Written down", back_to=reverse("assurances"))
    last = assurance.last_of_each()
    rows = Assurance.objects.select_related("by").order_by("-at", "-id")
    context = {
        "form": form,
        "kinds": [
            (one.title, last.get(key), assurance.due_on(key, last.get(key)))
            for key, one in KINDS.items()
        ],
        "rows": [(KINDS[one.kind].title, one) for one in rows[:SHOWN]],
        "count": rows.count(),
        "today": company_day(request.at),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "controls/records.html", context, status=status)


@staff("GET", "POST")
def incident_list(request: HttpRequest) -> HttpResponse:
    """What went wrong, what the law asks about it, and a form for more."""
    must(request.user, "see_access_log")
    form = IncidentForm(request.POST or None, initial={"discovered_on": company_day(request.at)})

    def keep(typed: dict[str, Any]) -> Incident:
        return incidents.opened(Incident(**typed), by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(keep):
        return done(request, "Written down", back_to=reverse("incidents"))
    rows = Incident.objects.select_related("opened_by").order_by("-opened_at", "-id")
    context = {
        "form": form,
        "incidents": [_said(one, company_day(request.at)) for one in rows[:SHOWN]],
        "count": rows.count(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "controls/incidents.html", context, status=status)


@staff("POST")
def incident(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """The FTC was told on a day, or it is over."""
    must(request.user, "see_access_log")
    back = reverse("incidents")
    try:
        if "told_on" in request.POST:
            on = _day(request.POST["told_on"])
            incidents.told_ftc(incident_id, on=on, by=request.user, at=request.at)
        else:
            ended = request.POST.get("ended", "").strip()[:600]
            incidents.close(incident_id, ended=ended, by=request.user, at=request.at)
    except BadRecord as bad:
        return refused(request, str(bad), back_to=back, status=422)
    return done(request, "Written down", back_to=back)


def _asked(typed: str | None, at: datetime) -> tuple[str, controls.Asked]:
    days = typed if typed in PERIODS else next(iter(PERIODS))
    last = backing_up.last_made()
    made = datetime.fromisoformat(last["made_at"]) if last else None
    return days, controls.Asked(since=at - timedelta(days=int(days)), at=at, last_backup=made)


def _said(one: Incident, today: date) -> dict[str, Any]:
    due = incidents.tell_by(one)
    return {"row": one, "due": due, "is_late": due is not None and due < today}


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadRecord("Write the day as 2026-11-30.") from None
