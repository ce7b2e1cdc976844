"""A mailbox read over IMAP: the part of RFC 9051 that readers use, enforced strictly.

Signing in, LIST, STATUS, SELECT and EXAMINE, SEARCH, FETCH and STORE by number and by UID, EXPUNGE,
CLOSE, NOOP, LOGOUT. Anything else is BAD, by its name.
"""

import base64
import binascii
import shlex
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from typing import Any

from rooftree_simulators import imap_messages
from rooftree_simulators.imap_messages import BadCommand, NumberedEmail, StoredEmail
from rooftree_simulators.vendor_base import Json, SimulatorSetup, Switches, Vendor

USER, PASSWORD = "leads@lindenfield.example", "app-password-1234"
_CAPABILITIES = "IMAP4rev1 IMAP4rev2 UIDPLUS AUTH=PLAIN"
_FLAGS = "(\\Answered \\Flagged \\Deleted \\Seen \\Draft)"


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
            self.flags: dict[int, frozenset[str]] = {}  # by UID
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
            self.flags = {}
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
        self.is_in = self.is_open = self.is_writable = False
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
        if name == "LOGOUT":
            self._send_line("* BYE see you")
            self._send_line(f"{tag} OK LOGOUT completed")
            return False
        step = {**self._session_steps(), **self._mailbox_steps()}.get(name)
        try:
            answer = step(arguments) if step else f"BAD {name} isn't supported"
        except BadCommand as problem:
            answer = f"BAD {problem}"
        self._send_line(f"{tag} {answer}")
        return True

    def _session_steps(self) -> dict[str, Callable[[str], str]]:
        return {
            "CAPABILITY": self._show_capabilities,
            "NOOP": lambda _: "OK done",
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "LIST": self._list,
            "STATUS": self._show_status,
            "SELECT": lambda arguments: self._select(arguments, is_writable=True),
            "EXAMINE": self._select,
        }

    def _mailbox_steps(self) -> dict[str, Callable[[str], str]]:
        """Return the commands that want a selected mailbox."""
        if not self.is_open:
            names = ("SEARCH", "FETCH", "STORE", "UID SEARCH", "UID FETCH", "UID STORE")
            closed = (*names, "EXPUNGE", "CLOSE", "UNSELECT", "CHECK")
            return {name: lambda _: "BAD no mailbox is selected" for name in closed}
        return {
            "SEARCH": self._search,
            "UID SEARCH": lambda arguments: self._search(arguments, by_uid=True),
            "FETCH": self._fetch,
            "UID FETCH": lambda arguments: self._fetch(arguments, by_uid=True),
            "STORE": self._store,
            "UID STORE": lambda arguments: self._store(arguments, by_uid=True),
            "EXPUNGE": lambda _: self._expunge(),
            "CHECK": lambda _: "OK CHECK completed",
            "CLOSE": lambda _: self._close(is_expunged=True),
            "UNSELECT": lambda _: self._close(is_expunged=False),
        }

    def _show_capabilities(self, _: str) -> str:
        self._send_line(f"* CAPABILITY {_CAPABILITIES}")
        return "OK CAPABILITY completed"

    def _login(self, arguments: str) -> str:
        words = shlex.split(arguments)
        if self.is_in or len(words) != 2:
            return "BAD LOGIN wants a user and a password, once"
        if words != [USER, self.box.password]:
            return "NO [AUTHENTICATIONFAILED] Invalid credentials"
        self.is_in = True
        return "OK LOGIN completed"

    def _authenticate(self, arguments: str) -> str:
        """Sign in by PLAIN (RFC 4616): one line of user and password in base64."""
        kind, _, first = arguments.partition(" ")
        if self.is_in or kind.upper() != "PLAIN":
            return "NO AUTHENTICATE knows PLAIN only, once"
        if not first:
            self._send_line("+ ")
            first = self.rfile.readline(8192).decode("ascii", "replace").strip()
        try:
            _, user, password = base64.b64decode(first, validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            return "BAD not a PLAIN response"
        if (user, password) != (USER, self.box.password):
            return "NO [AUTHENTICATIONFAILED] Invalid credentials"
        self.is_in = True
        return "OK AUTHENTICATE completed"

    def _list(self, _: str) -> str:
        if not self.is_in:
            return "BAD not in the authenticated state"
        self._send_line('* LIST (\\HasNoChildren) "/" INBOX')
        return "OK LIST completed"

    def _show_status(self, arguments: str) -> str:
        name, _, items = arguments.partition(" ")
        if not self.is_in or name.strip('"').upper() != "INBOX":
            return "NO [NONEXISTENT] no such mailbox"
        rows = self._rows()
        known = {
            "MESSAGES": len(rows),
            "RECENT": 0,
            "UIDNEXT": self.box.next_uid,
            "UIDVALIDITY": self.box.validity,
            "UNSEEN": sum("\\Seen" not in row.flags for row in rows),
        }
        wanted = items.strip("()").upper().split()
        if unknown := [item for item in wanted if item not in known]:
            raise BadCommand(f"STATUS {unknown[0]} isn't supported")
        shown = " ".join(f"{item} {known[item]}" for item in wanted)
        self._send_line(f"* STATUS INBOX ({shown})")
        return "OK STATUS completed"

    def _select(self, arguments: str, *, is_writable: bool = False) -> str:
        if not self.is_in:
            return "BAD not in the authenticated state"
        if [name.upper() for name in shlex.split(arguments)] != ["INBOX"]:
            return "NO [NONEXISTENT] no such mailbox"
        self.is_open, self.is_writable = True, is_writable
        with self.box.lock:
            self._send_line(f"* FLAGS {_FLAGS}")
            self._send_line(f"* {len(self.box.letters)} EXISTS")
            self._send_line(f"* OK [UIDVALIDITY {self.box.validity}] UIDs valid")
            self._send_line(f"* OK [UIDNEXT {self.box.next_uid}] predicted next UID")
        return f"OK [{'READ-WRITE' if is_writable else 'READ-ONLY'}] completed"

    def _rows(self) -> list[NumberedEmail]:
        with self.box.lock:
            return [
                NumberedEmail(
                    number=number, email=email, flags=self.box.flags.get(email.uid, frozenset())
                )
                for number, email in enumerate(self.box.letters, start=1)
            ]

    def _rows_in(self, numbers: str, *, by_uid: bool) -> list[NumberedEmail]:
        rows = self._rows()
        last = (rows[-1].email.uid if by_uid else len(rows)) if rows else 0
        return [
            row
            for row in rows
            if imap_messages.is_in_set(numbers, row.email.uid if by_uid else row.number, last)
        ]

    def _search(self, arguments: str, *, by_uid: bool = False) -> str:
        found = imap_messages.search_emails(arguments, self._rows())
        numbers = [row.email.uid if by_uid else row.number for row in found]
        self._send_line(" ".join(["* SEARCH", *map(str, numbers)]))
        return "OK SEARCH completed"

    def _fetch(self, arguments: str, *, by_uid: bool = False) -> str:
        numbers, _, items = arguments.partition(" ")
        if by_uid and "UID" not in items.upper().replace("(", " ").split():
            items = f"(UID {items.strip().removeprefix('(').removesuffix(')')})"
        for row in self._rows_in(numbers, by_uid=by_uid):
            fetched = imap_messages.fetch_items(items, row)
            with self.box.lock:
                self.box.longest_body = max(self.box.longest_body, fetched.longest)
                if fetched.is_seen and self.is_writable:
                    self.box.flags[row.email.uid] = row.flags | {"\\Seen"}
            self.wfile.write(f"* {row.number} FETCH (".encode() + fetched.content + b")\r\n")
        return "OK FETCH completed"  # also for a deleted email: no data and no error

    def _store(self, arguments: str, *, by_uid: bool = False) -> str:
        numbers, _, rest = arguments.partition(" ")
        action, _, flags = rest.partition(" ")
        name = action.upper().removesuffix(".SILENT")
        if name not in ("FLAGS", "+FLAGS", "-FLAGS"):
            raise BadCommand(f"STORE {action[:20]} isn't supported")
        if not self.is_writable:
            return "NO [READ-ONLY] the mailbox is examined"
        given = frozenset(flags.strip("()").split())
        for row in self._rows_in(numbers, by_uid=by_uid):
            changed = {"FLAGS": given, "+FLAGS": row.flags | given, "-FLAGS": row.flags - given}
            with self.box.lock:
                self.box.flags[row.email.uid] = changed[name]
            if not action.upper().endswith(".SILENT"):
                self._send_line(f"* {row.number} FETCH (FLAGS ({' '.join(sorted(changed[name]))}))")
        return "OK STORE completed"

    def _expunge(self) -> str:
        if not self.is_writable:
            return "NO [READ-ONLY] the mailbox is examined"
        removed = [row for row in self._rows() if "\\Deleted" in row.flags]
        for row in reversed(removed):
            self.box.delete_message(row.email.uid)
            self._send_line(f"* {row.number} EXPUNGE")
        return "OK EXPUNGE completed"

    def _close(self, *, is_expunged: bool) -> str:
        if is_expunged and self.is_writable:
            for row in self._rows():
                if "\\Deleted" in row.flags:
                    self.box.delete_message(row.email.uid)
        self.is_open = self.is_writable = False
        return "OK CLOSE completed"

    def _send_line(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


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
