"""Failed jobs: what failed and why, with a retry."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.tasks import failed_jobs
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET")
def list_failed_jobs(request: StaffRequest) -> HttpResponse:
    """List the newest failed jobs."""
    require_permission(request.user, "edit_setup")
    rows = [
        {"job": job, "name": job.task.rpartition(".")[2].replace("_", " ").capitalize()}
        for job in failed_jobs.list_failed_jobs()
    ]
    return render(
        request, "setup/failed_jobs.html", {"rows": rows, "count": failed_jobs.count_failed_jobs()}
    )


@staff_view("POST")
def retry_job(request: StaffRequest, job_id: int) -> HttpResponse:
    """Put one failed job back in the queue."""
    require_permission(request.user, "edit_setup")
    back_to = reverse("dead_letters")
    if not failed_jobs.retry_failed_job(job_id):
        return respond_refused(request, "This job is already running or done.", back_to=back_to)
    return respond_done(request, "Job queued again", back_to=back_to)
