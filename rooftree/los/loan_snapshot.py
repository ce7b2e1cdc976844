"""The values every LOS adapter returns about a loan, in Rooftree's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from rooftree.los.loan_milestones import ObservedStep


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedLoan:
    """A loan that the LOS created for a hand-off."""

    loan_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanLookup:
    """The loans in the LOS that carry a given lead id.

    `is_conclusive` is False while the LOS's search can still lag behind its loans:
    an empty result then proves nothing.
    """

    loan_ids: tuple[str, ...]
    is_conclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLoan:
    """A loan created from a Rooftree lead that changed in the LOS."""

    loan_id: str
    lead_id: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanHint:
    """A webhook's hint that a loan changed. Read the loan again; trust nothing in the hint."""

    event_id: str
    event_type: str
    loan_id: str
    instance: str
    happened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSnapshot:
    """One loan as the LOS has it now."""

    loan_id: str
    loan_number: str
    lead_id: str
    observed_steps: tuple[ObservedStep, ...]  # every milestone it shows, with the LOS's own dates
    current_milestone: str  # milestone code; "" when the LOS doesn't say
    final_outcome: str  # denied, withdrawn...; "" while the file is open
    amount_cents: int | None = None
    revenue_cents: int | None = None  # None when the lender named no revenue fields
    application_date: date | None = None
    funded_date: date | None = None
    lock_date: date | None = None
    lock_expires_date: date | None = None
    closing_date: date | None = None
    notices: Mapping[str, date] = field(default_factory=dict)  # sent, by kind: loan_estimate...
    unmapped_statuses: tuple[str, ...] = ()  # statuses missing from the status map: alert, no event
    raw: Mapping[str, str] = field(default_factory=dict, repr=False)  # field id -> LOS's text
