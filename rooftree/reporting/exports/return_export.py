"""CSV file of returned leads for a vendor: the lead, the reason and the claimed price.

Personal data in it is limited to what the vendor itself delivered.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.transaction import atomic

from rooftree.core import spreadsheet_csv
from rooftree.money.company_day import company_zone
from rooftree.money.models import Claim, ReturnFile
from rooftree.money.vendor_contracts import vendor_reason
from rooftree.reporting.exports import lead_export
from rooftree.reporting.exports.export_approval import ExportIntent

HEADING = (
    "Lead id", "Delivered", "Phone", "E-mail", "Reason", "Why", "Price, dollars", "Our reference",
)  # fmt: skip


def export_returns_csv(return_file: ReturnFile, intent: ExportIntent, *, at: datetime) -> str:
    """Render a return file; repeats give the same text. Records the export.

    Raises `CannotExport` without a reason.
    """
    claims = list(
        return_file.claims.select_related("touch", "contract").order_by("touch__at", "touch_id")
    )
    ids = sorted({key for claim in claims for key in _vendor_ids(claim)})
    with atomic():
        text, number = spreadsheet_csv.render_csv((*HEADING, *ids), _claim_rows(claims, ids))
        lead_export.log_export(intent, number=number, at=at)
    return text


def _claim_rows(claims: Sequence[Claim], ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    zone = company_zone()
    for claim in claims:
        inquiry, vendor_ids = claim.touch.inquiry, _vendor_ids(claim)
        yield (
            claim.touch.vendor_lead_id,
            claim.touch.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            _first_contact(inquiry, "phones", "e164", "raw"),
            _first_contact(inquiry, "emails", "address", "raw"),
            vendor_reason(claim.contract, claim.reason),
            claim.sentence,
            lead_export.format_dollars(claim.claimed_cents),
            str(claim.pk),
            *(vendor_ids.get(key, "") for key in ids),
        )


def _vendor_ids(claim: Claim) -> dict[str, str]:
    """Return the vendor's other ids of the lead, by name."""
    return dict(claim.touch.inquiry.get("vendor_ids") or {})


def _first_contact(inquiry: dict[str, Any], section: str, *keys: str) -> str:
    """Return the first delivered phone number or email address; "" if there is none."""
    contact: dict[str, Any] = next(iter(inquiry.get(section) or []), {})
    value = next((str(contact[key]) for key in keys if contact.get(key)), "")
    return lead_export.format_phone(value) if section == "phones" else value
