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

from rooftree.capture.parsing.envelope import (
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    Setting,
    SettingKind,
    json_answer,
    quarantined_envelope,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import short_text
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.core import read_html

EMAIL_SETTINGS = (  # what staff may say of whoever sends letters
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
UNSET_ANSWER = Answer(
    status=0
)  # what an adapter answers: `read` puts what the letter's way asks for
SMTP_METHOD_PREFIX = "SMTP"  # how the method of what a mail server hands over begins
MAX_PARTS = 100
MAX_HEADER_LENGTH, MAX_LINE_LENGTH = 10_000, 2_000  # characters
MAX_LINES = 2_000  # labels of one letter
# The standard parser meets hostile letters with any of these.
PARSE_ERRORS = (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError)
_RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
MAX_PART_LENGTH = 400_000  # characters
_METHOD = re.compile(r"^\s*(dkim|spf|dmarc)\s*=\s*(\w+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b((?:header|smtp)\.\w+)\s*=\s*([^\s;]+)")
_SIGNER_PROPERTIES = {  # the properties of a result that its method has proven
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom",),
    "dmarc": ("header.from",),
}
_QUOTED_STRING = re.compile(
    r'\\.|"(?:\\.|[^"\\])*(?:"|$)'
)  # strings: the sender may have worded them
_QUOTE_MARKS = re.compile(r"^(?:\s?>)+ ?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadEmail:
    """One e-mail, opened."""

    reference: str  # Message-ID without its brackets, else a hash of the whole
    sender_domain: str
    sent_at: datetime | None
    is_authentic: bool  # the sender's domain stands behind it
    texts: tuple[str, ...]  # plain parts, quotation marks taken off
    pages: tuple[str, ...]  # HTML parts
    files: tuple[bytes, ...]  # attachments that may be XML


def read_lead_email(incoming: IncomingDelivery, make: Callable[[LeadEmail], Envelope]) -> Envelope:
    """It is what `make` gives for the letter, once the letter is proven. Never raises.

    A forged sender is kept for a person to see, and is read by nobody.
    """
    by_mail = incoming.method.startswith(SMTP_METHOD_PREFIX)
    answer = UNSET_ANSWER if by_mail else json_answer(200, status="kept")
    if incoming.is_too_large():
        status = 0 if by_mail else 413
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", Answer(status=status))
    if not incoming.path_secret_matches():
        status = 0 if by_mail else 403
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_token", Answer(status=status))
    try:
        letter = open_lead_email(incoming)
    except UnreadableBody as error:
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), replace(answer, body=None))
    key = f"email:{letter.reference}"
    if not letter.is_authentic:
        return quarantined_envelope("sender_not_authenticated", answer, key=key)
    if not _is_expected(letter, incoming.endpoint.setup.get("senders")):
        return quarantined_envelope("sender_unknown", answer, key=key)
    return replace(make(letter), http=answer)


def address_tokens(raw: bytes) -> list[str]:
    """What stands between + and @ in the addresses a letter went to, in lower case."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        headers = [
            str(one)[:MAX_HEADER_LENGTH]
            for name in _RECIPIENT_HEADERS
            for one in mail.get_all(name, [])
        ]
    except PARSE_ERRORS:
        return []
    addresses = (address for _, address in getaddresses(headers))
    tokens = (address.rpartition("@")[0].partition("+")[2].lower() for address in addresses)
    return list(dict.fromkeys(filter(None, tokens)))


def open_lead_email(incoming: IncomingDelivery) -> LeadEmail:
    """It is the letter of a delivery. Raises `Unreadable("invalid_mail")`."""
    raw = incoming.masked.body
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        return _parse_message(mail, raw, str(incoming.endpoint.setup.get("mail_server") or ""))
    except PARSE_ERRORS as problem:
        raise UnreadableBody("invalid_mail") from problem


def _parse_message(mail: Message, raw: bytes, server: str) -> LeadEmail:
    sender = parseaddr(str(mail.get("From", ""))[:MAX_HEADER_LENGTH])[1]
    if "@" not in sender:
        raise UnreadableBody("invalid_mail")
    domain = sender.rpartition("@")[2].lower()
    told = (short_text(str(mail.get("Message-ID", "")), limit=250) or "").strip("<> ")
    parts = list(_leaf_parts(mail))
    return LeadEmail(
        reference=told or f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender_domain=domain,
        sent_at=_sent_at(mail),
        is_authentic=_is_authentic(mail, domain, server),
        texts=tuple(
            _QUOTE_MARKS.sub("", _part_text(part))
            for part in parts
            if _is_inline(part, "text/plain")
        ),
        pages=tuple(_part_text(part) for part in parts if _is_inline(part, "text/html")),
        files=tuple(_part_bytes(part) for part in parts if _could_be_xml(part)),
    )


def _leaf_parts(mail: Message) -> Iterator[Message]:
    for nth, part in enumerate(mail.walk()):
        if nth >= MAX_PARTS:
            return
        if not part.is_multipart():
            yield part


def _is_inline(part: Message, kind: str) -> bool:
    return part.get_content_type() == kind and part.get_content_disposition() != "attachment"


def _could_be_xml(part: Message) -> bool:
    name = (part.get_filename() or "").lower()
    return part.get_content_type().endswith("xml") or name.endswith((".xml", ".adf"))


def _part_bytes(part: Message) -> bytes:
    found: Any = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _part_text(part: Message) -> str:
    """The part as text; a charset that lies is replaced by Windows-1252."""
    content = _part_bytes(part)
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return content.decode(charset)[:MAX_PART_LENGTH]
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("cp1252", "replace")[:MAX_PART_LENGTH]


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
        " ".join(str(one)[:MAX_HEADER_LENGTH].split())
        for one in mail.get_all("Authentication-Results", [])
    ]
    ours = [one for one in told if not server or one.lower().startswith(server.lower())]
    return bool(ours) and any(
        _passes_for_domain(one, domain)
        for one in _strip_strings_and_comments(ours[0]).split(";")[1:]
    )


def _strip_strings_and_comments(header: str) -> str:
    """The header without strings and comments, which may hold any words of the sender's."""
    depth, kept = 0, []
    for sign in _QUOTED_STRING.sub("_", header):
        depth = max(0, depth + (sign == "(") - (sign == ")"))
        if depth == 0 and sign != ")":
            kept.append(sign)
    return "".join(kept)


def _passes_for_domain(result: str, domain: str) -> bool:
    method = _METHOD.match(result)
    if method is None or method[2].lower() != "pass":
        return False
    signers = {
        value.rpartition("@")[2].rstrip(".")
        for name, value in _PROPERTY.findall(result.lower())
        if name in _SIGNER_PROPERTIES[method[1].lower()]
    }
    return any(_is_aligned(signer, domain) for signer in signers)


def _is_aligned(signer: str, domain: str) -> bool:
    """Relaxed (RFC 7489 section 3.1): one is the other, or a name below it."""
    return "." in signer and (
        signer == domain or domain.endswith(f".{signer}") or signer.endswith(f".{domain}")
    )


def _is_expected(letter: LeadEmail, senders: Any) -> bool:
    """Whether staff named the domain; none named expects everybody who is proven."""
    named = [str(sender).lower() for sender in senders] if isinstance(senders, list) else []
    return not named or any(_is_aligned(one, letter.sender_domain) for one in named)


def labeled_rows(page: str) -> list[tuple[str, str]]:
    """They are the rows of an HTML letter's tables as label and value, else its labelled lines."""
    tree = read_html.parse_html(page)
    if tree is None:
        return []
    found = []
    for row in tree.xpath("//tr[not(.//tr)]")[:MAX_LINES]:
        cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")]
        if len(cells) >= 2 and cells[0]:
            found.append((cells[0], " ".join(cells[1:]).strip()))
    return found or labeled_lines(str(tree.text_content()))


_LABELED_LINE = re.compile(r"^[\s*•-]*([^:=]{1,60}?)\s*[:=]\s*(.*)$")
_NOT_LABELS = frozenset(
    {"from", "to", "cc", "subject", "sent", "date", "replyto", "http", "https", "mailto"}
)


def labeled_lines(words: str) -> list[tuple[str, str]]:
    """They are the lines "Label: value"; a value may stand on the line below, and go on there."""
    found: list[tuple[str, str]] = []
    is_open = False
    for written in words.splitlines():
        if len(found) >= MAX_LINES:
            break
        line = written.strip()[:MAX_LINE_LENGTH]
        labelled = _LABELED_LINE.match(line)
        if labelled and re.sub(r"\W", "", labelled[1]).lower() not in _NOT_LABELS:
            found.append((labelled[1].strip(), labelled[2].strip()))
            is_open = True
        elif not line:
            is_open = is_open and bool(found) and not found[-1][1]
        elif is_open and not labelled:
            label, value = found[-1]
            found[-1] = (label, f"{value}\n{line}".strip())
    return found
