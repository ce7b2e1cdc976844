"""How an action answers: a fragment for htmx, a redirect for a plain form, a toast for both."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rooftree.web.shared.staff_request import StaffRequest

TOAST_HEADERS = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}


def respond_done(request: StaffRequest, words: str, *, back_to: str) -> HttpResponse:
    """The action is carried out and the page shall read itself again; `words` in a toast.

    For htmx the answer is the toast alone and the event `reread`, on which
    the parts of the page that may differ now fetch themselves.
    """
    if not request.htmx:
        messages.success(request, words)
        return HttpResponseRedirect(back_to, status=303)
    return _render_toast(request, words, tone="ok", status=200, events="reread")


def respond_redirect(request: StaffRequest, words: str, *, to: str) -> HttpResponse:
    """The action is carried out and the next thing to do is on another page."""
    messages.success(request, words)
    if request.htmx:
        return HttpResponse(status=200, headers={"HX-Redirect": to})
    return HttpResponseRedirect(to, status=303)


def shown(
    request: StaffRequest, template: str, context: dict[str, Any], *, back_to: str, words: str = ""
) -> HttpResponse:
    """The action is carried out and `template` is the part it changed."""
    if not request.htmx:
        if words:
            messages.success(request, words)
        return HttpResponseRedirect(back_to, status=303)
    answer = render(request, template, context)
    if words:
        answer.write(render(request, "_toast.html#beside", {"words": words}).content.decode())
    answer["HX-Trigger"] = "reread"
    return answer


def respond_refused(
    request: StaffRequest, why: str, *, back_to: str, status: int = 409
) -> HttpResponse:
    """The action was not carried out; `why` is a sentence fit to show."""
    if not request.htmx:
        messages.error(request, why)
        return HttpResponseRedirect(back_to, status=303)
    return _render_toast(request, why, tone="late", status=status, events="reread")


def _render_toast(
    request: StaffRequest, words: str, *, tone: str, status: int, events: str = ""
) -> HttpResponse:
    answer = render(request, "_toast.html", {"words": words, "tone": tone}, status=status)
    for name, value in TOAST_HEADERS.items():
        answer[name] = value
    if events:
        answer["HX-Trigger"] = events
    return answer
