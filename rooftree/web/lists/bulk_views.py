"""Actions on several leads: choose, preview, confirm, and undo."""

from collections.abc import Collection
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from rooftree.flow import bulk_lead_actions
from rooftree.flow.bulk_lead_actions import MAX_LEADS, PERMISSIONS, CannotRun
from rooftree.routing.models import LIST_PAGES, BulkAction
from rooftree.routing.permissions import has_permission
from rooftree.web.lists.bulk_forms import (
    BulkEnrollForm,
    BulkForm,
    BulkReassignForm,
    BulkSnoozeForm,
    BulkTagForm,
    BulkWatchForm,
)
from rooftree.web.lists.list_filters import ListFilter
from rooftree.web.lists.listed_leads import find_lead_ids
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("POST")
def reassign_leads(request: StaffRequest) -> HttpResponse:
    """Reassign the selected leads to one loan officer."""
    return _run_step(request, BulkReassignForm)


@staff_view("POST")
def snooze_leads(request: StaffRequest) -> HttpResponse:
    """Snooze the selected leads until one morning."""
    return _run_step(request, BulkSnoozeForm)


@staff_view("POST")
def tag_leads(request: StaffRequest) -> HttpResponse:
    """Put one tag on the selected leads."""
    return _run_step(request, BulkTagForm)


@staff_view("POST")
def enroll_leads(request: StaffRequest) -> HttpResponse:
    """Start one sequence for the selected leads."""
    return _run_step(request, BulkEnrollForm)


@staff_view("POST")
def watch_rates(request: StaffRequest) -> HttpResponse:
    """Set one rate watch for the selected leads."""
    return _run_step(request, BulkWatchForm)


def _run_step(request: StaffRequest, form_class: type[BulkForm]) -> HttpResponse:
    """Show the form, then what will happen, then do it: `step` is empty, `preview` or `run`."""
    if not has_permission(request.user, PERMISSIONS[form_class.KIND]):
        raise PermissionDenied("Your role doesn’t have access to this.")
    # The list that the selection comes from, with the filters it was shown under.
    shown = _list_of(request, QueryDict(request.POST.get("from", "")))
    step = request.POST.get("step", "")
    form = form_class(request.POST if step else None, by=request.user, at=request.at)
    lead_ids = _selected_ids(request, shown)
    context = {
        "form": form, "shown": shown, "lead_ids": sorted(lead_ids), "key": uuid4(),
        "subject": count_noun(len(lead_ids), "lead"),
    }  # fmt: skip
    problem = _selection_problem(lead_ids)
    if problem:
        return respond_refused(request, problem, back_to=shown.address, status=422)
    if not step:
        return render(request, "lists/bulk.html", context)
    if not form.is_valid():
        return render(request, "lists/bulk.html", context, status=422)
    try:
        if step == "run":
            return _run(request, form, lead_ids)
        context["preview"] = bulk_lead_actions.preview_action(
            form.order(lead_ids), by=request.user, at=request.at
        )
    except CannotRun as refusal:
        form.show_refusal(refusal.field, str(refusal))
        return render(request, "lists/bulk.html", context, status=422)
    return render(request, "lists/bulk.html", context)


def _run(request: StaffRequest, form: BulkForm, lead_ids: Collection[UUID]) -> HttpResponse:
    key = _parse_id(request.POST.get("key", ""))
    if key is None:
        raise CannotRun("Preview the action again.")
    action = bulk_lead_actions.run_action(
        form.order(lead_ids), key=key, by=request.user, at=request.at
    )
    page = reverse("bulk_action", args=[action.pk])
    return redirect(f"{page}?{request.POST.get('from', '')}")


@staff_view("GET")
def show_action(request: StaffRequest, action_id: UUID) -> HttpResponse:
    """Show what an action did: which leads did not change and why, and a button to undo it."""
    action = _get_action(request, action_id)
    changes = list(action.changes.select_related("lead__person").order_by("lead_id"))
    changed = [change for change in changes if not change.problem]
    context = {
        "action": action,
        "changed": changed,
        "refused": [change for change in changes if change.problem],
        "kept": [change for change in changed if change.undo_problem],
        "can_undo": changed and not action.undone_at
        and request.at <= action.at + bulk_lead_actions.UNDO_WINDOW,
        "shown": _list_of(request, request.GET),
        "changed_text": count_noun(len(changed), "lead"),
    }  # fmt: skip
    return render(request, "lists/bulk_result.html", context)


@staff_view("POST")
def undo_action(request: StaffRequest, action_id: UUID) -> HttpResponse:
    """Undo an action on each lead that nobody has changed since."""
    action = _get_action(request, action_id)
    back = f"{reverse('bulk_action', args=[action.pk])}?{request.POST.get('from', '')}"
    try:
        number = bulk_lead_actions.undo_action(action, by=request.user, at=request.at)
    except CannotRun as refusal:
        return respond_refused(request, str(refusal), back_to=back)
    return respond_done(request, f"Undone on {count_noun(number, 'lead')}", back_to=back)


def _get_action(request: StaffRequest, action_id: UUID) -> BulkAction:
    try:
        return bulk_lead_actions.find_action(action_id, by=request.user)
    except CannotRun as problem:
        raise Http404(str(problem)) from problem


def _list_of(request: StaffRequest, data: QueryDict) -> ListFilter:
    page = data.get("page_name", "")
    return ListFilter(page if page in LIST_PAGES else "people", request.user, data)


def _selected_ids(request: StaffRequest, shown: ListFilter) -> set[UUID]:
    if request.POST.get("all"):
        return set(find_lead_ids(shown, request.user, request.at, limit=MAX_LEADS + 1))
    keys = (_parse_id(text) for text in request.POST.getlist("lead")[: MAX_LEADS + 1])
    return {key for key in keys if key}


def _selection_problem(lead_ids: Collection[UUID]) -> str:
    if not lead_ids:
        return "Select at least one lead."
    if len(lead_ids) > MAX_LEADS:
        return f"The most at a time is {MAX_LEADS} leads. Narrow the filters or select fewer."
    return ""


def _parse_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
