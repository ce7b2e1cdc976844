"""Credit notices: what is due to whom, on what evidence, and the proof that it went."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.compliance import clocks, credit_proof
from rooftree.compliance.application import ITEMS
from rooftree.compliance.credit_days import CLOCKS
from rooftree.compliance.credit_proof import ENDS, NoProof, Noted
from rooftree.compliance.models import CreditClock
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Lines, StaffForm, area, choice, day, number, text, yes

PAGE = 50
SOON = timedelta(days=5)
GROUPS = {
    "open": "Open",
    "soon": "Due soon",
    "overdue": "Overdue",
    "closed": "Closed with proof",
}
TONES = {"overdue": ("late", "warn"), "soon": ("soon", "clock"), "open": ("", "clock")}
MORE = {"told_no": "Told no", "application": "Application", "counter_offer": "Counteroffer"}
PROOF = {  # of a proof: how its parts are said
    "where": "Shown by",
    "said": "In its words",
    "on_date": "On",
    "reference": "Document",
    "delivery": "Delivered",
    "reply_by": "They may reply by",
    "reasons": "Reasons given",
    "reports_used": "Reports used",
    "notices": "Notices sent",
    "note": "Note",
    "by": "Recorded by",
}
HOW = {"mail": "By mail, on paper", "electronic": "Electronically", "encompass": "Encompass"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


ADVERSE = {"decision", "completed", "adverse_action", "counteroffer"}
DELIVERED = {"sent", "approved", "counteroffer", "incomplete"}
ONLY_FOR = {  # fields that not every clock has: of which kinds, or with which outcomes
    "reference": DELIVERED,
    **dict.fromkeys(("delivery", "has_consented", "has_shown_access", "is_ended"), DELIVERED),
    "is_adverse": ADVERSE,
    **dict.fromkeys(("reasons", "reports_used", "notices", "score_disclosed"), ADVERSE),
    "reply_by": {"incomplete"},
    "is_combined": {"decision", "completed"},
}


class ProofForm(StaffForm):
    """What a person of compliance saw in the LOS."""

    PARTS = (
        ("", ("outcome", "on_date", "reference", "note")),
        (
            "How it was delivered",
            ("delivery", "has_consented", "has_shown_access", "is_ended"),
        ),
        (
            "What an adverse action notice says",
            ("is_adverse", "reasons", "reports_used", "notices", "score_disclosed"),
        ),
        ("What begins with it", ("reply_by", "is_combined")),
    )

    outcome = choice("What became of it", ())
    on_date = day("On which day", "When the notice went, or when it happened")
    reference = text("Document in the LOS", "As its number or name in the eFolder", required=False)
    note = area("How you know", "Needed where no document went", rows=2)
    delivery = choice(
        "It went",
        [("", "No document went"), ("mail", "By mail, on paper"), ("electronic", "Electronically")],
        required=False,
    )
    has_consented = yes("They consented under E-SIGN to electronic notices")
    has_shown_access = yes("They showed that they can open them")
    is_ended = yes("They took that back, or the e-mail bounced")
    is_adverse = yes("It is an adverse action notice")
    reasons = Lines("The specific reasons it gives")
    reports_used = number(
        "Consumers whose credit report was used", least=0, most=10, required=False
    )
    notices = number("Consumers who were sent the notice", least=0, most=10, required=False)
    score_disclosed = yes("It discloses the score that was used")
    reply_by = day(
        "They may reply by", "Of a notice of incompleteness: the day it gives", required=False
    )
    is_combined = yes("The counteroffer’s letter is the adverse action notice as well")

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        """With what can be said of this kind of clock, and no more."""
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [(one, clocks.OUTCOMES[one]) for one in ENDS[kind]]
        for name, needs in ONLY_FOR.items():
            if not needs & {kind, *ENDS[kind]}:
                del self.fields[name]
        for name in ("reference", "note", "reasons", "reply_by", "reports_used", "notices"):
            if name in self.fields:
                self.fields[name].is_awaited = True  # what was chosen above says whether


def seen_by(user: User) -> QuerySet[CreditClock]:
    """The clocks of the leads a user may know of."""
    rows = CreditClock.objects.select_related("lead__person", "lead__officer__user", "owner")
    return rows.filter(lead__in=leads_visible_to(user))


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """All of them, soonest first; as an examiner reads them, on paper too."""
    must(request.user, "see_clocks")
    mine, at = seen_by(request.user), request.at
    group = request.GET.get("show", "open")
    group = group if group in GROUPS else "open"
    kind = request.GET.get("kind", "")
    kind = kind if kind in CLOCKS else ""
    rows = _of_group(mine, group, at)
    page = Paginator(rows.filter(kind=kind) if kind else rows, PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "lines": [line(one, at) for one in page.object_list],
        "groups": [(key, label, _of_group(mine, key, at).count()) for key, label in GROUPS.items()],
        "group": group,
        "kinds": [("", "All kinds"), *((key, one.short) for key, one in CLOCKS.items())],
        "kind": kind,
    }
    template = "compliance/clocks.html#clocks" if request.htmx else "compliance/clocks.html"
    return render(request, template, context)


@staff("GET")
def show(request: HttpRequest, clock_id: UUID) -> HttpResponse:
    """One clock: why it runs, since when, and how it ended."""
    must(request.user, "see_clocks")
    return _page(request, get_object_or_404(seen_by(request.user), pk=clock_id))


@staff("POST")
def proof(request: HttpRequest, clock_id: UUID) -> HttpResponse:
    """Record that the creditor's notice went, or why none is owed."""
    must(request.user, "close_clock")
    clock = get_object_or_404(seen_by(request.user), pk=clock_id)
    form = ProofForm(request.POST, kind=clock.kind)
    if form.is_valid():
        try:
            credit_proof.record(
                clock_id=clock.pk, noted=_noted(form), by=request.user, at=request.at
            )
        except NoProof as problem:
            form.refuse(problem.field, str(problem))
        else:
            said = f"Recorded: {clocks.OUTCOMES[form.cleaned_data['outcome']].lower()}"
            return done(request, said, back_to=request.path.removesuffix("proof/"))
    return _page(request, clock, form=form, status=422)


