"""An installation without a demo that connects an LOS through its pages, and the LOS's posts."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.urls import reverse

from rooftree.flow import loan_milestones, los_handoff
from rooftree.leads.models import Lead, Loan
from rooftree.los import handoff_outbox
from rooftree.los.models import Connection, Handoff
from tests import make as rows
from tests.flow import journey
from tests.los import make
from tests.simulators.receiver import Receiver


class Lender:
    """The administrator's browser, and what happens at the lender's LOS."""

    def __init__(self, los: str) -> None:
        self.los = los
        self.browser = Client()
        self.browser.force_login(rows.user("administrator"))

    def add(self, **typed: Any):
        return self.browser.post(reverse("setup_los"), {"los": self.los, **typed})

    def post(self, page: str, /, **typed: Any):
        return self.browser.post(reverse(page, args=[self.connection.pk]), typed)

    def page(self) -> str:
        return self.browser.get(reverse("setup_connection", args=[self.connection.pk])).text

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(los=self.los)

    def make_password(self) -> str:
        """Make the password of the LOS's posts; it is on this page only."""
        shown = self.post("issue_push_password").text
        match = re.search(r'aria-label="Password for updates">([^<]+)<', shown)
        assert match and match[1] not in self.page()
        return match[1]

    def check(self) -> list[dict[str, str]]:
        """Run the go-live check; return its lines that block."""
        self.post("run_go_live_check")
        report = self.connection.check_report
        return [line for line in report["lines"] if line["level"] == "block"]


def new_lead(dana, name: str = "Maria Sample", **changes: Any) -> Lead:
    """Create Dana's lead with everything that every LOS requires."""
    first, _, last = name.partition(" ")
    details = make.handoff_json()["canonical"]
    details["borrower"] = {"first_name": first, "last_name": last}
    values = {"amount_cents": 400_000_00, "purpose": "purchase", "details": details} | changes
    return rows.lead(officer=dana, **values)


def hand_off(lead: Lead, minutes: float = 0) -> Handoff:
    """Request the hand-off as the officer does, and send what is due."""
    at = journey.later(minutes)
    los_handoff.request_handoff(lead_id=lead.pk, by=lead.officer.user, at=at)
    return send_due(lead, minutes)


def send_due(lead: Lead, minutes: float) -> Handoff:
    handoff_outbox.send_due_handoffs(at=journey.later(minutes))
    return Handoff.objects.get(lead=lead)


def forward(receiver: Receiver, minutes: float, **changes: str) -> list[int]:
    """Hand the LOS's posts to our server, and read what they say; return the statuses."""
    statuses = []
    for request in receiver.requests:
        headers = {name.lower(): text for name, text in request.headers.items()} | changes
        response = Client().post(
            urlsplit(request.path).path, request.body,
            content_type=headers.pop("content-type"), headers=headers,
        )  # fmt: skip
        statuses.append(response.status_code)
    receiver.requests.clear()
    loan_milestones.read_due_loans(at=journey.later(minutes))
    return statuses


def steps_of(loan: Loan) -> dict[str, str]:
    """Return the day of each milestone that the LOS showed, by code."""
    rows_ = loan.milestones.filter(is_return=False, is_inferred=False).order_by("recorded_at", "id")
    return {step.code: step.on_date.isoformat() if step.on_date else "" for step in rows_}
