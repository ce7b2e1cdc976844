"""A lead that comes as an e-mail: who really sent it, and what stands in it."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from typing import Any

from rooftree.capture.envelope import (
    Answer,
    Envelope,
    Incoming,
    Outcome,
    Setting,
    SettingKind,
    json_answer,
    quarantined,
    refused,
)
from rooftree.capture.normalise import text
from rooftree.capture.wire import Unreadable
from rooftree.core import read_html

OF_LETTERS = (  # what staff may say of whoever sends letters
    Setting(
        key="senders",
        label="Domains it comes from",
        help="As vendor.com, one a line. Empty: any that is proven",
        kind=SettingKind.LINES,
    ),
    Setting(
        key="mail_server",
        label="Name of your mail server",
        help="As its Authentication-Results header begins. Empty: the topmost such header",
    ),
)
UNSAID = Answer(status=0)  # what an adapter answers: `read` puts what the letter's way asks for
BY_MAIL = "SMTP"  # how the method of what a mail server hands over begins
MOST_PARTS = 100
LONGEST_HEADER, LONGEST_LINE = 10_000, 2_000  # characters
MOST_LINES = 2_000  # labels of one letter
# The standard parser meets hostile letters with any of these.
UNREADABLE = (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError)
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
LONGEST_PART = 400_000  # characters
_METHOD = re.compile(r"^\s*(dkim|spf|dmarc)\s*=\s*(\w+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b((?:header|smtp)\.\w+)\s*=\s*([^\s;]+)")
_SIGNERS = {  # the properties of a result that its method has proven
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom",),
    "dmarc": ("header.from",),
}
_WORDED = re.compile(r'\\.|"(?:\\.|[^"\\])*(?:"|$)')  # strings: the sender may have worded them
_QUOTED = re.compile(r"^(?:\s?>)+ ?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One e-mail, opened."""

    reference: str  # Message-ID without its brackets, else a hash of the whole
    sender_domain: str
    sent_at: datetime | None
    is_authentic: bool  # the sender's domain stands behind it
    texts: tuple[str, ...]  # plain parts, quotation marks taken off
    pages: tuple[str, ...]  # HTML parts
    files: tuple[bytes, ...]  # attachments that may be XML


def read(incoming: Incoming, make: Callable[[Letter], Envelope]) -> Envelope:
    """It is what `make` gives for the letter, once the letter is proven. Never raises.

    A forged sender is kept for a person to see, and is read by nobody.
    """
    by_mail = incoming.method.startswith(BY_MAIL)
    answer = UNSAID if by_mail else json_answer(200, status="kept")
    if incoming.is_too_large():
        status = 0 if by_mail else 413
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", Answer(status=status))
    if not incoming.path_secret_matches():
        status = 0 if by_mail else 403
        return refused(Outcome.REJECTED_AUTH, "bad_token", Answer(status=status))
    try:
        letter = opened(incoming)
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), replace(answer, body=None))
    key = f"email:{letter.reference}"
    if not letter.is_authentic:
        return quarantined("sender_not_authenticated", answer, key=key)
    if not _is_expected(letter, incoming.endpoint.setup.get("senders")):
        return quarantined("sender_unknown", answer, key=key)
    return replace(make(letter), http=answer)


