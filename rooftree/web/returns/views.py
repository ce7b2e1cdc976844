"""Returns: leads to return to vendors, the files sent to them, and their answers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
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
from rooftree.money.return_grounds import REASON_LABELS, ReturnReason
from rooftree.org.models import User
from rooftree.reporting.exports import export_approval, lead_export, return_export
from rooftree.reporting.exports.export_approval import CannotExport, ExportIntent
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.file_responses import csv_response
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
FREE_ADAPTERS = (*import_staging.RECORD_FORMATS, "website_form", "referral_partner")
STATE_TABS = {  # label, and the states of the returns listed
    "unsent": ("To send", ("drafted",)),
    "out": ("With the vendor", ("sent", "disputed")),
    "answered": ("Answered", ("refused", "credited")),
    "closed": ("Closed", ("closed",)),
}
STATE_BADGES = {  # by state, or `closed:` and how it was closed: icon, tone, label
    "drafted": ("clock", "soon", "To send"),
    "sent": ("up", "", "With the vendor"),
    "disputed": ("flag", "soon", "Disputed"),
    "refused": ("ban", "late", "Refused"),
    "credited": ("check", "soon", "Credited in part"),
    "closed:credited": ("check", "ok", "Credited"),
    "closed:refused": ("ban", "", "Refused, closed"),
    "closed:withdrawn": ("undo", "", "Withdrawn"),
    "closed:dropped": ("x", "", "Not sent"),
    "closed:missed": ("warn", "late", "Deadline missed"),
}
STEP_LABELS = {
    "drafted": "Found",
    "withdrawn": "Withdrawn",
    "sent": "Sent",
    "credited": "Credited",
    "refused": "Refused",
    "disputed": "Disputed",
    "closed": "Closed",
    "missed": "Deadline missed",
    "noted": "Note",
}


def visible_returns(user: User) -> QuerySet[Claim]:
    """Return the returns of the leads that a user can see."""
    rows = Claim.objects.select_related("source", "touch__lead__person", "contract", "file")
    return rows if user.branch_id is None else rows.filter(touch__lead__in=leads_visible_to(user))


@staff_view("GET")
def list_returns(request: StaffRequest) -> HttpResponse:
    """Show totals by source, and the returns of one tab, soonest deadline first."""
    require_permission(request.user, "see_returns")
    visible = visible_returns(request.user)
    totals = return_totals.totals_by_source(visible, at=request.at)
    source_id = _parse_uuid(request.GET.get("source"))
    source = Source.objects.filter(pk=source_id).first() if source_id else None
    group = request.GET.get("state", "unsent")
    group = group if group in STATE_TABS else "unsent"
    claims = visible.filter(state__in=STATE_TABS[group][1]).order_by("send_by", "pk")
    if source:
        claims = claims.filter(source=source)
    page = get_page(request, claims, size=PAGE_SIZE)
    with_contract = set(Contract.objects.values_list("source_id", flat=True))
    context = {
        "rows": [
            (row, totals.get(row.pk, return_totals.NO_RETURNS), row.pk in with_contract)
            for row in Source.objects.filter(is_test=False).order_by("name", "id")
            if row.pk in with_contract or row.pk in totals
        ],
        "without": [
            row
            for row in Source.objects.filter(is_test=False, paused_at=None)
            .exclude(adapter__in=FREE_ADAPTERS)
            .order_by("name")
            if row.pk not in with_contract and row.pk not in totals
        ],
        "page": page,
        "claims": [return_line(claim) for claim in page.object_list],
        "groups": [(key, label) for key, (label, _) in STATE_TABS.items()],
        "group": group,
        "source": source,
        "may_edit": has_permission(request.user, "edit_sources"),
        "may_send": can_send(request.user),
    }
    return render(request, "returns/index.html", context)


@staff_view("GET")
def show_return(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """Show one return with its reason, evidence and activity."""
    require_permission(request.user, "see_returns")
    return _render_return(request, _get_visible_return(request.user, claim_id))


@staff_view("POST")
def record_credit(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """Record an amount that the vendor credited."""

    def record(claim: Claim) -> str:
        amount = parse_amount(request.POST.get("amount", ""))
        if amount is None or amount.kind is not AmountKind.EXACT or not amount.cents:
            raise ClaimNotAllowed("Enter the credited amount, for example 65.50.")
        before = request.POST.get("before", "")
        flow.record_credit(
            claim.pk, cents=amount.cents, before_cents=int(before) if before.isdecimal() else -1,
            by=request.user, at=request.at, note=_typed_note(request),
        )  # fmt: skip
        return "Credit recorded"

    return _change_return(request, claim_id, "credit", record)


@staff_view("POST")
def record_refusal(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """Record the vendor's refusal."""

    def record(claim: Claim) -> str:
        return_claims.record_refusal(
            claim.pk, note=_typed_note(request), by=request.user, at=request.at
        )
        return "Refusal recorded"

    return _change_return(request, claim_id, "refusal", record)


