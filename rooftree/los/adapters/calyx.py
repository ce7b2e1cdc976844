"""Calyx Point by files: MISMO 3.4 into a watched folder, statuses back by report exports.

Point has no public network interface. What is seen, known and assumed: docs/los/calyx.md.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected
from rooftree.los.adapters import calyx_files
from rooftree.los.adapters.calyx_profile import PROFILE
from rooftree.los.field_mapping import load_field_table
from rooftree.los.handoff_record import HandoffRecord
from rooftree.los.loan_milestones import (
    MilestoneKind,
    ObservedStep,
    UnmappedStatus,
    highest_milestone,
)
from rooftree.los.loan_snapshot import ChangedLoan, CreatedLoan, LoanLookup, LoanSnapshot
from rooftree.los.los_payload import MissingData, build_payload
from rooftree.los.mismo_parser import find_schema_errors, load_schema
from rooftree.los.status_mapping import build_status_map, milestone_for_status

__all__ = ["PROFILE", "Calyx", "Settings"]

RECEIPT_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The folders of one Point site."""

    base_url: str
    instance: str
    drop_folder: str
    status_folder: str
    has_receipts: bool = False
    xsd_dir: str = ""
    lead_id_field: str = ""
    mapping: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "America/New_York"


class Calyx:
    """One Point site. The name of a file is the lead's ID, so that a repeat makes no second loan.

    Args:
        now: seconds since the epoch; a status file younger than a few seconds is left alone.
    """

    def __init__(
        self, settings: Callable[[], Settings], *, now: Callable[[], float] = time.time
    ) -> None:
        self._load_settings = settings
        self._now = now

    def close(self) -> None:
        """Do nothing: no connection is kept open."""

    def create_loan(self, handoff: HandoffRecord) -> CreatedLoan:
        """Write the loan's file. Where the importer leaves receipts, its answer is awaited.

        The same lead gives the same file name, which the importer takes as an update.
        """
        settings = self._load_settings()
        payload = build_payload(handoff, "calyx", settings.mapping)
        if payload.missing:
            raise MissingData(payload.missing)
        if settings.xsd_dir:
            errors = list(find_schema_errors(payload.body, load_schema(settings.xsd_dir)))
            if errors:
                raise RequestRejected(f"The MISMO schema refuses the file: {errors[0]}.")
        name = str(handoff.lead_id)
        calyx_files.write_whole(settings.drop_folder, f"{name}.xml", payload.body)
        if settings.has_receipts:
            raise OutcomeUnknown("The file is in the import folder; Point hasn't taken it yet.")
        return CreatedLoan(loan_id=name)

    def find_created_loan(
        self, handoff: HandoffRecord, *, sent_at: datetime, at: datetime
    ) -> LoanLookup:
        """Find the importer's receipt or refusal of the file."""
        settings, name = self._load_settings(), str(handoff.lead_id)
        if not settings.has_receipts:
            # The file is written whole or not at all, and the same name is the same loan.
            return LoanLookup(loan_ids=(), is_conclusive=True)
        is_taken, refusal = calyx_files.find_receipt(settings.drop_folder, name)
        question = ""
        if refusal:
            question = (
                f"Point refused the file: {refusal.rstrip('.')}. Correct it, then send again."
            )
        elif not is_taken and at - sent_at >= RECEIPT_PATIENCE:
            question = f"Point hasn't taken the file {name}.xml. Is its importer running?"
        return LoanLookup(
            loan_ids=(name,) if is_taken else (), is_conclusive=is_taken, question=question
        )

    def find_changed_since(self, since: datetime) -> tuple[ChangedLoan, ...]:
        """Return every loan of the status files that are there; reading one again adds nothing.

        An export names no time of change, and copies arrive late and out of order, so `since`
        selects nothing.
        """
        settings = self._load_settings()
        calyx_files.require_folder(settings.drop_folder, "import folder", is_written=True)
        return tuple(
            ChangedLoan(loan_id=loan_id, lead_id=loan_id, content=calyx_files.as_content(rows))
            for loan_id, rows in self._read_rows(settings).items()
        )

    def read_loan(self, loan_id: str, seen: Mapping[str, Any] | None = None) -> LoanSnapshot:
        """Return the loan as the status files show it.

        Raises `RequestRejected` when no file shows it: none did yet, or it was deleted in Point.
        """
        settings = self._load_settings()
        if not seen:
            rows = self._read_rows(settings).get(loan_id.strip().casefold())
            if not rows:
                raise RequestRejected("Point's status files don't show this loan.", code="404")
            seen = calyx_files.as_content(rows)
        table = load_field_table("mismo", {"statuses": settings.mapping.get("statuses", {})})
        return _build_snapshot(loan_id, seen, build_status_map("calyx", table.statuses))

    def write_fields(self, loan_id: str, values: Mapping[str, str]) -> str:
        """Refuse: a file carries a whole loan, no single field."""
        raise Misconfigured("Point takes whole files only. Change the field in Point.")

    def _read_rows(self, settings: Settings) -> dict[str, list[calyx_files.StatusRow]]:
        calyx_files.require_folder(settings.status_folder, "status folder")
        columns = settings.mapping.get("reads", {}).get("revenue", ())
        loans: dict[str, list[calyx_files.StatusRow]] = {}
        for row in calyx_files.read_status_files(
            settings.status_folder, now=self._now(), revenue_columns=columns
        ):
            loans.setdefault(row.loan_id, []).append(row)
        return loans


def _build_snapshot(
    loan_id: str, seen: Mapping[str, Any], statuses: Mapping[str, Any]
) -> LoanSnapshot:
    days = {name: seen.get(name) for name in ("lock_expires", "closing")}
    lock_expires, closing = (date.fromisoformat(day) if day else None for day in days.values())
    steps: dict[str, ObservedStep] = {}
    unmapped: tuple[str, ...] = ()
    current = ended = ""
    for status, text in seen.get("statuses", ()):
        current, ended, unmapped = "", "", ()
        try:
            milestone = milestone_for_status("calyx", status, statuses)
        except UnmappedStatus:
            unmapped = (status,)  # only the newest counts: an older one is history
            continue
        if milestone is None:
            continue
        current = milestone.code
        ended = current if milestone.kind is MilestoneKind.TERMINAL else ""
        day = date.fromisoformat(text) if text else None
        steps.setdefault(current, ObservedStep(code=current, on=day, source_status=status))
    funded, applied = steps.get("funded"), steps.get("application")
    return LoanSnapshot(
        loan_id=loan_id,
        loan_number=str(seen.get("loan_number") or ""),
        lead_id=loan_id,
        observed_steps=tuple(steps.values()),
        current_milestone=current or ("" if unmapped else highest_milestone(steps)),
        final_outcome=ended,
        amount_cents=seen.get("amount_cents"),
        revenue_cents=seen.get("revenue_cents"),
        application_date=applied.on if applied else None,
        funded_date=funded.on if funded else None,
        lock_expires_date=lock_expires,
        closing_date=closing,
        unmapped_statuses=unmapped,
    )
