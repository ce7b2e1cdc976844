"""Export of leads as CSV; the user, reason and count are recorded with it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.transaction import atomic

from rooftree.core import spreadsheet_csv
from rooftree.leads.models import Email, Lead, Loan, Phone
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_zone
from rooftree.org import access_log
from rooftree.org.access_log import AccessKind
from rooftree.reporting.exports import export_approval
from rooftree.reporting.exports.export_approval import CannotExport, ExportIntent

MAX_LEADS = 20_000  # per file
HEADING = (
    "Lead", "First name", "Last name", "Phone", "E-mail", "Purpose", "Property state",
    "Amount, dollars", "Source", "Arrived", "State", "Officer", "Branch", "Application",
    "Funded",
)  # fmt: skip


def export_leads_csv(
    leads: QuerySet[Lead], intent: ExportIntent, *, at: datetime
) -> tuple[str, int]:
    """Export leads; return the CSV text and the number of leads.

    Writes one access log entry and one ledger event in the same transaction.

    Args:
        leads: only leads the user can see.

    Raises `CannotExport` for too many leads, or without a reason or a required approval.
    """
    count = leads.count()
    if count > MAX_LEADS:
        raise CannotExport(f"More than {MAX_LEADS:,} leads. Choose a shorter period or a branch.")
    with atomic():
        if export_approval.is_needed(count):
            export_approval.use_approval(intent, number=count, at=at)
        text, number = spreadsheet_csv.render_csv(HEADING, _lead_rows(leads))
        log_export(intent, number=number, at=at)
    return text, number


def log_export(intent: ExportIntent, *, number: int, at: datetime) -> None:
    """Record an export in the access log and ledger. Raises `CannotExport` without a reason."""
    reason = intent.clean_reason()
    entry = access_log.record_access(
        AccessKind.EXPORTED, client=intent.caller, at=at, user_id=intent.user_id,
        subject=intent.subject, reason=reason, number=number,
    )  # fmt: skip
    write_event(
        "reporting.leads.exported", at=at, actor=f"user:{intent.user_id}",
        subject=intent.subject, number=number, access_entry_id=entry.pk,
    )  # fmt: skip


def _lead_rows(leads: QuerySet[Lead]) -> Iterator[tuple[Any, ...]]:
    zone = company_zone()
    phones = Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    emails = Email.objects.filter(person=OuterRef("person"))
    loans = Loan.objects.filter(lead=OuterRef("pk")).order_by("-funded_date", "-id")
    rows = leads.select_related("person", "source", "officer__user", "branch").annotate(
        its_phone=Subquery(phones.order_by("-is_primary", "id").values("e164")[:1]),
        its_email=Subquery(emails.order_by("-is_primary", "id").values("address")[:1]),
        its_application=Subquery(loans.values("application_date")[:1]),
        its_funding=Subquery(loans.values("funded_date")[:1]),
    )
    for lead in rows:
        yield (
            lead.pk, lead.person.first_name, lead.person.last_name, format_phone(lead.its_phone),
            lead.its_email, lead.purpose, lead.property_state, format_dollars(lead.amount_cents),
            lead.source.name, lead.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            lead.state, lead.officer.user.name if lead.officer else "",
            lead.branch.name if lead.branch else "", lead.its_application, lead.its_funding,
        )  # fmt: skip


def format_phone(e164: str | None) -> str:
    """Format a number without the plus sign, which spreadsheets read as a formula."""
    if e164 and e164.startswith("+1") and len(e164) == 12:
        return f"{e164[2:5]}-{e164[5:8]}-{e164[8:]}"
    return (e164 or "").removeprefix("+")


def format_dollars(cents: int | None) -> str:
    """Format cents as dollars, as `1234.50`; "" for None."""
    return "" if cents is None else f"{cents // 100}.{cents % 100:02d}"