@staff_view("POST")
def dispute_refusal(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """Record our answer to the vendor's refusal."""

    def dispute(claim: Claim) -> str:
        return_claims.dispute_claim(
            claim.pk, note=_typed_note(request), by=request.user, at=request.at
        )
        return "Dispute recorded, waiting on the vendor"

    return _change_return(request, claim_id, "dispute", dispute)


@staff_view("POST")
def close_return(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """Close an answered return, or discard one that was not sent."""

    def close(claim: Claim) -> str:
        return_claims.close_claim(
            claim.pk, note=_typed_note(request), by=request.user, at=request.at
        )
        return "Return closed"

    return _change_return(request, claim_id, "closure", close)


@staff_view("POST")
def add_return_note(request: StaffRequest, claim_id: UUID) -> HttpResponse:
    """Add a note to a return."""

    def add(claim: Claim) -> str:
        return_claims.add_remark(
            claim.pk, text=_typed_note(request), by=request.user, at=request.at
        )
        return "Note saved"

    return _change_return(request, claim_id, "note", add)


@staff_view("GET", "POST")
def send_returns(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the export form; a POST with a reason downloads the file of all unsent returns."""
    _require_send(request.user)
    source = get_object_or_404(Source, pk=source_id)
    drafts = visible_returns(request.user).filter(
        source=source, state="drafted", send_by__gt=request.at
    )
    problem, status = "", 200
    if request.method == "POST":
        try:
            file, text = flow.send_returns(
                Claim.objects.filter(pk__in=drafts.values("pk")),
                _export_request(request, source),
                source_id=source.pk, by=request.user, at=request.at,
            )  # fmt: skip
        except (ClaimNotAllowed, CannotExport) as refusal:
            problem, status = str(refusal), 422
        else:
            return csv_response(text, _file_name(file))
    totals = return_totals.totals_by_source(drafts, at=request.at).get(
        source.pk, return_totals.NO_RETURNS
    )
    files = source.return_files.order_by("-number")
    context = {
        "source": source, "totals": totals, "problem": problem,
        "longest": export_approval.MAX_REASON_LENGTH, "reason": request.POST.get("reason", ""),
        "files": files.select_related("made_by")[:12],
        "contract": vendor_contracts.find_contract_in_force(source.pk, request.at.date()),
    }  # fmt: skip
    return render(request, "returns/send.html", context, status=status)


@staff_view("POST")
def download_file_again(request: StaffRequest, file_id: UUID) -> HttpResponse:
    """Download a file again, unchanged, with a new reason."""
    _require_send(request.user)
    file = get_object_or_404(ReturnFile.objects.select_related("source"), pk=file_id)
    if file.claims.exclude(pk__in=visible_returns(request.user).values("pk")).exists():
        raise Http404
    back = reverse("return_send", args=[file.source_id])
    try:
        text = return_export.export_returns_csv(
            file, _export_request(request, file.source), at=request.at
        )
    except CannotExport as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    return csv_response(text, _file_name(file))


def return_line(claim: Claim) -> dict[str, Any]:
    """Build the list line of a return."""
    key = f"closed:{claim.closed_as}" if claim.state == "closed" else claim.state
    icon, tone, status = STATE_BADGES[key]
    return {
        "claim": claim,
        "icon": icon,
        "tone": tone,
        "status": status,
        "reason": REASON_LABELS[ReturnReason(claim.reason)],
        "open_cents": claim.claimed_cents - claim.credited_cents,
    }


def can_send(user: User) -> bool:
    """Return True if the user can download return files, which contain personal data."""
    return has_permission(user, "work_returns") and has_permission(user, "export")


def _require_send(user: User) -> None:
    if not can_send(user):
        raise PermissionDenied


def _change_return(
    request: StaffRequest, claim_id: UUID, tried: str, change: Callable[[Claim], str]
) -> HttpResponse:
    """Change a return and confirm it; `change` returns the toast.

    If the change is refused, the page shows the problem at the form `tried`.
    """
    require_permission(request.user, "work_returns")
    claim = _get_visible_return(request.user, claim_id)
    try:
        words = change(claim)
    except ClaimNotAllowed as problem:
        return _render_return(request, claim, problem=str(problem), tried=tried, status=422)
    return respond_done(request, words, back_to=reverse("return", args=[claim.pk]))


def _typed_note(request: StaffRequest) -> str:
    return request.POST.get("note", "")


def _render_return(
    request: StaffRequest, claim: Claim, *, problem: str = "", tried: str = "", status: int = 200
) -> HttpResponse:
    claim = _get_visible_return(request.user, claim.pk)
    steps = claim.steps.select_related("by").order_by("-at", "-pk")
    context = {
        "claim": claim,
        "line": return_line(claim),
        "steps": [(step, STEP_LABELS.get(step.kind, step.kind)) for step in steps],
        "vendor_reason": vendor_contracts.vendor_reason(claim.contract, claim.reason),
        "open_amount": lead_export.format_dollars(claim.claimed_cents - claim.credited_cents),
        "problem": problem,
        "tried": tried,
        "typed": request.POST,
        "may_work": has_permission(request.user, "work_returns"),
        "may_send": can_send(request.user),
        "is_answerable": claim.state in return_claims.ANSWERABLE_STATES,
    }
    return render(request, "returns/return.html", context, status=status)


def _get_visible_return(user: User, claim_id: UUID) -> Claim:
    return get_object_or_404(visible_returns(user), pk=claim_id)


def _export_request(request: StaffRequest, source: Source) -> ExportIntent:
    return ExportIntent(
        user_id=request.user.pk, subject=f"returns:{source.pk}",
        reason=request.POST.get("reason", ""), caller=request_caller(request),
    )  # fmt: skip


def _file_name(file: ReturnFile) -> str:
    return f"{file.source.slug}-returns-{file.number}.csv"


def _parse_uuid(typed: str | None) -> UUID | None:
    try:
        return UUID(typed or "")
    except ValueError:
        return None
