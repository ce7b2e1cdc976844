"""Parser for lead emails: verifies the sender and extracts labels and values."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import islice
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
from rooftree.core.email_addresses import find_addresses, find_sender_address

EMAIL_SETTINGS = (  # settings staff can enter for an email source
    Setting(
        key="senders",
        label="Allowed sender domains",
        help="Such as vendor.com, one per line. Empty: any authenticated sender",
        kind=SettingKind.LINES,
    ),
    Setting(
        key="mail_server",
        label="Your mail server name",
        help="The name its Authentication-Results header starts with. Empty: the topmost header",
    ),
)
# Adapters answer with this; `read_lead_email` replaces it with the answer for the transport.
UNSET_ANSWER = Answer(status=0)
SMTP_METHOD_PREFIX = "SMTP"  # prefix of `IncomingDelivery.method` for mail server deliveries
MAX_PARTS = 100
MAX_HEADER_LENGTH, MAX_LINE_LENGTH = 10_000, 2_000  # characters
MAX_LINES = 2_000  # labels of one email
# The standard parser raises any of these on hostile emails.
PARSE_ERRORS = (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError)
_RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
MAX_PART_LENGTH = 400_000  # characters
_METHOD = re.compile(r"^\s*(dkim|spf|dmarc)\s*=\s*(\w+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b((?:header|smtp)\.\w+)\s*=\s*([^\s;]+)")
_SIGNER_PROPERTIES = {  # result properties that each method has verified
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom",),
    "dmarc": ("header.from",),
}
_QUOTED_STRING = re.compile(r'\\.|"(?:\\.|[^"\\])*(?:"|$)')  # the sender may control its text
_QUOTE_MARKS = re.compile(r"^(?:\s?>)+ ?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadEmail:
    """One parsed lead email."""

    reference: str  # Message-ID without brackets, else a hash of the raw message
    sender_domain: str
    subject: str
    reply_to: str  # "" where replies go to the sender's own domain
    sent_at: datetime | None
    is_authentic: bool  # an aligned DKIM, SPF or DMARC pass for the sender's domain
    text_parts: tuple[str, ...]  # plain-text parts without quote marks
    html_parts: tuple[str, ...]  # HTML parts
    xml_files: tuple[bytes, ...]  # attachments that could be XML


def read_lead_email(incoming: IncomingDelivery, make: Callable[[LeadEmail], Envelope]) -> Envelope:
    """Verify an email and pass it to `make`; return the envelope. Never raises.

    An email with a forged sender is quarantined for staff and is not parsed.
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
        email = open_lead_email(incoming)
    except UnreadableBody as error:
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), replace(answer, body=None))
    key = f"email:{email.reference}"
    if not email.is_authentic:
        return quarantined_envelope("sender_not_authenticated", answer, key=key)
    if not _is_expected(email, incoming.endpoint.setup.get("senders")):
        return quarantined_envelope("sender_unknown", answer, key=key)
    return replace(make(email), http=answer)


