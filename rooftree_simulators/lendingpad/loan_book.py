"""The loans of the simulated LendingPad: their statuses, dates and borrowers."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from rooftree_simulators.vendor_base import Json

STATUSES: dict[int, tuple[str, str]] = {  # id: (name, key of its date)
    1: ("Lead", "created"),
    27: ("Prospect", "created"),
    2: ("Pre Qualify", "preQualify"),
    3: ("Pre Approval", "preApproval"),
    4: ("Application Taken", "applicationTaken"),
    32: ("Registered", "registered"),
    33: ("Processing", "processing"),
    22: ("Initial Submission", "initialSubmission"),
    25: ("Suspended", "suspended"),
    24: ("Approved", "approved"),
    23: ("Condition Submission", "conditionSubmission"),
    26: ("Clear To Close", "clearToClose"),
    12: ("Closed", "closed"),
    13: ("Funded", "funded"),
    14: ("Post Closing", "postClosing"),
    28: ("Pre Deny", "preDeny"),
    18: ("Denied", "denied"),
    19: ("Withdrawn", "withdrawn"),
    20: ("Not Accepted", "notAccepted"),
    21: ("Incomplete", "incomplete"),
}
SCENARIOS = {
    "happy": (4, 33, 22, 24, 23, 26, 12, 13),
    "denied": (4, 33, 22, 28, 18),
    "withdrawn": (4, 33, 19),
    "suspend_resume": (4, 33, 22, 25, 24, 26, 12, 13),
    "ctc_rollback": (4, 33, 22, 24, 26, 25, 26, 12, 13),
    "preapproval_only": (2, 3),
}


@dataclass(slots=True, kw_only=True)
class PadLoan:
    """One loan file."""

    id: str
    number: str
    content: Json  # the import as it came
    status: int
    status_name: str
    status_at: datetime
    created_at: datetime
    dates: dict[str, str] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    custom: dict[str, list[str]] = field(default_factory=dict)
    is_dirty: bool = True
    deliveries: int = 0

    @property
    def serial(self) -> int:
        return int(self.number[1:])

    def set_status(self, status: int, name: str, at: datetime) -> None:
        """Move the loan; the date of the status is set, as staff do."""
        key = STATUSES[status][1] if status in STATUSES else ""
        self.status, self.status_name, self.status_at = status, name, at
        if key:
            self.dates[key] = at.replace(tzinfo=None).isoformat(timespec="seconds")
        self.times[str(status)] = self.times.get(str(status), 0) + 1
        self.is_dirty = True

    def as_row(self) -> Json:
        """Return the loan as the list shows it."""
        return {
            "id": self.id,
            "loanNumber": self.number,
            "loanStatus": {"id": self.status, "name": self.status_name},
            "loanStatusDate": self.status_at.replace(tzinfo=None).isoformat(timespec="seconds"),
            "borrowers": [self._borrower()],
        }

    def as_export(self, company: str) -> Json:
        """Return the loan as a post to the lender's address carries it, private data included."""
        person = self._borrower() | {
            # Numbers that begin with 900 are never issued.
            "ssn": f"900-{self.serial % 90 + 10}-{self.serial % 10_000:04d}",
            "birthDate": "1980-01-31T00:00:00",
            "incomes": [{"type": "Base", "amount": 8_123.45, "account": "4000123412341234"}],
        }
        return {
            "loanId": self.id,
            "companyId": company,
            "loanNumber": self.number,
            "brokerLoanNumber": None,
            "lenderLoanNumber": None,
            "loanStatus": {"id": self.status, "name": self.status_name},
            "numberOfTimesLoanInStatus": dict(self.times),
            "campaign": {"id": self.content.get("campaign"), "name": "Rooftree"},
            "branch": {"id": self.content.get("branch"), "name": None},
            "dates": {key: self.dates.get(key) for _, key in STATUSES.values()},
            "borrowers": [person],
            "assignments": self.content.get("assignments"),
            "loanProgram": None,
            "customFields": [{"id": key, "values": list(v)} for key, v in self.custom.items()],
            "notes": [{"text": f"SSN {person['ssn']} checked"}],
        }

    def _borrower(self) -> Json:
        person = self.content.get("borrower") or {}
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, self.id)),
            "firstName": person.get("firstName"),
            "middleName": None,
            "lastName": person.get("lastName"),
            "contacts": person.get("contacts"),
        }
