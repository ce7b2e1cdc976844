"""Parser for inbound email: the borrower's own words, without the quoted text."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from itertools import takewhile
from typing import Any
from uuid import UUID

from rooftree.core import read_html
from rooftree.core.masking import redact_numbers
from rooftree.outreach.messages.plan_messages import find_replied_message

MAX_BODY_LENGTH = 20_000  # characters kept of one email
RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
MAX_QUOTE_START_LINES = 4  # lines read to recognize the start of a quotation
MAX_QUOTE_START_WIDTH = 200  # characters read of each
QUOTE_START = re.compile(
    r"^(>.*|-{2,} ?(original message|mensaje original) ?-{2,}|_{8,}|"
    r"(on .{6,120}(?<! i) wrote|el .{6,120} escribi[oó]):?|[*_]*(from|de):.+@.+)$",
    re.IGNORECASE,
)
# "On Mon, Nov 23, 2026 at 12:01 PM Dana Lee <dana@lender.example> wrote:" in several lines. It has
# a date, ends with a colon, and no other line starts like it.
WRAPPED_ATTRIBUTION = re.compile(
    r"^(on|el) (?=.{0,80}\d)(?!.*\n(on|el) ).{6,}\s(wrote|escribi[oó]):(\n|$)",
    re.IGNORECASE | re.DOTALL,
)
# Outlook's header, also without an address: a sender, and below it a recipient or a date.
MAIL_HEADER = re.compile(
    r"^[*_]*(from|de):.*\n(.*\n){0,2}[*_]*(sent|date|to|enviado( el)?|fecha|para):",
    re.IGNORECASE,
)
BULK_PRECEDENCES = frozenset({"bulk", "auto_reply", "junk", "list"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEmail:
    """One inbound email in reply to one of ours."""

    replied_message_id: UUID  # our message
    sender: str
    subject: str
    body: str
    reference: str  # its Message-ID
    is_automatic: bool  # an out-of-office or other automatic reply
    bounced_address: str = ""  # the address a delivery report says failed
    attachment_count: int = 0  # attachments are not kept


class NotAReplyToUs(Exception):
    """The email is not addressed to a reply address of ours, or cannot be parsed."""


def parse_email(raw: bytes) -> InboundEmail:
    """Parse an email as the mail server delivers it (RFC 5322). Raises `NotAReplyToUs`."""
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        return _build_email(mail)
    except (MessageError, LookupError, ValueError, AttributeError, TypeError) as problem:
        # The standard parser raises any of these on malformed headers.
        raise NotAReplyToUs(f"The email can’t be parsed ({type(problem).__name__}).") from problem


def _build_email(mail: EmailMessage) -> InboundEmail:
    headers = [str(value) for name in RECIPIENT_HEADERS for value in mail.get_all(name, [])]
    message_id = next(
        (key for _, address in getaddresses(headers) if (key := find_replied_message(address))),
        None,
    )
    if message_id is None:
        raise NotAReplyToUs("The email is not addressed to a reply address of ours.")
    subject = " ".join(str(mail.get("Subject", "")).replace("\x00", "").split())
    body = strip_quotes(_body_text(mail).replace("\x00", ""))
    return InboundEmail(
        replied_message_id=message_id,
        sender=parseaddr(str(mail.get("From", "")))[1][:254],
        subject=redact_numbers(subject)[0][:300],
        body=redact_numbers(body)[0][:MAX_BODY_LENGTH],
        reference=" ".join(str(mail.get("Message-ID", "")).split())[:120],
        is_automatic=_is_automatic(mail),
        bounced_address=_bounced_address(mail),
        attachment_count=sum(1 for _ in mail.iter_attachments()) if mail.is_multipart() else 0,
    )


def strip_quotes(text: str) -> str:
    """Return the text before the first line that starts a quotation."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = []
    for number, line in enumerate(lines):
        if _starts_quotation(lines[number : number + MAX_QUOTE_START_LINES]):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _starts_quotation(lines: list[str]) -> bool:
    """Return whether the first of these lines starts a quotation, alone or with the others."""
    first = lines[0].strip()
    if not first or QUOTE_START.match(first):
        return bool(first)
    if not first.lower().startswith(("on ", "el ", "from:", "de:", "*", "_")):
        return False
    stripped = (line.strip()[:MAX_QUOTE_START_WIDTH] for line in lines)
    block = "\n".join(takewhile(lambda line: line and not line.startswith(">"), stripped))
    return bool(WRAPPED_ATTRIBUTION.match(block) or MAIL_HEADER.match(block))


def _body_text(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = str(part.get_content())
    if part.get_content_subtype() != "html":
        return content
    tree = read_html.parse_html(content, without="//script|//style|//blockquote")
    return "" if tree is None else str(tree.text_content())


def _is_automatic(mail: EmailMessage) -> bool:
    """Return True for an automatic reply, by RFC 3834 and older conventions."""
    auto_submitted = str(mail.get("Auto-Submitted", "no")).lower()
    precedence = str(mail.get("Precedence", "")).lower()
    return (
        not auto_submitted.startswith("no")
        or precedence in BULK_PRECEDENCES
        or "X-Autoreply" in mail
    )


def _bounced_address(mail: EmailMessage) -> str:
    """Return the address a delivery report says failed for good (RFC 3464, status 5.x.x)."""
    if mail.get_content_type() != "multipart/report":
        return ""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks: Any = part.get_payload()  # header blocks: one for the report, one per recipient
        for block in blocks:
            if str(block.get("Status", "")).strip().startswith("5"):
                recipient = block.get("Final-Recipient", "") or block.get("Original-Recipient", "")
                return str(recipient).rpartition(";")[2].strip()[:254]
    return ""
