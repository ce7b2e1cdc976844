"""Reading a mailbox by IMAP (RFC 9051): what came since a letter's number.

Nothing is changed there. A letter is asked for without marking it as read, and its first bytes
only: what comes after them is attached files.
"""

import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from ipaddress import ip_address

from rooftree.core.vendor_errors import Misconfigured, RetryLater

MAX_LETTER_BYTES = 1024 * 1024 + 1  # of one letter; one more than a delivery may have
TIMEOUT_SECONDS = 20.0  # seconds of silence
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Security(StrEnum):
    """How the line is encrypted."""

    TLS = "tls"  # from the first byte; port 993
    STARTTLS = "starttls"  # asked for; port 143
    NONE = "none"  # to this very machine alone


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxLogin:
    """Where a mailbox is, and how one gets in."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPosition:
    """Up to which letter a folder was read. Another `validity` numbers the letters anew."""

    validity: int
    uid: int


class Folder:
    """One folder, open for reading."""

    def __init__(self, client: imaplib.IMAP4, validity: int, next_uid: int) -> None:
        self._client = client
        self.validity = validity
        self.end = ReadPosition(validity=validity, uid=next_uid - 1)

    def uids_after(self, place: ReadPosition, day: date) -> list[int]:
        """The numbers of the letters after `place`; of those of `day` and later where the folder
        numbers its letters anew, ascending."""
        if place.validity == self.validity:
            # `n:*` names the last letter even when it comes before n (RFC 9051 section 9).
            found = self._search(f"UID {place.uid + 1}:*")
            return sorted(uid for uid in found if uid > place.uid)
        return sorted(self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"))

    def fetch_letter(self, uid: int) -> bytes | None:
        """The first bytes of a letter; None when somebody has deleted it since."""
        kind, parts = self._client.uid(
            "FETCH", str(uid), f"(UID BODY.PEEK[]<0.{MAX_LETTER_BYTES}>)"
        )
        if kind != "OK":
            raise RetryLater("The mailbox did not give out a letter.")
        found = (part[1] for part in parts if isinstance(part, tuple) and b"BODY[]" in part[0])
        raw = next(found, None)
        return None if raw is None else bytes(raw[:MAX_LETTER_BYTES])

    def _search(self, wanted: str) -> list[int]:
        kind, found = self._client.uid("SEARCH", *wanted.split(" "))
        if kind != "OK":
            raise RetryLater("The mailbox did not say which letters it has.")
        return [int(one) for one in b" ".join(one for one in found if one).split()]


@contextmanager
def open_folder(address: MailboxLogin) -> Iterator[Folder]:
    """Open the folder of a mailbox. Raises `Misconfigured` or `TryLater`, with what to change."""
    _check_login(address)
    with _explain_errors(address):
        client = _connect(address)
    try:
        with _explain_errors(address):
            yield _log_in(client, address)
    finally:
        _log_out(client)


def _check_login(address: MailboxLogin) -> None:
    if address.security is Security.NONE and not _is_local_host(address.host):
        raise Misconfigured("Choose an encrypted line: the password would go in the clear.")
    for said in (address.user, address.password, address.folder):
        if not (said.isascii() and said.isprintable()):  # a line break would begin a command
            raise Misconfigured(
                "User name, password and folder can have plain letters, digits and signs alone: "
                "with others in a password, make an app password."
            )


def _is_local_host(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _explain_errors(address: MailboxLogin) -> Iterator[None]:
    """Say what the standard library's errors mean, and what to change."""
    where = f"{address.host}, port {address.port},"
    try:
        yield
    except socket.gaierror as problem:
        raise Misconfigured(
            f"No server answers to the name {address.host}: check the name."
        ) from problem
    except ssl.SSLCertVerificationError as problem:
        raise Misconfigured(
            f"The certificate of {where} cannot be trusted: use the name your provider gives."
        ) from problem
    except ssl.SSLError as problem:
        raise Misconfigured(
            f"{where} does not speak TLS at once: choose STARTTLS, or port 993."
        ) from problem
    except ConnectionRefusedError as problem:
        raise Misconfigured(
            f"{where} takes no connections: check the port; 993 is usual."
        ) from problem
    except imaplib.IMAP4.error as problem:
        has_left = isinstance(problem, imaplib.IMAP4.abort) or "BYE" in str(problem)
        said = "hung up" if has_left else "said something that is no IMAP"
        raise RetryLater(f"{where} {said}.") from problem
    except OSError as problem:
        raise RetryLater(f"{where} does not answer.") from problem


def _connect(address: MailboxLogin) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    host, port = address.host, address.port
    if address.security is Security.TLS:
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_SECONDS)
    client = imaplib.IMAP4(host, port, timeout=TIMEOUT_SECONDS)
    if address.security is Security.STARTTLS:
        if "STARTTLS" not in client.capabilities:
            _log_out(client)
            raise Misconfigured(f"{address.host} offers no STARTTLS: choose TLS and port 993.")
        client.starttls(context)
    return client


def _log_in(client: imaplib.IMAP4, address: MailboxLogin) -> Folder:
    if "LOGINDISABLED" in client.capabilities:
        raise Misconfigured(f"{address.host} takes no password on this line: choose TLS.")
    try:
        client.login(address.user, address.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as problem:
        raise Misconfigured(
            "The mailbox does not accept this user name and password. With a two-step sign-in "
            "it wants an app password, which its provider makes for you."
        ) from problem
    name = '"' + address.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    kind, _ = client.select(name, readonly=True)
    if kind != "OK":
        raise Misconfigured(f"The mailbox has no folder {address.folder}: INBOX is always there.")
    return Folder(
        client, _response_number(client, "UIDVALIDITY"), _response_number(client, "UIDNEXT")
    )


def _response_number(client: imaplib.IMAP4, name: str) -> int:
    _, told = client.response(name)
    if not told or told[-1] is None:
        raise Misconfigured(f"The server tells no {name}: it cannot be read without gaps.")
    return int(told[-1])


def _log_out(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (OSError, imaplib.IMAP4.error):
        client.shutdown()