def address_tokens(raw: bytes) -> list[str]:
    """Return the part between + and @ of each recipient address, lower-cased, no duplicates."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        headers = [str(header) for name in _RECIPIENT_HEADERS for header in mail.get_all(name, [])]
    except PARSE_ERRORS:
        return []
    addresses = (address for header in headers for address in find_addresses(header))
    tokens = (address.rpartition("@")[0].partition("+")[2].lower() for address in addresses)
    return list(dict.fromkeys(filter(None, tokens)))


def open_lead_email(incoming: IncomingDelivery) -> LeadEmail:
    """Parse the email of a delivery. Raises `UnreadableBody("invalid_mail")`."""
    raw = incoming.masked.body
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        return _parse_message(mail, raw, str(incoming.endpoint.setup.get("mail_server") or ""))
    except PARSE_ERRORS as error:
        raise UnreadableBody("invalid_mail") from error


def _parse_message(mail: Message, raw: bytes, server: str) -> LeadEmail:
    sender = find_sender_address(str(mail.get("From", "")))
    if "@" not in sender:
        raise UnreadableBody("invalid_mail")
    domain = sender.rpartition("@")[2].lower()
    reply_to = find_sender_address(str(mail.get("Reply-To", "")))
    message_id = (short_text(str(mail.get("Message-ID", "")), limit=250) or "").strip("<> ")
    parts = [part for part in islice(mail.walk(), MAX_PARTS) if not part.is_multipart()]
    return LeadEmail(
        reference=message_id or f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender_domain=domain,
        subject=_decoded_subject(mail),
        reply_to="" if reply_to.rpartition("@")[2].lower() == domain else reply_to,
        sent_at=_sent_at(mail),
        is_authentic=_is_authentic(mail, domain, server),
        text_parts=tuple(
            _QUOTE_MARKS.sub("", _part_text(part))
            for part in parts
            if _is_inline(part, "text/plain")
        ),
        html_parts=tuple(_part_text(part) for part in parts if _is_inline(part, "text/html")),
        xml_files=tuple(
            _part_bytes(part)
            for part in parts
            if part.get_content_type().endswith("xml")
            or (part.get_filename() or "").lower().endswith((".xml", ".adf"))
        ),
    )


def _decoded_subject(mail: Message) -> str:
    written = str(mail.get("Subject", ""))[:MAX_LINE_LENGTH]
    try:
        return str(make_header(decode_header(written)))
    except PARSE_ERRORS:
        return written


def _is_inline(part: Message, kind: str) -> bool:
    return part.get_content_type() == kind and part.get_content_disposition() != "attachment"


def _part_bytes(part: Message) -> bytes:
    payload: Any = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _part_text(part: Message) -> str:
    """Decode a part by its charset, then UTF-8, then Windows-1252."""
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
    """Look for an aligned DKIM, SPF or DMARC pass in our own mail server's header.

    Our server's header comes first: any header a sender added comes below it (RFC 8601
    section 5).
    """
    headers = [
        " ".join(str(header)[:MAX_HEADER_LENGTH].split())
        for header in mail.get_all("Authentication-Results", [])
    ]
    own_headers = [
        header for header in headers if not server or header.lower().startswith(server.lower())
    ]
    return bool(own_headers) and any(
        _passes_for_domain(result, domain)
        for result in _strip_strings_and_comments(own_headers[0]).split(";")[1:]
    )


def _strip_strings_and_comments(header: str) -> str:
    """Remove quoted strings and comments, whose text the sender may control."""
    depth, kept_characters = 0, []
    for character in _QUOTED_STRING.sub("_", header):
        depth = max(0, depth + (character == "(") - (character == ")"))
        if depth == 0 and character != ")":
            kept_characters.append(character)
    return "".join(kept_characters)


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
    """Compare domains, relaxed (RFC 7489 section 3.1): equal, or one below the other."""
    return "." in signer and (
        signer == domain or domain.endswith(f".{signer}") or signer.endswith(f".{domain}")
    )


def _is_expected(email: LeadEmail, senders: Any) -> bool:
    """Tell whether staff allow the sender's domain; an empty list allows every domain."""
    allowed = [str(sender).lower() for sender in senders] if isinstance(senders, list) else []
    return not allowed or any(
        _is_aligned(allowed_domain, email.sender_domain) for allowed_domain in allowed
    )


def labeled_rows(page: str) -> list[tuple[str, str]]:
    """Return label and value of each table row of an HTML email, else of its labeled lines."""
    tree = read_html.parse_html(page, joins_lines=True)
    if tree is None:
        return []
    pairs = []
    for row in tree.xpath("//tr[not(.//tr)]")[:MAX_LINES]:
        cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")]
        if len(cells) >= 2 and cells[0]:
            pairs.append((cells[0], " ".join(cells[1:]).strip()))
    return pairs or labeled_lines(str(tree.text_content()))


_LABELED_LINE = re.compile(r"^[\s*•-]*+([^:=]{1,60}?)\s*[:=]\s*(.*)$")
_NOT_LABELS = frozenset(
    {"from", "to", "cc", "subject", "sent", "date", "replyto", "http", "https", "mailto"}
)


def labeled_lines(text: str) -> list[tuple[str, str]]:
    """Parse lines "Label: value"; a value can start or continue on the lines below its label."""
    pairs: list[tuple[str, str]] = []
    is_open = False
    for raw_line in text.splitlines():
        if len(pairs) >= MAX_LINES:
            break
        line = raw_line.strip()[:MAX_LINE_LENGTH]
        match = _LABELED_LINE.match(line)
        if match and re.sub(r"\W", "", match[1]).lower() not in _NOT_LABELS:
            pairs.append((match[1].strip(), match[2].strip()))
            is_open = True
        elif not line:
            is_open = is_open and bool(pairs) and not pairs[-1][1]
        elif is_open and not match:
            label, value = pairs[-1]
            pairs[-1] = (label, f"{value}\n{line}".strip())
    return pairs
