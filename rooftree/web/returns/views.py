"""Returns: what vendors owe back, what we ask of them, and what they answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.imports import import_staging
from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.flow import vendor_returns as flow
from rooftree.leads.models import Source
from rooftree.money import return_claims, return_totals, vendor_contracts
from rooftree.money.models import Claim, Contract, ReturnFile
from rooftree.money.return_claims import ClaimNotAllowed
from rooftree.money.return_grounds import REASON_LABELS
from rooftree.org.models import User
from rooftree.reporting.exports import export_approval, lead_export, return_export
from rooftree.reporting.exports.export_approval import CannotExport, ExportIntent
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared.file_responses import csv_response
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
FREE_ADAPTERS = (*import_staging.RECORD_FORMATS, "website_form", "referral_partner")
STATE_TABS = {  # of the list: what is shown, and the states in it
    "unsent": ("To send", ("drafted",)),
    "out": ("With the vendor", ("sent", "disputed")),
    "answered": ("Answered", ("refused", "credited")),
    "closed": ("Closed", ("closed",)),
}
STATE_BADGES = {  # state or how it was closed: (icon, tone, what is said)
    "drafted": ("clock", "soon", "To send"),
    "sent": ("up", "", "With the vendor"),
    "disputed": ("flag", "soon", "Disputed"),
    "refused": ("ban", "late", "Refused"),
    "credited": ("check", "soon", "Credited in part"),
    "closed:credited": ("check", "ok", "Credited"),
    "closed:refused": ("ban", "", "Refused, closed"),
    "closed:withdrawn": ("undo", "", "Withdrawn"),
    "closed:dropped": ("x", "", "Not sent"),
    "closed:missed": ("warn", "late", "Too late"),
}
STEP_LABELS = {
    "drafted": "Found",
    "withdrawn": "Withdrawn",
    "sent": "Sent",
    "credited": "Credited",
    "refused": "Refused",
    "disputed": "Disputed",
    "closed": "Closed",
    "missed": "Too late",
    "noted": "Note",
}


def visible_returns(user: User) -> QuerySet[Claim]:
    """The returns of the leads a user may know of."""
    rows = Claim.objects.select_related("source", "touch__lead__person", "contract", "file")
    return rows if user.branch_id is None else rows.filter(touch__lead__in=leads_visible_to(user))


@staff_view("GET")
def list_returns(request: StaffRequest) -> HttpResponse:
    """The money at stake by source, and the returns themselves, soonest first."""
    require_permission(request.user, "see_returns")
    mine = visible_returns(request.user)
    stakes = return_totals.totals_by_source(mine, at=request.at)
    source = Source.objects.filter(pk=_parse_uuid(request.GET.get("source"))).first()
    group = request.GET.get("state", "unsent")
    group = group if group in STATE_TABS else "unsent"
    listed = mine.filter(state__in=STATE_TABS[group][1]).order_by("send_by", "pk")
    if source:
        listed = listed.filter(source=source)
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    with_contract = set(Contract.objects.values_list("source_id", flat=True))
    context = {
        "rows": [
            (source, stakes.get(source.pk, return_totals.NO_RETURNS), source.pk in with_contract)
            for source in Source.objects.filter(is_test=False).order_by("name", "id")
            if source.pk in with_contract or source.pk in stakes
        ],
        "without": [
            source
            for source in Source.objects.filter(is_test=False, paused_at=None)
            .exclude(adapter__in=FREE_ADAPTERS)
            .order_by("name")
            if source.pk not in with_contract and source.pk not in stakes
        ],
        "page": page,
        "claims": [return_line(one) for one in page.object_list],
        "groups": [(key, label) for key, (label, _) in STATE_TABS.items()],
        "group": group,
        "source": source,
        "may_edit": has_permission(request.user, "edit_sources"),
        "may_send": can_send(request.user),
    }
    return render(request, "returns/index.html", context)


@staff_view("GET")
def show_return(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """One return: why, with its evidence, and what became of it."""
    require_permission(request.user, "see_returns")
    return _render_return(request, _get_visible_return(request.user, claim_id))


@staff_view("POST")
def apply_return_action(request: StaffRequest, claim_id: UUID, what: str) -> HttpResponse:
    """Take the next step of a return."""
    require_permission(request.user, "work_returns")
    one = _get_visible_return(request.user, claim_id)
    if what not in ACTIONS:
        raise Http404
    try:
        words = ACTIONS[what](request, one)
    except ClaimNotAllowed as problem:
        return _render_return(request, one, problem=str(problem), tried=what, status=422)
    return respond_done(request, words, back_to=reverse("return", args=[one.pk]))


@staff_view("GET", "POST")
def send_returns(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Ask why, then give the file of all that is to be sent to a vendor."""
    _require_send(request.user)
    source = get_object_or_404(Source, pk=source_id)
    drafts = visible_returns(request.user).filter(
        source=source, state="drafted", send_by__gt=request.at
    )
    problem, status = "", 200
    if request.method == "POST":
        try:
            made, text = flow.send_returns(
                Claim.objects.filter(pk__in=drafts.values("pk")),
                _export_request(request, source),
                source_id=source.pk, by=request.user, at=request.at,
            )  # fmt: skip
        except (ClaimNotAllowed, CannotExport) as refusal:
            problem, status = str(refusal), 422
        else:
            return csv_response(text, _file_name(made))
    stake = return_totals.totals_by_source(drafts, at=request.at).get(
        source.pk, return_totals.NO_RETURNS
    )
    files = source.return_files.order_by("-number")
    context = {
        "source": source, "stake": stake, "problem": problem, "longest": export_approval.MAX_REASON_LENGTH,
        "reason": request.POST.get("reason", ""), "files": files.select_related("made_by")[:12],
        "contract": vendor_contracts.contract_in_force(source.pk, request.at.date()),
    }  # fmt: skip
    return render(request, "returns/send.html", context, status=status)


