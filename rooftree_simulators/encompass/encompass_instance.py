"""One Encompass instance: its settings, its loans, and the effects of a changed loan."""

import random
import threading
import uuid
from datetime import timedelta
from typing import Any

from rooftree_simulators.encompass.encompass_errors import conflict_error, not_found_error
from rooftree_simulators.encompass.loan_files import (
    MILESTONES,
    Loan,
    contains_ssn,
    new_milestones,
)
from rooftree_simulators.encompass.loan_store import LoanStore
from rooftree_simulators.encompass.oauth_tokens import OAuthTokens
from rooftree_simulators.encompass.webhooks import Webhooks
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.vendor_base import Json, Switches

INSTANCE_ID = "TEBE00000001"
SERVICE_USER = "svc_rooftree"
ADVERSE_FOLDERS = {"Adverse", "(Trash)"}
_REPORTABLE_FIELDS = (
    "Loan.GUID Loan.LoanNumber Loan.LoanFolder Loan.LastModified Loan.CurrentMilestoneName "
    "Fields.4002 Fields.4495 Fields.1393 Fields.2305 Fields.CX.ROOFTREELEADID"
)
# CX.ROOFTREEREVENUE is ours: no public field carries a lender's revenue on a loan.
_CUSTOM_FIELDS = "CX.ROOFTREELEADID CX.ROOFTREESOURCE CX.ROOFTREEREVENUE"


def default_switches() -> Switches:
    return Switches(
        {
            "dup_rate": 0.02,
            "reorder": False,
            "loss_rate": 0.0,
            "desktop_silent": True,
            "self_events": True,
            "insecure_ok": True,
            "pipeline_lag_s": 45,
            "isv": False,
            "epc": False,
            "window30": False,
            "revenue_bps": 275,
        }
    )


class EncompassInstance:
    """The instance's state. One lock guards it."""

    def __init__(
        self, clock: SimulatedClock, rng: random.Random, store: LoanStore | None = None
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.store = store  # holds the loans of earlier runs
        self.lock = threading.RLock()
        self.reset_state()

    def reset_state(self) -> None:
        self.switches = default_switches()
        self.tokens = OAuthTokens(self.clock, INSTANCE_ID)
        self.webhooks = Webhooks(self.clock, self.rng, self.switches, INSTANCE_ID)
        self.loans: dict[str, Loan] = {}
        self.folders = ["Prospects", "My Pipeline", "Adverse", "(Trash)"]
        self.templates = ["Public:\\Companywide\\Lead"]
        self.reportable = set(_REPORTABLE_FIELDS.split())
        self.custom_fields = set(_CUSTOM_FIELDS.split())
        self.milestone_names = list(MILESTONES)
        self.nmls_ids: dict[str, str] = {}  # of users that have one
        self.cursors: dict[str, Json] = {}
        self.foreign_load = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.refused_for_load = 0
        self.violations: list[Json] = []
        self._next_number = 1
        for loan in self.store.load_loans() if self.store else ():
            loan.copy_for_reports(self.reportable, timedelta(0))
            self.loans[loan.guid] = loan
            self._next_number = max(self._next_number, int(loan.number[-5:]) + 1)

    def delete_stored_loans(self) -> None:
        """Delete the stored loan files for good."""
        if self.store:
            self.store.delete_all()

    def close(self) -> None:
        """Close the files on disk."""
        if self.store:
            self.store.close()
            self.store = None

    def update_switches(self, body: Json) -> Json:
        """Set switches and the token rules that depend on them."""
        now = self.switches.update(body)
        self.tokens.isv = bool(now["isv"])
        self.tokens.epc = bool(now["epc"])
        self.tokens.window30 = bool(now["window30"])
        return now

    def get_loan(self, guid: str) -> Loan:
        loan = self.loans.get(guid.strip("{}"))
        if loan is None:
            raise not_found_error("No loan with this id.")
        return loan

    def open_loan(self, folder: str, *, template: str = "", lo_id: str = "") -> Loan:
        """Create a loan file with the next number; no event is raised yet."""
        now = self.clock.now()
        with self.lock:
            number = f"TEST-{now:%y%m}-{self._next_number:05d}"
            self._next_number += 1
        loan = Loan(
            guid=str(uuid.uuid4()),
            number=number,
            folder=folder,
            template=template,
            lo_id=lo_id,
            created_at=now,
            modified_at=now,
            milestones=new_milestones(now, self.milestone_names),
        )
        self.loans[loan.guid] = loan
        return loan

    def check_not_locked(self, loan: Loan, user: str) -> None:
        """Raise `ReplyError` (409) if another user has the file locked."""
        holder = loan.lock_holder(user, self.clock.now())
        if holder:
            raise conflict_error(f"Loan is already locked by {holder}")

    def save_change(
        self,
        loan: Loan,
        events: list[tuple[str, Json]],
        *,
        user: str,
        paths: list[str],
        silent: bool = False,
    ) -> None:
        """Stamp a written loan, feed the reporting copy, raise its events unless silent."""
        loan.modified_at = self.clock.now()
        lag = timedelta(seconds=float(self.switches.values["pipeline_lag_s"]))
        loan.copy_for_reports(self.reportable, lag)
        if self.store:
            self.store.save_loan(loan)
        if silent or (user == SERVICE_USER and not self.switches.values["self_events"]):
            return
        for event, payload in events:
            self.webhooks.raise_event(event, loan.guid, user=user, payload=payload, paths=paths)

    def record_ssn_violation(self, document: Any, where: str) -> None:
        """Record a violation if a client sends a social security number."""
        if contains_ssn(document):
            self.violations.append(
                {"violation": "ssn_sent", "where": where, "at": self.clock.now().isoformat()}
            )
