"""Work that gave up: what it was, why, and another try."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.tasks import failed_jobs
from rooftree.tasks.failed_jobs import FailedJob
from rooftree.web.setup.views import require_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def list_failed_jobs(request: StaffRequest) -> HttpResponse:
    """The newest tasks that gave up."""
    require_permission(request.user, "edit_setup")
    rows = [_job_line(list_failed_job) for list_failed_job in failed_jobs.list_failed_jobs()]
    return render(
        request, "setup/failed_jobs.html", {"rows": rows, "count": failed_jobs.count_failed_jobs()}
    )


@staff_view("POST")
def retry_job(request: StaffRequest, job_id: int) -> HttpResponse:
    """Put one back to work."""
    require_permission(request.user, "edit_setup")
    back = reverse("dead_letters")
    if not failed_jobs.retry_failed_job(job_id):
        return respond_refused(request, "It is at work again already, or done.", back_to=back)
    return respond_done(request, "Back to work", back_to=back)


def _job_line(one: FailedJob) -> dict[str, Any]:
    name = one.task.rpartition(".")[2].replace("_", " ")
    return {"one": one, "name": f"{name[:1].upper()}{name[1:]}"}
