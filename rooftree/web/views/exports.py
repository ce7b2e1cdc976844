"""Taking a list out as a file: a page that asks why, and then the file."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify

from rooftree.leads.models import Lead
from rooftree.reporting import export
from rooftree.reporting.export import Asked, CannotExport
from rooftree.reporting.records import NUMBERS
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
    reason, problem = request.POST.get("reason", ""), ""
    if request.method == "POST":
        asked = Asked(
            user_id=request.user.pk, subject=subject, reason=reason, caller=caller(request)
        )
        try:
            text, _ = export.leads_csv(leads, asked, at=request.at)
        except CannotExport as refusal:
            problem = str(refusal)
        else:
            return csv_file(text, f"{slugify(title)}-{request.at:%Y-%m-%d}.csv")
    context = {
        "title": title, "back": back, "number": leads.count(), "most": export.MOST,
        "reason": reason, "problem": problem, "longest": export.LONGEST,
    }  # fmt: skip
    return render(request, "exports/show.html", context, status=422 if problem else 200)
