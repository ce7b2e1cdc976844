"""Credit notices: what is due to whom, on what evidence, and the proof that it went."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.compliance.credit import credit_clocks, notice_proof
from rooftree.compliance.credit.application_detection import APPLICATION_ITEM_LABELS
from rooftree.compliance.credit.clock_due_dates import CLOCK_KINDS
from rooftree.compliance.credit.notice_proof import ALLOWED_OUTCOMES, BadNoticeProof, NoticeProof
from rooftree.compliance.models import CreditClock
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    LinesField,
    StaffForm,
    checkbox_field,
    choice_field,
    date_field,
    integer_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
DUE_SOON = timedelta(days=5)
STATE_TABS = {
    "open": "Open",
    "soon": "Due soon",
    "overdue": "Overdue",
    "closed": "Closed with proof",
}
STATE_BADGES = {"overdue": ("late", "warn"), "soon": ("soon", "clock"), "open": ("", "clock")}
EVIDENCE_LABELS = {
    "told_no": "Told no",
    "application": "Application",
    "counter_offer": "Counteroffer",
}
PROOF_LABELS = {  # of a proof: how its parts are said
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
DELIVERY_LABELS = {
    "mail": "By mail, on paper",
    "electronic": "Electronically",
    "encompass": "Encompass",
}
ISO_DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")


ADVERSE_KINDS = {"decision", "completed", "adverse_action", "counteroffer"}
DELIVERED_OUTCOMES = {"sent", "approved", "counteroffer", "incomplete"}
FIELD_APPLIES_TO = {  # fields that not every clock has: of which kinds, or with which outcomes
    "reference": DELIVERED_OUTCOMES,
    **dict.fromkeys(
        ("delivery", "has_consented", "has_shown_access", "is_ended"), DELIVERED_OUTCOMES
    ),
    "is_adverse": ADVERSE_KINDS,
    **dict.fromkeys(("reasons", "reports_used", "notices", "score_disclosed"), ADVERSE_KINDS),
    "reply_by": {"incomplete"},
    "is_combined": {"decision", "completed"},
}


class ProofForm(StaffForm):
    """What a person of compliance saw in the LOS."""

    FIELDSETS = (
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

    outcome = choice_field("What became of it", ())
    on_date = date_field("On which day", "When the notice went, or when it happened")
    reference = text_field(
        "Document in the LOS", "As its number or name in the eFolder", required=False
    )
    note = textarea_field("How you know", "Needed where no document went", rows=2)
    delivery = choice_field(
        "It went",
        [("", "No document went"), ("mail", "By mail, on paper"), ("electronic", "Electronically")],
        required=False,
    )
    has_consented = checkbox_field("They consented under E-SIGN to electronic notices")
    has_shown_access = checkbox_field("They showed that they can open them")
    is_ended = checkbox_field("They took that back, or the e-mail bounced")
    is_adverse = checkbox_field("It is an adverse action notice")
    reasons = LinesField("The specific reasons it gives")
    reports_used = integer_field(
        "Consumers whose credit report was used", min_value=0, max_value=10, required=False
    )
    notices = integer_field("Consumers who were sent the notice", min_value=0, max_value=10, required=False)
    score_disclosed = checkbox_field("It discloses the score that was used")
    reply_by = date_field(
        "They may reply by", "Of a notice of incompleteness: the day it gives", required=False
    )
    is_combined = checkbox_field("The counteroffer’s letter is the adverse action notice as well")

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        """With what can be said of this kind of clock, and no more."""
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [
            (one, credit_clocks.CLOCK_OUTCOMES[one]) for one in ALLOWED_OUTCOMES[kind]
        ]
        for name, needs in FIELD_APPLIES_TO.items():
            if not needs & {kind, *ALLOWED_OUTCOMES[kind]}:
                del self.fields[name]
        for name in ("reference", "note", "reasons", "reply_by", "reports_used", "notices"):
            if name in self.fields:
                self.fields[name].is_awaited = True  # what was chosen above says whether


def visible_deadlines(user: User) -> QuerySet[CreditClock]:
    """The clocks of the leads a user may know of."""
    rows = CreditClock.objects.select_related("lead__person", "lead__officer__user", "owner")
    return rows.filter(lead__in=leads_visible_to(user))


@staff_view("GET")
def list_deadlines(request: StaffRequest) -> HttpResponse:
    """All of them, soonest first; as an examiner reads them, on paper too."""
    require_permission(request.user, "see_clocks")
    mine, at = visible_deadlines(request.user), request.at
    group = request.GET.get("show", "open")
    group = group if group in STATE_TABS else "open"
    kind = request.GET.get("kind", "")
    kind = kind if kind in CLOCK_KINDS else ""
    rows = _filter_by_state(mine, group, at)
    page = Paginator(rows.filter(kind=kind) if kind else rows, PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "lines": [deadline_line(one, at) for one in page.object_list],
        "groups": [
            (key, label, _filter_by_state(mine, key, at).count())
            for key, label in STATE_TABS.items()
        ],
        "group": group,
        "kinds": [("", "All kinds"), *((key, one.short) for key, one in CLOCK_KINDS.items())],
        "kind": kind,
    }
    template = (
        "compliance/disclosure_deadlines.html#clocks"
        if request.htmx
        else "compliance/disclosure_deadlines.html"
    )
    return render(request, template, context)


@staff_view("GET")
def show_deadline(request: StaffRequest, clock_id: UUID) -> HttpResponse:
    """One clock: why it runs, since when, and how it ended."""
    require_permission(request.user, "see_clocks")
    return _render_deadline(
        request, get_object_or_404(visible_deadlines(request.user), pk=clock_id)
    )


@staff_view("POST")
def record_proof(request: StaffRequest, clock_id: UUID) -> HttpResponse:
    """Record that the creditor's notice went, or why none is owed."""
    require_permission(request.user, "close_clock")
    clock = get_object_or_404(visible_deadlines(request.user), pk=clock_id)
    form = ProofForm(request.POST, kind=clock.kind)
    if form.is_valid():
        try:
            notice_proof.record_notice_proof(
                clock_id=clock.pk, noted=_build_noted_proof(form), by=request.user, at=request.at
            )
        except BadNoticeProof as problem:
            form.show_refusal(problem.field, str(problem))
        else:
            said = f"Recorded: {credit_clocks.CLOCK_OUTCOMES[form.cleaned_data['outcome']].lower()}"
            return respond_done(request, said, back_to=request.path.removesuffix("proof/"))
    return _render_deadline(request, clock, form=form, status=422)


