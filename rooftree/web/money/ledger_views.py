"""The Money page: what is booked by source and month, its entries, and their corrections."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import money_in
from rooftree.leads.models import Source
from rooftree.money import balance, book_entries, spend_reminders
from rooftree.money.company_day import company_day
from rooftree.money.models import Entry
from rooftree.money.spend_entries import following_months
from rooftree.org.models import User
from rooftree.routing.permissions import has_company_permission, leads_visible_to
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import DollarsField, StaffForm, textarea_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_company_permission,
    require_permission,
    staff_view,
)

PAGE_SIZE = 50
MONTHS_SHOWN = 13  # in the list of months
BASIS_LABELS = {
    "ad_spend": "Ad spend",
    "monthly_fee": "Monthly fee",
    "invoice": "Invoice difference",
    "correction": "Correction",
    "price_change": "Price change",
    "return": "Return credit",
    "source_terms": "Lead, at the source’s price",
    "per_lead": "Lead, at the delivery’s price",
    "los": "Revenue from the LOS",
    "by_hand": "Revenue recorded by staff",
}
MINUS_KINDS = ("credit", "reversal")


class CorrectionForm(StaffForm):
    """The right amount of an entry, and why it was wrong."""

    amount = DollarsField("Correct amount, $", "Enter 0 to reverse the entry")
    reason = textarea_field("Reason", "For example: entered twice", required=True, rows=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].required = True
        self.fields["reason"].widget.attrs["maxlength"] = 300


def entry_label(entry: Entry) -> str:
    """Return what kind of entry this is, in words."""
    return BASIS_LABELS.get(entry.basis, entry.basis.replace("_", " ").capitalize())


def signed_cents(entry: Entry) -> int:
    """Return an entry's amount, negative if it lowers its sum."""
    return -entry.amount_cents if entry.kind in MINUS_KINDS else entry.amount_cents


def entries_visible_to(user: User) -> QuerySet[Entry]:
    """Return the entries a user can see: all, or those of the leads of the user's branch."""
    rows = Entry.objects.select_related("source", "campaign", "booked_by", "lead__person")
    return rows if user.branch_id is None else rows.filter(lead__in=leads_visible_to(user))


@staff_view("GET")
def show_ledger(request: StaffRequest) -> HttpResponse:
    """Show a month's sums by source and its entries, newest first."""
    require_permission(request.user, "see_money")
    today = company_day(request.at)
    month, until = _chosen_days(request, today)
    entries = entries_visible_to(request.user).filter(on_date__gte=month, on_date__lt=until)
    is_leadless = request.GET.get("leads") == "none"
    if is_leadless:
        entries = entries.filter(lead=None)
    sources = {row.pk: row for row in Source.objects.order_by("name", "id").only("id", "name")}
    by_source = balance.sums_by_source(entries)
    chosen = request.GET.get("source", "")
    source = next((row for key, row in sources.items() if str(key) == chosen), None)
    listed = entries.filter(source=source) if source else entries
    page = get_page(request, listed.order_by("-on_date", "-booked_at", "-id"), size=PAGE_SIZE)
    year_ago = today.replace(year=today.year - 1, day=1)
    months = following_months(year_ago, MONTHS_SHOWN)[::-1]
    is_company_wide = request.user.branch_id is None
    context = {
        "month": month,
        "last_day": until - timedelta(days=1),
        "is_month": until == following_months(month, 2)[1],
        "is_leadless": is_leadless,
        "months": [month, *months] if month not in months else months,
        "total": balance.sum_entries(entries),
        "rows": [(row, by_source[key]) for key, row in sources.items() if key in by_source],
        "source": source,
        "page": page,
        "lines": _entry_lines(page.object_list),
        "listed_total": balance.sum_entries(listed),
        "missing": spend_reminders.find_sources_without_spend(today) if is_company_wide else [],
        "missing_month": spend_reminders.last_month(today),
        "may_book": has_company_permission(request.user, "book_money"),
        "is_company_wide": is_company_wide,
    }
    return render(request, "money/ledger.html", context)


@staff_view("GET")
def show_entry(request: StaffRequest, entry_id: UUID) -> HttpResponse:
    """Show one entry with its corrections and who booked it, and the form to correct it."""
    require_permission(request.user, "see_money")
    return _render_entry(request, _get_entry(request.user, entry_id))


@staff_view("POST")
def correct_entry(request: StaffRequest, entry_id: UUID) -> HttpResponse:
    """Correct an entry by a new one."""
    require_company_permission(request.user, "book_money")
    entry = _get_entry(request.user, entry_id)
    form = CorrectionForm(request.POST)

    def correct(typed: dict[str, Any]) -> Entry | None:
        return money_in.correct_booked_entry(
            entry, right_cents=typed["amount"], reason=typed["reason"], by=request.user,
            at=request.at,
        )  # fmt: skip

    if form.submit(correct):
        words = "Correction booked" if form.result else "The amount was already right"
        return respond_redirect(request, words, to=reverse("money_entry", args=[entry.pk]))
    return _render_entry(request, entry, form)


def _render_entry(
    request: StaffRequest, entry: Entry, form: CorrectionForm | None = None
) -> HttpResponse:
    can_correct = (
        has_company_permission(request.user, "book_money")
        and entry.corrects_id is None
        and entry.basis != "los"
    )
    context = {
        "entry": entry,
        "label": entry_label(entry),
        "cents": signed_cents(entry),
        "net_cents": book_entries.net_amounts([entry])[entry.pk],
        "corrections": _entry_lines(
            entry.corrections.select_related("source", "booked_by", "lead__person").order_by("id")
        ),
        "form": (form or CorrectionForm()) if can_correct else None,
    }
    return render(request, "money/entry.html", context, status=422 if form else 200)


def _entry_lines(entries: Iterable[Entry]) -> list[tuple[Entry, str, int]]:
    return [(entry, entry_label(entry), signed_cents(entry)) for entry in entries]


def _get_entry(user: User, entry_id: UUID) -> Entry:
    entry = entries_visible_to(user).select_related("corrects", "loan").filter(pk=entry_id).first()
    if entry is None:
        raise Http404
    return entry


def _chosen_days(request: StaffRequest, today: date) -> tuple[date, date]:
    """Return the days to show, end exclusive: `from` and `until`, else a month."""
    month = _parse_date(f"{request.GET.get('month', '')}-01") or today.replace(day=1)
    first = _parse_date(request.GET.get("from", ""))
    until = _parse_date(request.GET.get("until", ""))
    if first and until and first < until:
        return first, until
    return month, following_months(month, 2)[1]


def _parse_date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2100 else None
