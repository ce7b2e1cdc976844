"""A file of returns as its vendor reads it: which lead, why, and what we ask back.

It says of the person what the vendor itself had delivered, and no more.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.transaction import atomic

from rooftree.core import spreadsheet
from rooftree.money.company_day import company_zone
from rooftree.money.contracts import word_for
from rooftree.money.models import Claim, ReturnFile
from rooftree.reporting import export
from rooftree.reporting.second_person import Asked

HEADING = (
    "Lead id", "Delivered", "Phone", "E-mail", "Reason", "Why", "Price, dollars", "Our reference",
)  # fmt: skip


def taken(made: ReturnFile, asked: Asked, *, at: datetime) -> str:
    """The file, the same whenever it is asked for; each time is noted. Raises `CannotExport`."""
    claims = list(made.claims.select_related("touch", "contract").order_by("touch__at", "touch_id"))
    ids = sorted({key for one in claims for key in _ids(one)})
    with atomic():
        text, number = spreadsheet.text_of((*HEADING, *ids), _rows(claims, ids))
        export.note(asked, number=number, at=at)
    return text


def _rows(claims: Sequence[Claim], ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    zone = company_zone()
    for one in claims:
        inquiry, theirs = one.touch.inquiry, _ids(one)
        yield (
            one.touch.vendor_lead_id, one.touch.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            _first(inquiry, "phones", "e164", "raw"), _first(inquiry, "emails", "address", "raw"),
            word_for(one.contract, one.reason), one.sentence, export.dollars(one.asked_cents),
            str(one.pk), *(theirs.get(key, "") for key in ids),
        )  # fmt: skip


def _ids(one: Claim) -> dict[str, str]:
    """The vendor's other ids of the same lead."""
    return dict(one.touch.inquiry.get("vendor_ids") or {})


def _first(inquiry: dict[str, Any], what: str, *names: str) -> str:
    """The first number or address that was delivered."""
    given: dict[str, Any] = next(iter(inquiry.get(what) or []), {})
    said = next((str(given[name]) for name in names if given.get(name)), "")
    return export.phone(said) if what == "phones" else said
