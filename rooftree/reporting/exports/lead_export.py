"""Taking leads out as a file: who, why and how many is written down before it leaves."""

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

MAX_LEADS = 20_000  # leads in one file
HEADING = (
    "Lead", "First name", "Last name", "Phone", "E-mail", "Purpose", "Property state",
    "Amount, dollars", "Source", "Arrived", "State", "Officer", "Branch", "Application",
    "Funded",
)  # fmt: skip


def export_leads_csv(
    leads: QuerySet[Lead], asked: ExportIntent, *, at: datetime
) -> tuple[str, int]:
    """The file and its number of leads; one line of the access log and one event with it.

    Args:
        leads: only those the user may see.

    Raises `CannotExport`, of more than a few people also while no second person has agreed.
    """
    count = leads.count()
    if count > MAX_LEADS:
        raise CannotExport(f"More than {MAX_LEADS:,} leads: choose a shorter time or a branch.")
    with atomic():
        if export_approval.is_needed(count):
            export_approval.use_approval(asked, number=count, at=at)
        text, number = spreadsheet_csv.render_csv(HEADING, _lead_rows(leads))
        log_export(asked, number=number, at=at)
    return text, number


def log_export(asked: ExportIntent, *, number: int, at: datetime) -> None:
    """Write down who takes so many people out, and why. Raises `CannotExport` without a reason."""
    reason = asked.checked_reason()
    entry = access_log.record_access(
        AccessKind.EXPORTED, client=asked.caller, at=at, user_id=asked.user_id,
        subject=asked.subject, reason=reason, number=number,
    )  # fmt: skip
    write_event(
        "reporting.leads.exported", at=at, actor=f"user:{asked.user_id}",
        subject=asked.subject, number=number, access_entry_id=entry.pk,
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
    """As people write it; with a plus in front a spreadsheet would take it for a sum."""
    if e164 and e164.startswith("+1") and len(e164) == 12:
        return f"{e164[2:5]}-{e164[5:8]}-{e164[8:]}"
    return (e164 or "").removeprefix("+")


def format_dollars(cents: int | None) -> str:
    return "" if cents is None else f"{cents // 100}.{cents % 100:02d}"
