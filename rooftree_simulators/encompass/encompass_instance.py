"""One Encompass instance: its settings, its loans, and what a change of a loan sets off."""

import random
import threading
import uuid
from datetime import timedelta
from typing import Any

from rooftree_simulators.encompass.encompass_errors import conflict_error, not_found_error
from rooftree_simulators.encompass.loan_files import Loan, contains_ssn, new_milestones
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
    """The instance's memory. One lock guards it."""

    def __init__(
        self, clock: SimulatedClock, rng: random.Random, drawer: LoanStore | None = None
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.drawer = drawer  # what an earlier run left is there again
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
        self.cursors: dict[str, Json] = {}
        self.foreign_load = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.refused_for_load = 0
        self.violations: list[Json] = []
        self._next_number = 1
        for loan in self.drawer.load_loans() if self.drawer else ():
            loan.copy_for_reports(self.reportable, timedelta(0))
            self.loans[loan.guid] = loan
            self._next_number = max(self._next_number, int(loan.number[-5:]) + 1)

    def delete_stored_loans(self) -> None:
        """Forget the files for good."""
        if self.drawer:
            self.drawer.delete_all()

    def close(self) -> None:
        """Let go of the files on disk."""
        if self.drawer:
            self.drawer.close()
            self.drawer = None

    def update_switches(self, body: Json) -> Json:
        """Set switches and the token rules that follow from them."""
        now = self.switches.update(body)
        self.tokens.isv = bool(now["isv"])
        self.tokens.epc = bool(now["epc"])
        self.tokens.window30 = bool(now["window30"])
        return now

    def get_loan(self, guid: str) -> Loan:
        found = self.loans.get(guid.strip("{}"))
        if found is None:
            raise not_found_error("No loan with this id.")
        return found

    def open_loan(self, folder: str, *, template: str = "", lo_id: str = "") -> Loan:
        """A new file with its number; nothing is raised yet."""
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
            milestones=new_milestones(now),
        )
        self.loans[loan.guid] = loan
        return loan

    def check_not_locked(self, loan: Loan, user: str) -> None:
        """Raises the answer to a write on a file that someone else has open."""
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
        if self.drawer:
            self.drawer.save_loan(loan)
        if silent or (user == SERVICE_USER and not self.switches.values["self_events"]):
            return
        for event, payload in events:
            self.webhooks.raise_event(event, loan.guid, user=user, payload=payload, paths=paths)

    def record_ssn_violation(self, document: Any, where: str) -> None:
        """Note a violation when a client sends what it must never send."""
        if contains_ssn(document):
            self.violations.append(
                {"violation": "ssn_sent", "where": where, "at": self.clock.now().isoformat()}
            )