@staff_view("POST")
def download_file_again(request: StaffRequest, file_id: UUID) -> HttpResponse:
    """The same file once more, with a reason of its own."""
    _require_send(request.user)
    made = get_object_or_404(ReturnFile.objects.select_related("source"), pk=file_id)
    if made.claims.exclude(pk__in=visible_returns(request.user).values("pk")).exists():
        raise Http404
    back = reverse("return_send", args=[made.source_id])
    try:
        text = return_export.export_returns_csv(
            made, _export_request(request, made.source), at=request.at
        )
    except CannotExport as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    return csv_response(text, _file_name(made))


def return_line(one: Claim) -> dict[str, Any]:
    """A return as a line shows it."""
    key = f"closed:{one.closed_as}" if one.state == "closed" else one.state
    icon, tone, words = STATE_BADGES[key]
    return {
        "claim": one,
        "icon": icon,
        "tone": tone,
        "said": words,
        "reason": REASON_LABELS.get(one.reason, one.reason),
        "left_cents": one.asked_cents - one.credited_cents,
    }


def can_send(user: User) -> bool:
    """A file of returns names people: only who may take people out makes one."""
    return has_permission(user, "work_returns") and has_permission(user, "export")


def _require_send(user: User) -> None:
    if not can_send(user):
        raise PermissionDenied


def _record_credit(request: StaffRequest, one: Claim) -> str:
    read = parse_amount(request.POST.get("amount", ""))
    if read is None or read.kind is not AmountKind.EXACT or not read.cents:
        raise ClaimNotAllowed("Write the amount they credited, as 65.50.")
    before = request.POST.get("before", "")
    flow.record_credit(
        one.pk, cents=read.cents, before_cents=int(before) if before.isdecimal() else -1,
        by=request.user, at=request.at, note=request.POST.get("note", ""),
    )  # fmt: skip
    return "Credited, and booked"


def _record_refusal(request: StaffRequest, one: Claim) -> str:
    return_claims.record_refusal(
        one.pk, note=request.POST.get("note", ""), by=request.user, at=request.at
    )
    return "Their refusal is written down"


def _dispute_refusal(request: StaffRequest, one: Claim) -> str:
    return_claims.dispute_claim(
        one.pk, note=request.POST.get("note", ""), by=request.user, at=request.at
    )
    return "Disputed; it waits for their answer"


def _close_return(request: StaffRequest, one: Claim) -> str:
    return_claims.close_claim(
        one.pk, note=request.POST.get("note", ""), by=request.user, at=request.at
    )
    return "Closed"


def _add_note(request: StaffRequest, one: Claim) -> str:
    return_claims.add_remark(
        one.pk, text=request.POST.get("note", ""), by=request.user, at=request.at
    )
    return "Noted"


ACTIONS: dict[str, Callable[[StaffRequest, Claim], str]] = {
    "credit": _record_credit,
    "refusal": _record_refusal,
    "dispute": _dispute_refusal,
    "closure": _close_return,
    "note": _add_note,
}


def _render_return(
    request: StaffRequest, one: Claim, *, problem: str = "", tried: str = "", status: int = 200
) -> HttpResponse:
    one = _get_visible_return(request.user, one.pk)
    steps = one.steps.select_related("by").order_by("-at", "-pk")
    context = {
        "claim": one,
        "line": return_line(one),
        "steps": [(step, STEP_LABELS.get(step.kind, step.kind)) for step in steps],
        "word": vendor_contracts.vendor_reason(one.contract, one.reason),
        "left": lead_export.format_dollars(one.asked_cents - one.credited_cents),
        "problem": problem,
        "tried": tried,
        "typed": request.POST,
        "may_work": has_permission(request.user, "work_returns"),
        "may_send": can_send(request.user),
        "is_answerable": one.state in return_claims.ANSWERABLE_STATES,
    }
    return render(request, "returns/return.html", context, status=status)


def _get_visible_return(user: User, claim_id: UUID) -> Claim:
    return get_object_or_404(visible_returns(user), pk=claim_id)


def _export_request(request: StaffRequest, source: Source) -> ExportIntent:
    return ExportIntent(
        user_id=request.user.pk, subject=f"returns:{source.pk}",
        reason=request.POST.get("reason", ""), caller=request_caller(request),
    )  # fmt: skip


def _file_name(made: ReturnFile) -> str:
    return f"{made.source.slug}-returns-{made.number}.csv"


def _parse_uuid(typed: str | None) -> UUID | None:
    try:
        return UUID(typed or "")
    except ValueError:
        return None
