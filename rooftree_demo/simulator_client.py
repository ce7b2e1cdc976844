"""Making things happen in the simulated outside world, over its control API."""

from typing import Any

import httpx2

from rooftree_demo.simulator_addresses import SimulatorAddresses


class SimulatorUnreachable(Exception):
    """The simulators do not answer, or refused the call."""


class SimulatorClient:
    """One caller of the control API; several threads may share it."""

    def __init__(self, addresses: SimulatorAddresses) -> None:
        self.addresses = addresses
        self._client = httpx2.Client(base_url=addresses.control, timeout=20)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One call. Raises `CannotReach`."""
        try:
            answer = self._client.post(f"/{path}", json=body)
        except httpx2.HTTPError as problem:
            raise SimulatorUnreachable(f"{path}: {type(problem).__name__}") from problem
        if answer.status_code != 200:
            raise SimulatorUnreachable(f"{path}: {answer.text[:200]}")
        done: dict[str, Any] = answer.json()
        return done

    def move_loan(self, loan_id: str, status: str, *, on: str = "", by: str = "web") -> None:
        """What a processor does in the LOS; `on` is the date written."""
        self.call(f"enc/loans/{loan_id}/status", {"status": status, "date": on, "by": by})

    def send_text(self, sender: str, to: str, body: str) -> None:
        """A borrower texts one of our numbers."""
        self.call("twilio/inbound", {"from": sender, "to": to, "body": body})

    def set_behavior(self, number: str, **behaviour: Any) -> None:
        """How whoever has this number answers calls and takes texts."""
        self.call("twilio/callees", {"number": number, **behaviour})
