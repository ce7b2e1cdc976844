"""A file of returns as its vendor reads it: which lead, why, and what we ask back.

It says of the person what the vendor itself had delivered, and no more.
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


def export_returns_csv(made: ReturnFile, asked: ExportIntent, *, at: datetime) -> str:
    """The file, the same whenever it is asked for; each time is noted. Raises `CannotExport`."""
    claims = list(made.claims.select_related("touch", "contract").order_by("touch__at", "touch_id"))
    ids = sorted({key for claim in claims for key in _vendor_ids(claim)})
    with atomic():
        text, number = spreadsheet_csv.render_csv((*HEADING, *ids), _claim_rows(claims, ids))
        lead_export.log_export(asked, number=number, at=at)
    return text


def _claim_rows(claims: Sequence[Claim], ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    zone = company_zone()
    for claim in claims:
        inquiry, theirs = claim.touch.inquiry, _vendor_ids(claim)
        yield (
            claim.touch.vendor_lead_id,
            claim.touch.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            _first_contact(inquiry, "phones", "e164", "raw"),
            _first_contact(inquiry, "emails", "address", "raw"),
            vendor_reason(claim.contract, claim.reason),
            claim.sentence,
            lead_export.format_dollars(claim.asked_cents),
            str(claim.pk),
            *(theirs.get(key, "") for key in ids),
        )


def _vendor_ids(one: Claim) -> dict[str, str]:
    """The vendor's other ids of the same lead."""
    return dict(one.touch.inquiry.get("vendor_ids") or {})


def _first_contact(inquiry: dict[str, Any], what: str, *names: str) -> str:
    """The first number or address that was delivered."""
    given: dict[str, Any] = next(iter(inquiry.get(what) or []), {})
    said = next((str(given[name]) for name in names if given.get(name)), "")
    return lead_export.format_phone(said) if what == "phones" else said
