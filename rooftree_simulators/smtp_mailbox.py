"""An SMTP server that stores every message, and refuses, defers or bounces on request."""

import itertools
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from rooftree_simulators.http_sender import send_request
from rooftree_simulators.vendor_base import Json, SimulatorSetup, Vendor

USER, PASSWORD = "loans@harborlight.example", "app-password-1234"


class Treatment(StrEnum):
    """How the server treats mail to an address."""

    ACCEPT = "accept"
    REFUSE = "refuse"  # 550 at RCPT
    DEFER = "defer"  # 451 at RCPT
    REFUSE_CONTENT = "refuse_content"  # 554 after DATA
    BOUNCE = "bounce"  # accepted, and a bounce is stored for the sender's mailbox


_RECIPIENT_REPLIES = {
    Treatment.REFUSE: "550 5.1.1 No such mailbox",
    Treatment.DEFER: "451 4.2.0 Mailbox busy, try again later",
}


class SmtpMailbox(Vendor):
    """The stored messages, and how each address is treated. Speaks SMTP, not HTTP."""

    key = "mail"

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.messages: list[Json] = []
        self.treatments: dict[str, Treatment] = {}
        self.bounce_url = ""
        self._numbers = itertools.count(1)

    # The SMTP server calls these two methods.

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = _RECIPIENT_REPLIES.get(self._treatment(address))
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients = [str(address) for address in envelope.rcpt_tos]
        if any(self._treatment(recipient) is Treatment.REFUSE_CONTENT for recipient in recipients):
            return "554 5.6.0 Message refused"
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content or "").encode()
        message = self._store_message(str(envelope.mail_from or ""), recipients, raw)
        for recipient in recipients:
            if self._treatment(recipient) is Treatment.BOUNCE:
                self._send_bounce(message, recipient)
        return f"250 2.0.0 Kept as {message['number']}"

    def _treatment(self, address: str) -> Treatment:
        """Look up the treatment by address, then by domain (`@example.com`), then by `*`."""
        name = address.lower()
        domain = f"@{name.rpartition('@')[2]}"
        treatments = self.treatments
        return (
            treatments.get(name)
            or treatments.get(domain)
            or treatments.get("*")
            or Treatment.ACCEPT
        )

    def _store_message(self, sender: str, recipients: list[str], raw: bytes) -> Json:
        parsed = message_from_bytes(raw, policy=policy.default)
        row: Json = {
            "number": next(self._numbers),
            "at": self.clock.now().isoformat(),
            "from": sender,
            "to": recipients,
            "subject": str(parsed.get("Subject", "")),
            "headers": [[name, str(value)] for name, value in parsed.items()],
            "text": _body_part(parsed, "plain"),
            "html": _body_part(parsed, "html"),
            "attachments": [part.get_filename() or "" for part in parsed.iter_attachments()],
            "bytes": len(raw),
        }
        with self.lock:
            self.messages.append(row)
        return row

    def _send_bounce(self, message: Json, address: str) -> None:
        """Store a bounce report for the sender, and post it to `bounce_url` if one is set."""
        lines = [
            "From: MAILER-DAEMON@mailbox.example",
            f"To: {message['from']}",
            "Subject: Undelivered mail returned to sender",
            "Auto-Submitted: auto-replied",
            f"X-Failed-Recipients: {address}",
            "",
            f"{address}: no such mailbox (5.1.1)",
        ]
        report = self._store_message("", [message["from"]], "\r\n".join(lines).encode())
        if self.bounce_url:
            body = f"recipient={address}&report={report['number']}".encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}

            def post_report() -> None:
                send_request("POST", self.bounce_url, body, headers)

            self.clock.schedule_job(1, post_report)

    # The control calls

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "GET", "messages":
                return {"messages": self.messages_to(str(body.get("to", "")))}
            case "DELETE", "messages":
                with self.lock:
                    self.messages.clear()
                return {}
            case "POST", "addresses":
                address = str(body["address"]).lower()
                self.treatments[address] = Treatment(str(body["treatment"]))
                return {"address": address, "treatment": self.treatments[address]}
        raise LookupError("/".join(path))

    def messages_to(self, address: str = "") -> list[Json]:
        """Return stored messages to an address, oldest first; all messages without an address."""
        name = address.lower()
        with self.lock:
            return [
                row
                for row in self.messages
                if not name or name in (recipient.lower() for recipient in row["to"])
            ]

    def state(self) -> Json:
        return {"messages": len(self.messages), "treatments": dict(self.treatments)}

    def load_seed(self, body: Json) -> Json:
        self.bounce_url = str(body.get("bounce_url", self.bounce_url))
        return {"bounce_url": self.bounce_url}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.messages.clear()
            self.treatments.clear()
            self.bounce_url = ""


def _check_credentials(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    """Accept the mailbox's user; signing in is offered, and mail is taken without it, too."""
    is_right = isinstance(data, LoginPassword) and data == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=is_right, handled=False)


def _body_part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


class SmtpListener:
    """The mailbox listening on 127.0.0.1; `port` must be free."""

    def __init__(self, mailbox: SmtpMailbox, port: int) -> None:
        self.port = port
        self._controller = Controller(
            mailbox,
            hostname="127.0.0.1",
            port=port,
            enable_SMTPUTF8=True,
            ident="simulator",
            authenticator=_check_credentials,
            auth_require_tls=False,
        )
        self._controller.start()
        self._stopped = threading.Event()

    def stop(self) -> None:
        if not self._stopped.is_set():
            self._stopped.set()
            self._controller.stop()
