"""The values every LOS adapter returns about a loan, in Rooftree's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rooftree.los.loan_milestones import ObservedStep


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedLoan:
    """A loan that the LOS created for a hand-off."""

    loan_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanLookup:
    """The loans that the create of a hand-off can have made.

    `is_conclusive` is False while the LOS's search can still lag behind its loans:
    an empty result then proves nothing.
    """

    loan_ids: tuple[str, ...]
    is_conclusive: bool
    question: str = ""  # what a person must look up in the LOS, because no search can settle it


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLoan:
    """A loan created from a Rooftree lead that changed in the LOS."""

    loan_id: str
    lead_id: str = ""
    folder: str = ""
    previous_id: str = ""  # its id before the LOS renamed it
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)  # see LoanHint


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanHint:
    """A push's hint that a loan changed. Where the LOS can be asked, the loan is read again.

    `content` is what an adapter keeps of a push of an LOS that can't be asked for one loan:
    statuses, dates and amounts, never a borrower's data.
    """

    event_id: str
    event_type: str
    loan_id: str
    instance: str
    happened_at: datetime | None
    problem: str = ""  # why an entry of a push can't be read; such a hint reads no loan
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)


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