def _of_group(rows: QuerySet[CreditClock], group: str, at: datetime) -> QuerySet[CreditClock]:
    if group == "closed":
        return rows.filter(closed_at__isnull=False).order_by("-closed_at", "id")
    rows = rows.filter(closed_at=None).order_by("due_at", "id")
    if group == "overdue":
        return rows.filter(due_on__lt=company_day(at))
    if group == "soon":
        return rows.filter(due_on__gte=company_day(at), due_at__lte=at + SOON)
    return rows


def line(clock: CreditClock, at: datetime) -> dict[str, Any]:
    """A clock as a row shows it."""
    if clock.closed_at:
        tone, icon, said = "ok", "check", clocks.OUTCOMES[clock.closed_as]
    else:
        left = (clock.due_on - company_day(at)).days
        how = "overdue" if left < 0 else "soon" if clock.due_at <= at + SOON else "open"
        tone, icon = TONES[how]
        said = f"{-left} day{'s'[: -left > 1]} overdue" if left < 0 else (
            "Due today" if left == 0 else f"{left} day{'s'[: left > 1]} left"
        )  # fmt: skip
    return {
        "clock": clock,
        "title": CLOCKS[clock.kind].title,
        "rule": CLOCKS[clock.kind].rule,
        "tone": tone,
        "icon": icon,
        "said": said,
    }


def _page(
    request: HttpRequest, clock: CreditClock, *, form: ProofForm | None = None, status: int = 200
) -> HttpResponse:
    today = company_day(request.at)
    may_close = may(request.user, "close_clock") and clock.closed_at is None
    usual = {"on_date": today, "is_adverse": clock.kind == "adverse_action"}
    context = {
        "line": line(clock, request.at),
        "clock": clock,
        "evidence": [
            {**one, "label": _said(one["item"]), "moment": _moment(one["at"])}
            for one in clock.evidence
        ],
        "proof": _spelled(clock.proof),
        "form": (form or ProofForm(initial=usual, kind=clock.kind)) if may_close else None,
    }
    return render(request, "compliance/clock.html", context, status=status)


def _noted(form: ProofForm) -> Noted:
    typed = {name: said for name, said in form.cleaned_data.items() if said is not None}
    return Noted(**typed | {"reasons": tuple(typed.get("reasons", ()))})


def _spelled(held: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, label in PROOF.items():
        if value := held.get(name):
            found.append((label, _in_words(value)))
    return found


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(value)
    said = HOW.get(value) or str(value)
    if DAY.fullmatch(said):
        on = date.fromisoformat(said)
        return f"{on:%b} {on.day}, {on.year}"
    return said


def _said(item: str) -> str:
    return ITEMS.get(item) or MORE.get(item) or item.replace("_", " ").capitalize()


def _moment(said: str) -> datetime | None:
    moment = datetime.fromisoformat(said)
    return moment if moment.tzinfo else None
