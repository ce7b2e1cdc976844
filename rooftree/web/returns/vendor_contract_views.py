"""Vendor contracts: which leads a vendor takes back, by when, and the statuses we report to it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.leads.models import Source
from rooftree.money import vendor_contracts
from rooftree.money.company_day import company_day
from rooftree.money.models import Contract
from rooftree.money.return_grounds import REASON_LABELS
from rooftree.money.vendor_contracts import MAX_WINDOW_DAYS, REPORTABLE_STATUSES, ContractTerms
from rooftree.org.models import User
from rooftree.routing.permissions import ROLES_BY_PERMISSION, has_permission
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    StaffForm,
    StatesField,
    checkboxes_field,
    choice_field,
    date_field,
    integer_field,
    row_choices,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

VENDOR_WORD_PREFIX = "word_"  # of the fields for the vendor's name of a reason
STATUS_WORD_PREFIX = "told_"  # of the fields for the vendor's name of a status
DEFAULT_TERMS = {"window_days": 14, "warn_days": 3, "duplicate_days": 30}


class ContractForm(StaffForm):
    """The deadlines, reasons and vendor terms of one contract."""

    from_date = date_field("In force from", "Applies to leads received from this day")
    window_days = integer_field(
        "Return window, days", "Counted from delivery", min_value=0, max_value=MAX_WINDOW_DAYS
    )
    warn_days = integer_field("Warning before the deadline, days", min_value=0, max_value=60)
    reasons = checkboxes_field(
        "Return reasons", ((key.value, label) for key, label in REASON_LABELS.items())
    )
    duplicate_days = integer_field(
        "Duplicate window, days",
        "Counted from the earlier lead",
        min_value=0,
        max_value=MAX_WINDOW_DAYS,
    )
    states = StatesField(
        "States ordered", "For example TX, FL. Empty: all states you’re licensed in"
    )
    send_to = text_field("Send return file to", "Vendor’s portal or email address", required=False)

    FIELDSETS = (
        ("Deadlines", ("from_date", "window_days", "warn_days", "watcher")),
        ("Returns", ("reasons", "duplicate_days", "states")),
        (
            "Vendor’s names for reasons",
            tuple(f"{VENDOR_WORD_PREFIX}{key.value}" for key in REASON_LABELS),
        ),
        (
            "Statuses reported to the vendor",
            tuple(f"{STATUS_WORD_PREFIX}{key}" for key in REPORTABLE_STATUSES),
        ),
        ("Delivery", ("send_to",)),
    )

    def build_terms(self, typed: dict[str, Any]) -> ContractTerms:
        """Build the contract terms from cleaned data."""
        return ContractTerms(
            window_days=typed["window_days"],
            warn_days=typed["warn_days"],
            reasons={key: typed.get(f"{VENDOR_WORD_PREFIX}{key}", "") for key in typed["reasons"]},
            watcher_id=UUID(typed["watcher"]),
            duplicate_days=typed["duplicate_days"],
            states=typed["states"],
            send_to=typed["send_to"],
            statuses={
                key: typed[f"{STATUS_WORD_PREFIX}{key}"]
                for key in REPORTABLE_STATUSES
                if typed.get(f"{STATUS_WORD_PREFIX}{key}")
            },
        )


@staff_view("GET", "POST")
def edit_contract(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show a source's contracts by date; a POST adds a new one as a new row."""
    require_permission(request.user, "see_returns")
    source = get_object_or_404(Source, pk=source_id)
    now = vendor_contracts.find_contract_in_force(source.pk, company_day(request.at))
    is_sent = request.method == "POST"
    if is_sent:
        require_permission(request.user, "edit_sources")
    form = ContractForm(
        request.POST if is_sent else None,
        initial=_contract_initial(now, request),
        extra_fields=_vendor_fields(),
    )

    def record(typed: dict[str, Any]) -> Contract:
        return vendor_contracts.record_contract(
            source_id=source.pk, from_date=typed["from_date"], terms=form.build_terms(typed),
            by=request.user, at=request.at,
        )  # fmt: skip

    if is_sent and form.submit(record):
        return respond_done(request, f"Contract with {source.name} saved", back_to=request.path)
    context = {
        "source": source,
        "form": form,
        "now": now,
        "rows": [
            (contract, [label for key, label in REASON_LABELS.items() if key in contract.reasons])
            for contract in source.contracts.select_related("made_by", "watcher").order_by(
                "-made_at"
            )
        ],
        "may_edit": has_permission(request.user, "edit_sources"),
    }
    return render(request, "returns/contract.html", context, status=422 if is_sent else 200)


def _vendor_fields() -> dict[str, Any]:
    """Create the fields that depend on data: who is warned, and the vendor's own terms."""
    watchers = User.objects.with_role(*ROLES_BY_PERMISSION["see_returns"]).order_by("name")
    fields = {
        "watcher": choice_field(
            "Who is warned", row_choices(watchers, "Choose one"), "Daily, before the deadline"
        )
    }
    fields |= {
        f"{VENDOR_WORD_PREFIX}{key.value}": text_field(
            label, "Empty: our name", required=False, max_length=60
        )
        for key, label in REASON_LABELS.items()
    }
    hint = "Vendor’s name for it. Empty: not reported"
    fields |= {
        f"{STATUS_WORD_PREFIX}{key}": text_field(label, hint, required=False, max_length=60)
        for key, label in REPORTABLE_STATUSES.items()
    }
    return fields


def _contract_initial(now: Contract | None, request: StaffRequest) -> dict[str, Any]:
    """Return the contract in force as initial values, dated today."""
    today = {"from_date": company_day(request.at)}
    if now is None:
        return {**DEFAULT_TERMS, **today}
    copied = ("window_days", "warn_days", "duplicate_days", "states", "send_to")
    return {
        **{name: getattr(now, name) for name in copied},
        **today,
        "watcher": str(now.watcher_id),
        "reasons": list(now.reasons),
        **{f"{VENDOR_WORD_PREFIX}{key}": word for key, word in now.reasons.items()},
        **{f"{STATUS_WORD_PREFIX}{key}": word for key, word in now.statuses.items()},
    }