def _filter_by_state(
    rows: QuerySet[CreditClock], group: str, at: datetime
) -> QuerySet[CreditClock]:
    if group == "closed":
        return rows.filter(closed_at__isnull=False).order_by("-closed_at", "id")
    rows = rows.filter(closed_at=None).order_by("due_at", "id")
    if group == "overdue":
        return rows.filter(due_on__lt=company_day(at))
    if group == "soon":
        return rows.filter(due_on__gte=company_day(at), due_at__lte=at + DUE_SOON)
    return rows


def deadline_line(clock: CreditClock, at: datetime) -> dict[str, Any]:
    """A clock as a row shows it."""
    if clock.closed_at:
        tone, icon, said = "ok", "check", credit_clocks.CLOCK_OUTCOMES[clock.closed_as]
    else:
        left = (clock.due_on - company_day(at)).days
        how = "overdue" if left < 0 else "soon" if clock.due_at <= at + DUE_SOON else "open"
        tone, icon = STATE_BADGES[how]
        said = f"{-left} day{'s'[: -left > 1]} overdue" if left < 0 else (
            "Due today" if left == 0 else f"{left} day{'s'[: left > 1]} left"
        )  # fmt: skip
    return {
        "clock": clock,
        "title": CLOCK_KINDS[clock.kind].title,
        "rule": CLOCK_KINDS[clock.kind].rule,
        "tone": tone,
        "icon": icon,
        "said": said,
    }


def _render_deadline(
    request: StaffRequest, clock: CreditClock, *, form: ProofForm | None = None, status: int = 200
) -> HttpResponse:
    today = company_day(request.at)
    may_close = has_permission(request.user, "close_clock") and clock.closed_at is None
    usual = {"on_date": today, "is_adverse": clock.kind == "adverse_action"}
    context = {
        "line": deadline_line(clock, request.at),
        "clock": clock,
        "evidence": [
            {**one, "label": _evidence_label(one["item"]), "moment": _parse_exact_time(one["at"])}
            for one in clock.evidence
        ],
        "proof": _proof_lines(clock.proof),
        "form": (form or ProofForm(initial=usual, kind=clock.kind)) if may_close else None,
    }
    return render(request, "compliance/disclosure_deadline.html", context, status=status)


def _build_noted_proof(form: ProofForm) -> NoticeProof:
    typed = {name: said for name, said in form.cleaned_data.items() if said is not None}
    return NoticeProof(**typed | {"reasons": tuple(typed.get("reasons", ()))})


def _proof_lines(held: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, label in PROOF_LABELS.items():
        if value := held.get(name):
            found.append((label, _proof_value_text(value)))
    return found


def _proof_value_text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(value)
    said = DELIVERY_LABELS.get(value) or str(value)
    if ISO_DATE_PATTERN.fullmatch(said):
        on = date.fromisoformat(said)
        return f"{on:%b} {on.day}, {on.year}"
    return said


def _evidence_label(item: str) -> str:
    return (
        APPLICATION_ITEM_LABELS.get(item)
        or EVIDENCE_LABELS.get(item)
        or item.replace("_", " ").capitalize()
    )


def _parse_exact_time(said: str) -> datetime | None:
    moment = datetime.fromisoformat(said)
    return moment if moment.tzinfo else None