def tokens_in(raw: bytes) -> list[str]:
    """What stands between + and @ in the addresses a letter went to, in lower case."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        headers = [str(one)[:LONGEST_HEADER] for name in _TO for one in mail.get_all(name, [])]
    except UNREADABLE:
        return []
    addresses = (address for _, address in getaddresses(headers))
    tokens = (one.rpartition("@")[0].partition("+")[2].lower() for one in addresses)
    return list(dict.fromkeys(filter(None, tokens)))


def opened(incoming: Incoming) -> Letter:
    """It is the letter of a delivery. Raises `Unreadable("invalid_mail")`."""
    raw = incoming.masked.body
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        return _letter(mail, raw, str(incoming.endpoint.setup.get("mail_server") or ""))
    except UNREADABLE as problem:
        raise Unreadable("invalid_mail") from problem


def _letter(mail: Message, raw: bytes, server: str) -> Letter:
    sender = parseaddr(str(mail.get("From", ""))[:LONGEST_HEADER])[1]
    if "@" not in sender:
        raise Unreadable("invalid_mail")
    domain = sender.rpartition("@")[2].lower()
    told = (text(str(mail.get("Message-ID", "")), limit=250) or "").strip("<> ")
    parts = list(_parts(mail))
    return Letter(
        reference=told or f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender_domain=domain,
        sent_at=_sent_at(mail),
        is_authentic=_is_authentic(mail, domain, server),
        texts=tuple(_QUOTED.sub("", _words(one)) for one in parts if _is(one, "text/plain")),
        pages=tuple(_words(one) for one in parts if _is(one, "text/html")),
        files=tuple(_bytes(one) for one in parts if _may_be_xml(one)),
    )


def _parts(mail: Message) -> Iterator[Message]:
    for nth, part in enumerate(mail.walk()):
        if nth >= MOST_PARTS:
            return
        if not part.is_multipart():
            yield part


def _is(part: Message, kind: str) -> bool:
    return part.get_content_type() == kind and part.get_content_disposition() != "attachment"


def _may_be_xml(part: Message) -> bool:
    name = (part.get_filename() or "").lower()
    return part.get_content_type().endswith("xml") or name.endswith((".xml", ".adf"))


def _bytes(part: Message) -> bytes:
    found: Any = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _words(part: Message) -> str:
    """The part as text; a charset that lies is replaced by Windows-1252."""
    content = _bytes(part)
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return content.decode(charset)[:LONGEST_PART]
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("cp1252", "replace")[:LONGEST_PART]


def _sent_at(mail: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(mail.get("Date", ""))[:100])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _is_authentic(mail: Message, domain: str, server: str) -> bool:
    """An aligned DKIM, SPF or DMARC pass, by the word of our own mail server and no other.

    Ours stands first: what a sender put there before stands below it (RFC 8601 section 5).
    """
    told = [
        " ".join(str(one)[:LONGEST_HEADER].split())
        for one in mail.get_all("Authentication-Results", [])
    ]
    ours = [one for one in told if not server or one.lower().startswith(server.lower())]
    return bool(ours) and any(_vouches(one, domain) for one in _bare(ours[0]).split(";")[1:])


def _bare(header: str) -> str:
    """The header without strings and comments, which may hold any words of the sender's."""
    depth, kept = 0, []
    for sign in _WORDED.sub("_", header):
        depth = max(0, depth + (sign == "(") - (sign == ")"))
        if depth == 0 and sign != ")":
            kept.append(sign)
    return "".join(kept)


def _vouches(result: str, domain: str) -> bool:
    method = _METHOD.match(result)
    if method is None or method[2].lower() != "pass":
        return False
    signers = {
        value.rpartition("@")[2].rstrip(".")
        for name, value in _PROPERTY.findall(result.lower())
        if name in _SIGNERS[method[1].lower()]
    }
    return any(_aligned(one, domain) for one in signers)


def _aligned(signer: str, domain: str) -> bool:
    """Relaxed (RFC 7489 section 3.1): one is the other, or a name below it."""
    return "." in signer and (
        signer == domain or domain.endswith(f".{signer}") or signer.endswith(f".{domain}")
    )


def _is_expected(letter: Letter, senders: Any) -> bool:
    """Whether staff named the domain; none named expects everybody who is proven."""
    named = [str(one).lower() for one in senders] if isinstance(senders, list) else []
    return not named or any(_aligned(one, letter.sender_domain) for one in named)


def rows_of(page: str) -> list[tuple[str, str]]:
    """They are the rows of an HTML letter's tables as label and value, else its labelled lines."""
    tree = read_html.tree_of(page)
    if tree is None:
        return []
    found = []
    for row in tree.xpath("//tr[not(.//tr)]")[:MOST_LINES]:
        cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")]
        if len(cells) >= 2 and cells[0]:
            found.append((cells[0], " ".join(cells[1:]).strip()))
    return found or lines_of(str(tree.text_content()))


_LABELLED = re.compile(r"^[\s*•-]*([^:=]{1,60}?)\s*[:=]\s*(.*)$")
_HEADERS = frozenset(
    {"from", "to", "cc", "subject", "sent", "date", "replyto", "http", "https", "mailto"}
)


def lines_of(words: str) -> list[tuple[str, str]]:
    """They are the lines "Label: value"; a value may stand on the line below, and go on there."""
    found: list[tuple[str, str]] = []
    is_open = False
    for written in words.splitlines():
        if len(found) >= MOST_LINES:
            break
        line = written.strip()[:LONGEST_LINE]
        labelled = _LABELLED.match(line)
        if labelled and re.sub(r"\W", "", labelled[1]).lower() not in _HEADERS:
            found.append((labelled[1].strip(), labelled[2].strip()))
            is_open = True
        elif not line:
            is_open = is_open and bool(found) and not found[-1][1]
        elif is_open and not labelled:
            label, value = found[-1]
            found[-1] = (label, f"{value}\n{line}".strip())
    return found
