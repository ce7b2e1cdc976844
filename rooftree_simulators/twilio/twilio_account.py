"""One Twilio account: its numbers, the people at the other end, and signed webhooks."""

import random
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.twilio.twilio_errors import new_sid
from rooftree_simulators.twilio.webhook_signature import compute_signature
from rooftree_simulators.vendor_base import Json, Switches

ACCOUNT_SID = "AC" + "5a" * 16
AUTH_TOKEN = "twilio-simulator-token"  # noqa: S105
MAIN_NUMBER = "+15125550100"
SERVICE_SID = "MG" + "5b" * 16
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_CALLBACK_TIMEOUT_S = 15.0


def is_valid_number(text: str) -> bool:
    """Decide whether this is an E.164 number; in +1, area code and exchange must be valid too."""
    if not _E164.fullmatch(text):
        return False
    return not text.startswith("+1") or bool(re.fullmatch(r"\+1[2-9]\d{2}[2-9]\d{6}", text))


@dataclass(slots=True, kw_only=True)
class AccountLine:
    """A number of the account, its abilities and its webhook URLs."""

    number: str
    sid: str = field(default_factory=lambda: new_sid("PN"))
    sms_url: str = ""
    voice_url: str = ""
    status_callback: str = ""
    sms_application_sid: str = ""  # where set, Twilio ignores `sms_url`; likewise for calls
    voice_application_sid: str = ""
    trunk_sid: str = ""
    friendly_name: str = ""
    sms_fallback_url: str = ""
    voice_fallback_url: str = ""
    can_text: bool = True
    can_call: bool = True


@dataclass(slots=True, kw_only=True)
class CalleeBehavior:
    """The behavior of the person or machine at a number; the control API sets it."""

    sms: str = "delivered"  # delivered | undelivered | failed | stuck (sent, never reported)
    error_code: int = 0
    voice: str = "answer"  # answer | no-answer | busy | failed
    answer_after_s: float = 2.0
    digits: list[str] = field(default_factory=list)  # one entry per Gather; "" presses nothing
    answered_by: str = "human"
    talk_s: float = 60.0  # length of a bridged conversation
    hang_up_after_s: float | None = None


class TwilioAccount:
    """The account's state. One lock guards it."""

    def __init__(self, clock: SimulatedClock, rng: random.Random) -> None:
        self.clock = clock
        self.rng = rng
        self.lock = threading.RLock()
        self.reset_state()

    def reset_state(self) -> None:
        self.sid = ACCOUNT_SID
        self.auth_token = AUTH_TOKEN
        self.friendly_name = "Simulated account"
        self.kind, self.status = "Full", "active"  # or Trial; suspended, closed
        self.lines = {MAIN_NUMBER: AccountLine(number=MAIN_NUMBER)}
        self.services = {SERVICE_SID: [MAIN_NUMBER]}
        self.callees: dict[str, CalleeBehavior] = {}
        self.usual = CalleeBehavior()
        self.messages: dict[str, Any] = {}
        self.calls: dict[str, Any] = {}
        self.recordings: dict[str, Any] = {}
        self.opted_out: set[tuple[str, str]] = set()  # (person, sender)
        self.callbacks: list[Json] = []
        self.warnings: list[Json] = []
        self.switches = Switches(
            {
                "opt_out_handling": True,
                "dup_rate": 0.0,
                "reorder": False,
                "loss_rate": 0.0,
                "queue_s": 0.5,
                "delivery_s": 1.5,
                "ring_s": 0.5,
                "max_per_second": 0,
            }
        )

    def behavior_of(self, number: str) -> CalleeBehavior:
        return self.callees.get(number, self.usual)

    def line(self, number: str) -> AccountLine:
        """Return a number of the account; a new number is added without webhooks."""
        return self.lines.setdefault(number, AccountLine(number=number))

    def senders(self, message_from: str, service: str) -> list[str]:
        return self.services.get(service, []) if service else [message_from]

    def post_signed(
        self, url: str, fields: list[tuple[str, str]], *, method: str = "POST"
    ) -> HttpAnswer:
        """Send a signed request to the product as Twilio does, and log it for the state call.

        A failed connection is retried once, as Twilio does by default.
        """
        answer = self._post_once(url, fields, method)
        if answer.status == 0:
            answer = self._post_once(url, fields, method)
        return answer

    def _post_once(self, url: str, fields: list[tuple[str, str]], method: str) -> HttpAnswer:
        if method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"
            fields = []
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": compute_signature(self.auth_token, url, fields),
            "I-Twilio-Idempotency-Token": f"{self.rng.getrandbits(128):032x}",
            "User-Agent": "TwilioProxy/1.1",
        }
        body = urlencode(fields).encode()
        answer = send_request(method, url, body, headers, timeout_s=_CALLBACK_TIMEOUT_S)
        with self.lock:
            self.callbacks.append(
                {
                    "at": self.clock.now().isoformat(),
                    "url": url,
                    "fields": dict(fields),
                    "status": answer.status,
                    "problem": answer.problem,
                }
            )
        return answer

    def report_status(
        self, url: str, fields: list[tuple[str, str]], *, method: str = "POST"
    ) -> None:
        """Send a status callback, with the account's faults: lost, sent twice, out of order."""
        values = self.switches.values
        if self.rng.random() < float(values["loss_rate"]):
            return

        def post() -> None:
            self.post_signed(url, fields, method=method)

        times = 2 if self.rng.random() < float(values["dup_rate"]) else 1
        for _ in range(times):
            if values["reorder"]:
                self.clock.schedule_job(self.rng.uniform(0, 10), post)
            else:
                post()

    def record_warning(self, code: int, text: str, **facts: str) -> None:
        """Add a line to the account's debugger about an answer that was not usable."""
        row: Json = {"at": self.clock.now().isoformat(), "code": code, "text": text, **facts}
        with self.lock:
            self.warnings.append(row)


def http_date(at: datetime) -> str:
    """Format a time as in call callbacks: `Mon, 23 Nov 2026 15:08:12 +0000`."""
    return at.strftime("%a, %d %b %Y %H:%M:%S +0000")
