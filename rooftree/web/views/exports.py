"""Taking a list out as a file: a page that asks why, and then the file."""

from dataclasses import replace

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify

from rooftree.leads.models import Lead
from rooftree.reporting import export, second_person
from rooftree.reporting.records import NUMBERS
from rooftree.reporting.second_person import Asked, CannotExport
from rooftree.routing.visible import who_may
from rooftree.web.answers import done
from rooftree.web.caller import caller
from rooftree.web.files import csv_file
from rooftree.web.page import must, staff
from rooftree.web.views import home
from rooftree.web.views import pipeline as board


@staff("GET", "POST")
def records(request: HttpRequest, number: str) -> HttpResponse:
    """The leads behind a figure of Home."""
    must(request.user, "export")
    leads = home.leads_behind(request, number)
    back = f"{reverse('records', args=[number])}?{request.GET.urlencode()}"
    return _asked(request, leads, subject=f"records:{number}", title=NUMBERS[number], back=back)


@staff("GET", "POST")
def pipeline(request: HttpRequest) -> HttpResponse:
    """The leads of the loans in process."""
    must(request.user, "export")
    loans = board.loans_of(request.user, request.at)
    leads = Lead.objects.filter(pk__in=loans.values("lead_id")).order_by("-created_at", "-id")
    return _asked(
        request, leads, subject="pipeline", title="Loans in process", back=reverse("pipeline")
    )


def _asked(
    request: HttpRequest, leads: QuerySet[Lead], *, subject: str, title: str, back: str
) -> HttpResponse:
    number, problem = leads.count(), ""
    asked = Asked(
        user_id=request.user.pk, subject=subject, reason=request.POST.get("reason", ""),
        caller=caller(request), query=request.GET.urlencode(),
    )  # fmt: skip
    needs_second = second_person.is_needed(number)
    waits = second_person.open_ask(asked, number=number, at=request.at) if needs_second else None
    may_take = not needs_second or (waits is not None and waits.decided_at is not None)
    if request.method == "POST":
        try:
            if may_take:
                given = replace(asked, reason=waits.reason) if waits else asked
                text, _ = export.leads_csv(leads, given, at=request.at)
                return csv_file(text, f"{slugify(title)}-{request.at:%Y-%m-%d}.csv")
            approvers = who_may("approve_export")
            second_person.ask(asked, number=number, approvers=approvers, at=request.at)
            return done(request, "A second person is asked", back_to=request.get_full_path())
        except CannotExport as refusal:
            problem = str(refusal)
    context = {
        "title": title, "back": back, "number": number, "most": export.MOST,
        "reason": asked.reason, "problem": problem, "longest": second_person.LONGEST,
        "waits": waits, "may_take": may_take, "few": second_person.FEW,
    }  # fmt: skip
    return render(request, "exports/show.html", context, status=422 if problem else 200)
