"""A mailbox read over IMAP: the part of RFC 9051 that a reader needs, enforced strictly.

LOGIN, SELECT and EXAMINE, UID SEARCH (by UID and SINCE), UID FETCH of (partial) bodies, NOOP,
LOGOUT. Anything else is BAD. Emails are only added, deleted or renumbered.
"""

import base64
import re
import shlex
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rooftree_simulators.vendor_base import Json, SimulatorSetup, Switches, Vendor

USER, PASSWORD = "leads@lindenfield.example", "app-password-1234"
_CAPABILITIES = "IMAP4rev1 IMAP4rev2 UIDPLUS"
_FETCH_ITEMS = re.compile(r"\((?:UID )?BODY\.PEEK\[\](?:<(\d+)\.(\d+)>)?\)")
_UID_RANGE = re.compile(r"(\d+)(?::(\d+|\*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEmail:
    """An email with its UID and the time it arrived."""

    uid: int
    raw: bytes
    at: datetime


class ImapMailbox(Vendor):
    """The inbox, and how the server behaves."""

    key = "imap"

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.reset()

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.letters: list[StoredEmail] = []
            # A new server announces itself: each run has another UIDVALIDITY.
            self.validity, self.next_uid = self.setup.seed, 1
            self.commands: list[str] = []  # names of the commands received
            self.longest_body = 0  # bytes of the longest body sent
            self.switches = Switches({"busy": False, "hangs_up_at": ""})
            self.password = PASSWORD  # the current one

    def add_message(self, raw: bytes) -> int:
        """Add an incoming email; return its UID."""
        with self.lock:
            email = StoredEmail(uid=self.next_uid, raw=raw, at=self.clock.now())
            self.letters.append(email)
            self.next_uid += 1
            return email.uid

    def delete_message(self, uid: int) -> None:
        """Delete an email; its UID is never used again."""
        with self.lock:
            self.letters = [letter for letter in self.letters if letter.uid != uid]

    def renumber_messages(self) -> None:
        """Give all emails new UIDs, as a rebuilt server does (UIDVALIDITY increases)."""
        with self.lock:
            self.validity += 1
            self.letters = [
                StoredEmail(uid=number, raw=email.raw, at=email.at)
                for number, email in enumerate(self.letters, start=1)
            ]
            self.next_uid = len(self.letters) + 1

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "letter":
                return {"uid": self.add_message(base64.b64decode(body["raw"]))}
            case "POST", "renumber":
                self.renumber_messages()
                return {"uidvalidity": self.validity}
            case "POST", "switches":
                return self.switches.update(body)
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {"letters": len(self.letters), "uidvalidity": self.validity}


class _Session(socketserver.StreamRequestHandler):
    """One connection, from the greeting to the logout."""

    server: "_Server"
    timeout = 60

    def handle(self) -> None:
        self.box = self.server.box
        self.is_in = self.is_open = False
        if self.box.switches.values["busy"]:
            self._send_line("* BYE Too many connections, try again later")
            return
        self._send_line(f"* OK [CAPABILITY {_CAPABILITIES}] simulator ready")
        while line := self.rfile.readline(65_536):
            tag, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            name, _, arguments = rest.partition(" ")
            if name.upper() == "UID":
                name, _, arguments = arguments.partition(" ")
                name = f"UID {name}"
            with self.box.lock:
                self.box.commands.append(name.upper())
            if self.box.switches.values["hangs_up_at"] == name.upper():
                return
            if not self._run_command(tag, name.upper(), arguments):
                return

    def _run_command(self, tag: str, name: str, arguments: str) -> bool:
        """Run one command; return False when the connection ends."""
        steps = {
            "CAPABILITY": lambda arguments: "OK CAPABILITY completed",
            "NOOP": lambda arguments: "OK done",
            "LOGIN": self._login,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "UID SEARCH": self._search,
            "UID FETCH": self._fetch,
        }
        if name == "LOGOUT":
            self._send_line("* BYE see you")
            self._send_line(f"{tag} OK LOGOUT completed")
            return False
        if name == "CAPABILITY":
            self._send_line(f"* CAPABILITY {_CAPABILITIES}")
        step = steps.get(name)
        self._send_line(f"{tag} {step(arguments) if step else 'BAD unknown command'}")
        return True

    def _login(self, arguments: str) -> str:
        words = shlex.split(arguments)
        if self.is_in or len(words) != 2:
            return "BAD LOGIN wants a user and a password, once"
        if words != [USER, self.box.password]:
            return "NO [AUTHENTICATIONFAILED] Invalid credentials"
        self.is_in = True
        return "OK LOGIN completed"

    def _select(self, arguments: str) -> str:
        if not self.is_in:
            return "BAD not in the authenticated state"
        if [name.upper() for name in shlex.split(arguments)] != ["INBOX"]:
            return "NO [NONEXISTENT] no such mailbox"
        self.is_open = True
        with self.box.lock:
            self._send_line("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
            self._send_line(f"* {len(self.box.letters)} EXISTS")
            self._send_line(f"* OK [UIDVALIDITY {self.box.validity}] UIDs valid")
            self._send_line(f"* OK [UIDNEXT {self.box.next_uid}] predicted next UID")
        return "OK [READ-ONLY] completed"

    def _search(self, arguments: str) -> str:
        kind, _, criterion = arguments.partition(" ")
        if not self.is_open or kind not in ("UID", "SINCE"):
            return "BAD cannot search so"
        with self.box.lock:
            letters = list(self.box.letters)
        if kind == "UID":
            uids = [
                letter.uid for letter in letters if _is_in_uid_set(criterion, letter.uid, letters)
            ]
        else:
            day = datetime.strptime(f"{criterion} +0000", "%d-%b-%Y %z").date()
            uids = [letter.uid for letter in letters if letter.at.date() >= day]
        self._send_line(" ".join(["* SEARCH", *map(str, uids)]))
        return "OK SEARCH completed"

    def _fetch(self, arguments: str) -> str:
        uid, _, items = arguments.partition(" ")
        match = _FETCH_ITEMS.fullmatch(items)
        if not self.is_open or match is None or not uid.isdigit():
            return "BAD cannot fetch so"
        with self.box.lock:
            numbered = list(enumerate(self.box.letters, start=1))
        for number, email in numbered:
            if email.uid == int(uid):
                begin, most = int(match[1] or 0), int(match[2] or len(email.raw))
                part = f"<{begin}>" if match[1] else ""
                raw = email.raw[begin : begin + most]
                with self.box.lock:
                    self.box.longest_body = max(self.box.longest_body, len(raw))
                head = f"* {number} FETCH (UID {email.uid} BODY[]{part} {{{len(raw)}}}\r\n"
                self.wfile.write(head.encode() + raw + b")\r\n")
        return "OK FETCH completed"  # also for a deleted email: no data and no error

    def _send_line(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _is_in_uid_set(uid_set: str, uid: int, letters: list[StoredEmail]) -> bool:
    """Decide whether a UID is in a set; `n:*` always includes the last email (section 9)."""
    match = _UID_RANGE.fullmatch(uid_set)
    if match is None:
        return False
    last = letters[-1].uid
    ends = [int(match[1]), last if match[2] == "*" else int(match[2] or match[1])]
    return min(ends) <= uid <= max(ends)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    box: ImapMailbox
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its TLS handshake runs in its own thread."""
        connection, address = super().get_request()
        if self.context is None:
            return connection, address
        wrap = self.context.wrap_socket
        return wrap(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a reader that disconnected."""


class ImapListener:
    """The mailbox listening on 127.0.0.1. Port 0 takes a free one; `context` turns TLS on."""

    def __init__(
        self, box: ImapMailbox, port: int, *, context: ssl.SSLContext | None = None
    ) -> None:
        self._server = _Server(("127.0.0.1", port), _Session)
        self._server.box, self._server.context = box, context
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sim-imap", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
