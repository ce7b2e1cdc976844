"""A mailbox read by IMAP: as much of RFC 9051 as a reader needs, and strict about it.

LOGIN, SELECT and EXAMINE, UID SEARCH (by UID and SINCE), UID FETCH of (partial) bodies, NOOP,
LOGOUT. Anything else is BAD. Letters are only ever added, deleted, or numbered anew.
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
    """A letter with its number and the day it came."""

    uid: int
    raw: bytes
    at: datetime


class ImapMailbox(Vendor):
    """What stands in the inbox, and how the server behaves today."""

    key = "imap"

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.reset()

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.letters: list[StoredEmail] = []
            # A server that was set up anew says so: another run, another UIDVALIDITY.
            self.validity, self.next_uid = self.setup.seed, 1
            self.asked: list[str] = []  # commands, by their names
            self.switches = Switches({"busy": False, "hangs_up_at": ""})
            self.password = PASSWORD  # as it is today

    def add_message(self, raw: bytes) -> int:
        """A letter comes in; its UID."""
        with self.lock:
            kept = StoredEmail(uid=self.next_uid, raw=raw, at=self.clock.now())
            self.letters.append(kept)
            self.next_uid += 1
            return kept.uid

    def delete_message(self, uid: int) -> None:
        """Somebody deletes a letter; its number is never given again."""
        with self.lock:
            self.letters = [letter for letter in self.letters if letter.uid != uid]

    def renumber_messages(self) -> None:
        """The server was rebuilt: the same letters under new numbers (UIDVALIDITY grows)."""
        with self.lock:
            self.validity += 1
            self.letters = [
                StoredEmail(uid=number, raw=one.raw, at=one.at)
                for number, one in enumerate(self.letters, start=1)
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
    """One connection, from the greeting to the end."""

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
            name, _, told = rest.partition(" ")
            if name.upper() == "UID":
                name, _, told = told.partition(" ")
                name = f"UID {name}"
            with self.box.lock:
                self.box.asked.append(name.upper())
            if self.box.switches.values["hangs_up_at"] == name.upper():
                return
            if not self._run_command(tag, name.upper(), told):
                return

    def _run_command(self, tag: str, name: str, told: str) -> bool:
        """Carry out one command; False when the connection ends."""
        steps = {
            "CAPABILITY": self._capability,
            "NOOP": lambda told: "OK done",
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
        step = steps.get(name)
        self._send_line(f"{tag} {step(told) if step else 'BAD unknown command'}")
        return True

    def _capability(self, told: str) -> str:
        self._send_line(f"* CAPABILITY {_CAPABILITIES}")
        return "OK CAPABILITY completed"

    def _login(self, told: str) -> str:
        words = shlex.split(told)
        if self.is_in or len(words) != 2:
            return "BAD LOGIN wants a user and a password, once"
        if words != [USER, self.box.password]:
            return "NO [AUTHENTICATIONFAILED] Invalid credentials"
        self.is_in = True
        return "OK LOGIN completed"

    def _select(self, told: str) -> str:
        if not self.is_in:
            return "BAD not in the authenticated state"
        if [one.upper() for one in shlex.split(told)] != ["INBOX"]:
            return "NO [NONEXISTENT] no such mailbox"
        self.is_open = True
        with self.box.lock:
            self._send_line("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
            self._send_line(f"* {len(self.box.letters)} EXISTS")
            self._send_line(f"* OK [UIDVALIDITY {self.box.validity}] UIDs valid")
            self._send_line(f"* OK [UIDNEXT {self.box.next_uid}] predicted next UID")
        return "OK [READ-ONLY] completed"

    def _search(self, told: str) -> str:
        kind, _, what = told.partition(" ")
        if not self.is_open or kind not in ("UID", "SINCE"):
            return "BAD cannot search so"
        with self.box.lock:
            letters = list(self.box.letters)
        if kind == "UID":
            found = [letter.uid for letter in letters if _is_in_uid_set(what, letter.uid, letters)]
        else:
            day = datetime.strptime(f"{what} +0000", "%d-%b-%Y %z").date()
            found = [letter.uid for letter in letters if letter.at.date() >= day]
        self._send_line(" ".join(["* SEARCH", *map(str, found)]))
        return "OK SEARCH completed"

    def _fetch(self, told: str) -> str:
        uid, _, items = told.partition(" ")
        wanted = _FETCH_ITEMS.fullmatch(items)
        if not self.is_open or wanted is None or not uid.isdigit():
            return "BAD cannot fetch so"
        with self.box.lock:
            numbered = list(enumerate(self.box.letters, start=1))
        for number, one in numbered:
            if one.uid == int(uid):
                begin, most = int(wanted[1] or 0), int(wanted[2] or len(one.raw))
                part = f"<{begin}>" if wanted[1] else ""
                raw = one.raw[begin : begin + most]
                head = f"* {number} FETCH (UID {one.uid} BODY[]{part} {{{len(raw)}}}\r\n"
                self.wfile.write(head.encode() + raw + b")\r\n")
        return "OK FETCH completed"  # of a letter that is gone: nothing, and no error

    def _send_line(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _is_in_uid_set(wanted: str, uid: int, letters: list[StoredEmail]) -> bool:
    """Whether a UID is in a set; `n:*` always takes in the last letter (section 9)."""
    found = _UID_RANGE.fullmatch(wanted)
    if found is None:
        return False
    last = letters[-1].uid
    ends = [int(found[1]), last if found[2] == "*" else int(found[2] or found[1])]
    return min(ends) <= uid <= max(ends)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    box: ImapMailbox
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection; its TLS is agreed on in its own thread."""
        came, address = super().get_request()
        if self.context is None:
            return came, address
        wrap = self.context.wrap_socket
        return wrap(came, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that went away is not news."""


class ImapListener:
    """The mailbox listening on 127.0.0.1; port 0 takes a free one, `context` speaks TLS."""

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
