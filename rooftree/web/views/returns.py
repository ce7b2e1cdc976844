"""Returns: what vendors owe back, what we ask of them, and what they answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.imports import stage
from rooftree.core.money import AmountKind, amount
from rooftree.flow import returns as flow
from rooftree.leads.models import Source
from rooftree.money import at_stake, claims, contracts
from rooftree.money.claims import CannotClaim
from rooftree.money.grounds import REASONS
from rooftree.money.models import Claim, Contract, ReturnFile
from rooftree.org.models import User
from rooftree.reporting import export, return_file, second_person
from rooftree.reporting.second_person import Asked, CannotExport
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web.answers import done, refused
from rooftree.web.caller import caller
from rooftree.web.files import csv_file
from rooftree.web.page import must, staff

PAGE = 50
NOBODY_SELLS = (*stage.KINDS, "website_form", "referral_partner")
GROUPS = {  # of the list: what is shown, and the states in it
    "unsent": ("To send", ("drafted",)),
    "out": ("With the vendor", ("sent", "disputed")),
    "answered": ("Answered", ("refused", "credited")),
    "closed": ("Closed", ("closed",)),
}
STATES = {  # state or how it was closed: (icon, tone, what is said)
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
STEPS = {
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


def seen_by(user: User) -> QuerySet[Claim]:
    """The returns of the leads a user may know of."""
    rows = Claim.objects.select_related("source", "touch__lead__person", "contract", "file")
    return rows if user.branch_id is None else rows.filter(touch__lead__in=leads_visible_to(user))


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """The money at stake by source, and the returns themselves, soonest first."""
    must(request.user, "see_returns")
    mine = seen_by(request.user)
    stakes = at_stake.by_source(mine, at=request.at)
    source = Source.objects.filter(pk=_key(request.GET.get("source"))).first()
    group = request.GET.get("state", "unsent")
    group = group if group in GROUPS else "unsent"
    listed = mine.filter(state__in=GROUPS[group][1]).order_by("send_by", "pk")
    if source:
        listed = listed.filter(source=source)
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    with_contract = set(Contract.objects.values_list("source_id", flat=True))
    context = {
        "rows": [
            (one, stakes.get(one.pk, at_stake.NOTHING), one.pk in with_contract)
            for one in Source.objects.filter(is_test=False).order_by("name", "id")
            if one.pk in with_contract or one.pk in stakes
        ],
        "without": [
            one
            for one in Source.objects.filter(is_test=False, paused_at=None)
            .exclude(adapter__in=NOBODY_SELLS)
            .order_by("name")
            if one.pk not in with_contract and one.pk not in stakes
        ],
        "page": page,
        "claims": [said(one) for one in page.object_list],
        "groups": [(key, label) for key, (label, _) in GROUPS.items()],
        "group": group,
        "source": source,
        "may_edit": may(request.user, "edit_sources"),
        "may_send": may_send(request.user),
    }
    return render(request, "returns/index.html", context)


@staff("GET")
def claim(request: HttpRequest, claim_id: UUID) -> HttpResponse:
    """One return: why, with its evidence, and what became of it."""
    must(request.user, "see_returns")
    return _claim(request, _seen(request.user, claim_id))


@staff("POST")
def act(request: HttpRequest, claim_id: UUID, what: str) -> HttpResponse:
    """Take the next step of a return."""
    must(request.user, "work_returns")
    one = _seen(request.user, claim_id)
    if what not in ACTS:
        raise Http404
    try:
        words = ACTS[what](request, one)
    except CannotClaim as problem:
        return _claim(request, one, problem=str(problem), tried=what, status=422)
    return done(request, words, back_to=reverse("return", args=[one.pk]))


@staff("GET", "POST")
def send(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Ask why, then give the file of all that is to be sent to a vendor."""
    _must_send(request.user)
    source = get_object_or_404(Source, pk=source_id)
    drafts = seen_by(request.user).filter(source=source, state="drafted", send_by__gt=request.at)
    problem, status = "", 200
    if request.method == "POST":
        try:
            made, text = flow.send(
                Claim.objects.filter(pk__in=drafts.values("pk")),
                _asked(request, source),
                source_id=source.pk, by=request.user, at=request.at,
            )  # fmt: skip
        except (CannotClaim, CannotExport) as refusal:
            problem, status = str(refusal), 422
        else:
            return csv_file(text, _name(made))
    stake = at_stake.by_source(drafts, at=request.at).get(source.pk, at_stake.NOTHING)
    files = source.return_files.order_by("-number")
    context = {
        "source": source, "stake": stake, "problem": problem, "longest": second_person.LONGEST,
        "reason": request.POST.get("reason", ""), "files": files.select_related("made_by")[:12],
        "contract": contracts.in_force(source.pk, request.at.date()),
    }  # fmt: skip
    return render(request, "returns/send.html", context, status=status)


