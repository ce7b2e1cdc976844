"""Compliance > Disclosure deadlines: credit notices due, their evidence, and proof of sending."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

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
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.display_formats import count_noun
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
    "told_no": "Declined",
    "application": "Application",
    "counter_offer": "Counteroffer",
}
PROOF_LABELS = {  # by the key of a stored proof
    "where": "Shown by",
    "said": "LOS entry",
    "on_date": "Date",
    "reference": "Document",
    "delivery": "Delivered",
    "reply_by": "Reply due",
    "reasons": "Reasons given",
    "reports_used": "Credit reports used",
    "notices": "Notices sent",
    "note": "Note",
    "by": "Recorded by",
}
DELIVERY_LABELS = {
    "mail": "By mail",
    "electronic": "Electronically",
    "encompass": "Encompass",
}
ISO_DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")
ADVERSE_KINDS = {"decision", "completed", "adverse_action", "counteroffer"}
DELIVERED_OUTCOMES = {"sent", "approved", "counteroffer", "incomplete"}
FIELD_APPLIES_TO = {  # fields only for these kinds of clock, or these outcomes
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
    """The outcome of a notice, as compliance saw it in the LOS."""

    FIELDSETS = (
        ("", ("outcome", "on_date", "reference", "note")),
        (
            "Delivery",
            ("delivery", "has_consented", "has_shown_access", "is_ended"),
        ),
        (
            "Adverse action notice",
            ("is_adverse", "reasons", "reports_used", "notices", "score_disclosed"),
        ),
        ("What happens next", ("reply_by", "is_combined")),
    )

    CONDITIONALLY_REQUIRED = frozenset(
        {"reference", "note", "reasons", "reply_by", "reports_used", "notices"}
    )

    outcome = choice_field("Outcome", ())
    on_date = date_field("Date", "The day the notice was sent, or the day it happened")
    reference = text_field(
        "Document in the LOS", "Its number or name in the eFolder", required=False
    )
    note = textarea_field("How you know", "Required if no document was sent", rows=2)
    delivery = choice_field(
        "Sent",
        [("", "No document was sent"), ("mail", "By mail"), ("electronic", "Electronically")],
        required=False,
    )
    has_consented = checkbox_field("The borrower consented to electronic notices under E-SIGN")
    has_shown_access = checkbox_field("The borrower showed that they can open them")
    is_ended = checkbox_field("The borrower withdrew that consent, or the email bounced")
    is_adverse = checkbox_field("This is an adverse action notice")
    reasons = LinesField("Specific reasons given")
    reports_used = integer_field(
        "Consumers whose credit report was used", min_value=0, max_value=10, required=False
    )
    notices = integer_field(
        "Consumers who received the notice", min_value=0, max_value=10, required=False
    )
    score_disclosed = checkbox_field("The notice discloses the credit score used")
    reply_by = date_field(
        "Reply due", "For a notice of incompleteness, the date it states", required=False
    )
    is_combined = checkbox_field("The counteroffer letter is also the adverse action notice")

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        """Create the form with only the fields and outcomes of this kind of clock."""
        super().__init__(*args, **kwargs)
        self.set_choices(
            "outcome",
            [
                (outcome, credit_clocks.CLOCK_OUTCOMES[outcome])
                for outcome in ALLOWED_OUTCOMES[kind]
            ],
        )
        for name, conditions in FIELD_APPLIES_TO.items():
            if not conditions & {kind, *ALLOWED_OUTCOMES[kind]}:
                del self.fields[name]


def visible_deadlines(user: User) -> QuerySet[CreditClock]:
    """Return the credit clocks of the leads that a user can see."""
    rows = CreditClock.objects.select_related("lead__person", "lead__officer__user", "owner")
    return rows.filter(lead__in=leads_visible_to(user))


@staff_view("GET")
def list_deadlines(request: StaffRequest) -> HttpResponse:
    """List deadlines by state and kind, soonest first; also printable for an examiner."""
    require_permission(request.user, "see_clocks")
    visible, at = visible_deadlines(request.user), request.at
    group = request.GET.get("show", "open")
    group = group if group in STATE_TABS else "open"
    kind = request.GET.get("kind", "")
    kind = kind if kind in CLOCK_KINDS else ""
    rows = _filter_by_state(visible, group, at)
    page = get_page(request, rows.filter(kind=kind) if kind else rows, size=PAGE_SIZE)
    context = {
        "page": page,
        "lines": [deadline_line(clock, at) for clock in page.object_list],
        "groups": [
            (key, label, _filter_by_state(visible, key, at).count())
            for key, label in STATE_TABS.items()
        ],
        "group": group,
        "kinds": [("", "All kinds"), *((key, clock.short) for key, clock in CLOCK_KINDS.items())],
        "kind": kind,
    }
    template = "compliance/disclosure_deadlines.html"
    return render(request, f"{template}#clocks" if request.htmx else template, context)


@staff_view("GET")
def show_deadline(request: StaffRequest, clock_id: UUID) -> HttpResponse:
    """Show one deadline with its trigger, evidence and outcome."""
    require_permission(request.user, "see_clocks")
    return _render_deadline(
        request, get_object_or_404(visible_deadlines(request.user), pk=clock_id)
    )


@staff_view("POST")
def record_proof(request: StaffRequest, clock_id: UUID) -> HttpResponse:
    """Record that the creditor sent its notice, or why none is owed."""
    require_permission(request.user, "close_clock")
    clock = get_object_or_404(visible_deadlines(request.user), pk=clock_id)
    form = ProofForm(request.POST, kind=clock.kind)
    if form.is_valid():
        try:
            notice_proof.record_notice_proof(
                clock_id=clock.pk, notice=_build_noted_proof(form), by=request.user, at=request.at
            )
        except BadNoticeProof as problem:
            form.show_refusal(problem.field, str(problem))
        else:
            outcome = credit_clocks.CLOCK_OUTCOMES[form.cleaned_data["outcome"]]
            return respond_done(
                request, f"Recorded: {outcome.lower()}", back_to=request.path.removesuffix("proof/")
            )
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
    """Build the list line of a clock."""
    if clock.closed_at:
        tone, icon, status = "ok", "check", credit_clocks.CLOCK_OUTCOMES[clock.outcome]
    else:
        days_left = (clock.due_on - company_day(at)).days
        state = "overdue" if days_left < 0 else "soon" if clock.due_at <= at + DUE_SOON else "open"
        tone, icon = STATE_BADGES[state]
        if days_left < 0:
            status = f"{count_noun(-days_left, 'day')} overdue"
        else:
            status = f"{count_noun(days_left, 'day')} left" if days_left else "Due today"
    return {
        "clock": clock,
        "title": CLOCK_KINDS[clock.kind].title,
        "rule": CLOCK_KINDS[clock.kind].rule,
        "tone": tone,
        "icon": icon,
        "status": status,
    }


def _render_deadline(
    request: StaffRequest, clock: CreditClock, *, form: ProofForm | None = None, status: int = 200
) -> HttpResponse:
    today = company_day(request.at)
    may_close = has_permission(request.user, "close_clock") and clock.closed_at is None
    initial = {"on_date": today, "is_adverse": clock.kind == "adverse_action"}
    context = {
        "line": deadline_line(clock, request.at),
        "clock": clock,
        "evidence": [
            {
                **item,
                "label": _evidence_label(item["item"]),
                "moment": _parse_exact_time(item["at"]),
            }
            for item in clock.evidence
        ],
        "proof": _proof_lines(clock.proof),
        "form": (form or ProofForm(initial=initial, kind=clock.kind)) if may_close else None,
    }
    return render(request, "compliance/disclosure_deadline.html", context, status=status)


def _build_noted_proof(form: ProofForm) -> NoticeProof:
    typed = {name: value for name, value in form.cleaned_data.items() if value is not None}
    return NoticeProof(**typed | {"reasons": tuple(typed.get("reasons", ()))})


def _proof_lines(proof: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (label, _proof_value_text(value))
        for name, label in PROOF_LABELS.items()
        if (value := proof.get(name))
    ]


def _proof_value_text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(value)
    text = DELIVERY_LABELS.get(value) or str(value)
    if ISO_DATE_PATTERN.fullmatch(text):
        day = date.fromisoformat(text)
        return f"{day:%b} {day.day}, {day.year}"
    return text


def _evidence_label(item: str) -> str:
    return (
        APPLICATION_ITEM_LABELS.get(item)
        or EVIDENCE_LABELS.get(item)
        or item.replace("_", " ").capitalize()
    )


def _parse_exact_time(text: str) -> datetime | None:
    """Parse a time with its zone; return None for a date alone."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else None
