"""IMAP client (RFC 9051) that fetches a mailbox's emails after a given UID.

Nothing in the mailbox is changed. An email is fetched without marking it as read, and only its
first bytes: attached files come after them.
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

MAX_MESSAGE_BYTES = 1024 * 1024 + 1  # of one email; one more byte than a delivery can have
TIMEOUT_SECONDS = 20.0  # seconds of silence
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Security(StrEnum):
    """Encryption of the connection."""

    TLS = "tls"  # from the first byte; port 993
    STARTTLS = "starttls"  # requested after connecting; port 143
    NONE = "none"  # to this machine only


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxLogin:
    """A mailbox's server and credentials."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPosition:
    """The last email read in a folder; a new `validity` means the server renumbered all emails."""

    validity: int
    uid: int


class Folder:
    """One mailbox folder, open for reading."""

    def __init__(self, client: imaplib.IMAP4, validity: int, next_uid: int) -> None:
        self._client = client
        self.validity = validity
        self.end = ReadPosition(validity=validity, uid=next_uid - 1)

    def uids_after(self, place: ReadPosition, day: date) -> list[int]:
        """Return the UIDs of emails after `place`, ascending.

        If the folder has renumbered its emails, return those of `day` and later.
        """
        if place.validity == self.validity:
            # `n:*` includes the last email even when its UID is below n (RFC 9051 section 9).
            uids = self._search(f"UID {place.uid + 1}:*")
            return sorted(uid for uid in uids if uid > place.uid)
        return sorted(self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"))

    def fetch_message(self, uid: int) -> bytes | None:
        """Return the first bytes of an email; None if it was deleted meanwhile."""
        kind, parts = self._client.uid(
            "FETCH", str(uid), f"(UID BODY.PEEK[]<0.{MAX_MESSAGE_BYTES}>)"
        )
        if kind != "OK":
            raise RetryLater("The mailbox did not return an email.")
        bodies = (part[1] for part in parts if isinstance(part, tuple) and b"BODY[]" in part[0])
        raw = next(bodies, None)
        return None if raw is None else bytes(raw[:MAX_MESSAGE_BYTES])

    def _search(self, criteria: str) -> list[int]:
        kind, uid_lists = self._client.uid("SEARCH", *criteria.split(" "))
        if kind != "OK":
            raise RetryLater("The mailbox did not list its emails.")
        return [int(uid) for uid in b" ".join(uids for uids in uid_lists if uids).split()]


@contextmanager
def open_folder(address: MailboxLogin) -> Iterator[Folder]:
    """Open a mailbox's folder. Raises `Misconfigured` or `RetryLater`, which say what to change."""
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
        raise Misconfigured("Choose TLS or STARTTLS: without it the password is sent unencrypted.")
    for text in (address.user, address.password, address.folder):
        if not (text.isascii() and text.isprintable()):  # a line break would begin a command
            raise Misconfigured(
                "User name, password and folder can contain only plain letters, digits and "
                "symbols. If your password has other characters, create an app password."
            )


def _is_local_host(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _explain_errors(address: MailboxLogin) -> Iterator[None]:
    """Translate the standard library's errors into messages that say what to change."""
    where = f"{address.host}, port {address.port},"
    try:
        yield
    except socket.gaierror as problem:
        raise Misconfigured(
            f"No server is named {address.host}. Check the server name."
        ) from problem
    except ssl.SSLCertVerificationError as problem:
        raise Misconfigured(
            f"The certificate of {where} is not trusted. Use the server name your provider gives."
        ) from problem
    except ssl.SSLError as problem:
        raise Misconfigured(
            f"{where} did not answer with TLS. Choose STARTTLS, or use port 993."
        ) from problem
    except ConnectionRefusedError as problem:
        raise Misconfigured(
            f"{where} refused the connection. Check the port; 993 is usual."
        ) from problem
    except imaplib.IMAP4.error as problem:
        is_closed = isinstance(problem, imaplib.IMAP4.abort) or "BYE" in str(problem)
        event = "closed the connection" if is_closed else "sent an answer that is not IMAP"
        raise RetryLater(f"{where} {event}.") from problem
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
            raise Misconfigured(
                f"{address.host} does not support STARTTLS. Choose TLS and port 993."
            )
        client.starttls(context)
    return client


def _log_in(client: imaplib.IMAP4, address: MailboxLogin) -> Folder:
    if "LOGINDISABLED" in client.capabilities:
        raise Misconfigured(
            f"{address.host} does not accept passwords on this connection. Choose TLS."
        )
    try:
        client.login(address.user, address.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as problem:
        raise Misconfigured(
            "The mailbox did not accept this user name and password. If the account uses two-step "
            "sign-in, create an app password at its provider."
        ) from problem
    name = '"' + address.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    kind, _ = client.select(name, readonly=True)
    if kind != "OK":
        raise Misconfigured(
            f"The mailbox has no folder named {address.folder}. INBOX always exists."
        )
    return Folder(
        client, _response_number(client, "UIDVALIDITY"), _response_number(client, "UIDNEXT")
    )


def _response_number(client: imaplib.IMAP4, name: str) -> int:
    _, values = client.response(name)
    if not values or values[-1] is None:
        raise Misconfigured(
            f"The server does not report {name}, so emails could be missed. Use another server."
        )
    return int(values[-1])


def _log_out(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (OSError, imaplib.IMAP4.error):
        client.shutdown()
