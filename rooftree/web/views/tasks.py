"""My tasks and by when; for those who watch a team also what others are late with."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rooftree.routing import owed
from rooftree.routing.visible import may
from rooftree.web.page import staff


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """Late first, then by time; for htmx the lists alone."""
    mine = list(owed.of_user(request.user)[: owed.LONGEST])
    late = [one for one in mine if one.due_at < request.at]
    context = {
        "late": late,
        "coming": mine[len(late) :],
        "of_others": list(owed.late_of_others(request.user, at=request.at)[: owed.LONGEST]),
        "sees_team": may(request.user, "see_team"),
        "can_tick": may(request.user, "change_lead"),
    }
    return render(request, "tasks/show.html#lists" if request.htmx else "tasks/show.html", context)
