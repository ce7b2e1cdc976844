"""Responses to actions: a fragment for htmx, a redirect for a plain form, a toast for both."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rooftree.web.shared.next_lead import NextLead
from rooftree.web.shared.staff_request import StaffRequest

TOAST_HEADERS = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}


def respond_done(
    request: StaffRequest,
    words: str,
    *,
    back_to: str,
    events: str = "reread",
    undo_url: str = "",
    next_lead: NextLead | None = None,
) -> HttpResponse:
    """Confirm an action with `words` in a toast, and refresh the page.

    For htmx the response is the toast and the event `reread`, on which the parts of the page that
    can have changed reload; `events` names other ones, separated by commas.

    Args:
        undo_url: where the toast's Undo button posts to; "" if the action can't be undone.
        next_lead: the lead that the toast offers next.
    """
    if not request.htmx:
        messages.success(request, words, extra_tags=undo_url)
        return HttpResponseRedirect(back_to, status=303)
    return _render_toast(
        request, words, tone="ok", status=200, events=events, undo_url=undo_url, next_lead=next_lead
    )


def respond_redirect(
    request: StaffRequest, words: str, *, to: str, undo_url: str = ""
) -> HttpResponse:
    """Confirm an action with `words` in a toast, and go to another page.

    Args:
        undo_url: where the toast's Undo button posts to; "" if the action can't be undone.
    """
    messages.success(request, words, extra_tags=undo_url)
    if request.htmx:
        return HttpResponse(status=200, headers={"HX-Redirect": to})
    return HttpResponseRedirect(to, status=303)


def respond_refused(
    request: StaffRequest, why: str, *, back_to: str, status: int = 409
) -> HttpResponse:
    """Refuse an action; `why` is a sentence to show the user."""
    if not request.htmx:
        messages.error(request, why)
        return HttpResponseRedirect(back_to, status=303)
    return _render_toast(request, why, tone="late", status=status, events="reread")


def _render_toast(
    request: StaffRequest, words: str, *, tone: str, status: int, events: str = "", **more: Any
) -> HttpResponse:
    context = {"words": words, "tone": tone, **more}
    response = render(request, "_toast.html", context, status=status)
    for name, value in TOAST_HEADERS.items():
        response[name] = value
    if events:
        response["HX-Trigger"] = events
    return response
