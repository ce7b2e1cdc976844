"""The client of the simulators' control API."""

from typing import Any

import httpx2

from rooftree_demo.simulator_addresses import SimulatorAddresses


class SimulatorUnreachable(Exception):
    """The simulators do not answer, or refused the call."""


class SimulatorClient:
    """A client of the control API; thread-safe."""

    def __init__(self, addresses: SimulatorAddresses) -> None:
        self.addresses = addresses
        self._client = httpx2.Client(base_url=addresses.control, timeout=20)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make one call and return its JSON answer. Raises `SimulatorUnreachable`."""
        try:
            answer = self._client.post(f"/{path}", json=body)
        except httpx2.HTTPError as problem:
            raise SimulatorUnreachable(f"{path}: {type(problem).__name__}") from problem
        if answer.status_code != 200:
            raise SimulatorUnreachable(f"{path}: {answer.text[:200]}")
        content: dict[str, Any] = answer.json()
        return content

    def move_loan(self, loan_id: str, status: str, *, on: str = "", by: str = "web") -> None:
        """Move a loan in the LOS, as a processor does; `on` is the date to write."""
        self.call(f"enc/loans/{loan_id}/status", {"status": status, "date": on, "by": by})

    def send_text(self, sender: str, to: str, body: str) -> None:
        """Send a borrower's text to one of the lender's numbers."""
        self.call("twilio/inbound", {"from": sender, "to": to, "body": body})

    def set_behavior(self, number: str, **behavior: Any) -> None:
        """Set how the person at this number reacts to calls and texts."""
        self.call("twilio/callees", {"number": number, **behavior})