@staff("POST")
def again(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The same file once more, with a reason of its own."""
    _must_send(request.user)
    made = get_object_or_404(ReturnFile.objects.select_related("source"), pk=file_id)
    if made.claims.exclude(pk__in=seen_by(request.user).values("pk")).exists():
        raise Http404
    back = reverse("return_send", args=[made.source_id])
    try:
        text = return_file.taken(made, _asked(request, made.source), at=request.at)
    except CannotExport as problem:
        return refused(request, str(problem), back_to=back, status=422)
    return csv_file(text, _name(made))


def said(one: Claim) -> dict[str, Any]:
    """A return as a line shows it."""
    key = f"closed:{one.closed_as}" if one.state == "closed" else one.state
    icon, tone, words = STATES[key]
    return {
        "claim": one,
        "icon": icon,
        "tone": tone,
        "said": words,
        "reason": REASONS.get(one.reason, one.reason),
        "left_cents": one.asked_cents - one.credited_cents,
    }


def may_send(user: User) -> bool:
    """A file of returns names people: only who may take people out makes one."""
    return may(user, "work_returns") and may(user, "export")


def _must_send(user: User) -> None:
    if not may_send(user):
        raise PermissionDenied


def _credit(request: HttpRequest, one: Claim) -> str:
    read = amount(request.POST.get("amount", ""))
    if read is None or read.kind is not AmountKind.EXACT or not read.cents:
        raise CannotClaim("Write the amount they credited, as 65.50.")
    before = request.POST.get("before", "")
    flow.credited(
        one.pk, cents=read.cents, before_cents=int(before) if before.isdecimal() else -1,
        by=request.user, at=request.at, note=request.POST.get("note", ""),
    )  # fmt: skip
    return "Credited, and booked"


def _refuse(request: HttpRequest, one: Claim) -> str:
    claims.refuse(one.pk, note=request.POST.get("note", ""), by=request.user, at=request.at)
    return "Their refusal is written down"


def _dispute(request: HttpRequest, one: Claim) -> str:
    claims.dispute(one.pk, note=request.POST.get("note", ""), by=request.user, at=request.at)
    return "Disputed; it waits for their answer"


def _close(request: HttpRequest, one: Claim) -> str:
    claims.close(one.pk, note=request.POST.get("note", ""), by=request.user, at=request.at)
    return "Closed"


def _note(request: HttpRequest, one: Claim) -> str:
    claims.remark(one.pk, text=request.POST.get("note", ""), by=request.user, at=request.at)
    return "Noted"


ACTS: dict[str, Callable[[HttpRequest, Claim], str]] = {
    "credit": _credit,
    "refusal": _refuse,
    "dispute": _dispute,
    "closure": _close,
    "note": _note,
}


def _claim(
    request: HttpRequest, one: Claim, *, problem: str = "", tried: str = "", status: int = 200
) -> HttpResponse:
    one = _seen(request.user, one.pk)
    steps = one.steps.select_related("by").order_by("-at", "-pk")
    context = {
        "claim": one,
        "line": said(one),
        "steps": [(step, STEPS.get(step.kind, step.kind)) for step in steps],
        "word": contracts.word_for(one.contract, one.reason),
        "left": export.dollars(one.asked_cents - one.credited_cents),
        "problem": problem,
        "tried": tried,
        "typed": request.POST,
        "may_work": may(request.user, "work_returns"),
        "may_send": may_send(request.user),
        "is_answerable": one.state in claims.ANSWERED,
    }
    return render(request, "returns/claim.html", context, status=status)


def _seen(user: User, claim_id: UUID) -> Claim:
    return get_object_or_404(seen_by(user), pk=claim_id)


def _asked(request: HttpRequest, source: Source) -> Asked:
    return Asked(
        user_id=request.user.pk, subject=f"returns:{source.pk}",
        reason=request.POST.get("reason", ""), caller=caller(request),
    )  # fmt: skip


def _name(made: ReturnFile) -> str:
    return f"{made.source.slug}-returns-{made.number}.csv"


def _key(typed: str | None) -> UUID | None:
    try:
        return UUID(typed or "")
    except ValueError:
        return None
