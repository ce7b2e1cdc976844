"""Work that gave up: what it was, why, and another try."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.tasks import dead_letters
from rooftree.tasks.dead_letters import DeadLetter
from rooftree.web.answers import done, refused
from rooftree.web.page import staff
from rooftree.web.views.setup import must


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The newest tasks that gave up."""
    must(request.user, "edit_setup")
    rows = [_said(one) for one in dead_letters.dead_letters()]
    return render(request, "setup/dead_letters.html", {"rows": rows, "count": dead_letters.count()})


@staff("POST")
def retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Put one back to work."""
    must(request.user, "edit_setup")
    back = reverse("dead_letters")
    if not dead_letters.retry(job_id):
        return refused(request, "It is at work again already, or done.", back_to=back)
    return done(request, "Back to work", back_to=back)


def _said(one: DeadLetter) -> dict[str, Any]:
    name = one.task.rpartition(".")[2].replace("_", " ")
    return {"one": one, "name": f"{name[:1].upper()}{name[1:]}"}
