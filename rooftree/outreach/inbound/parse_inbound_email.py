"""An e-mail that came in: what the borrower wrote, without what they quoted."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from typing import Any
from uuid import UUID

from rooftree.core import read_html
from rooftree.core.masking import redact_numbers
from rooftree.outreach.messages.sender_identity import find_replied_message

MAX_BODY_LENGTH = 20_000  # characters kept of one letter
RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
QUOTE_START = re.compile(
    r"^(>.*|-{2,} ?(original message|mensaje original) ?-{2,}|_{8,}|"
    r"(on .{6,120} wrote|el .{6,120} escribi[oó]):?|(from|de): .+@.+)$",
    re.IGNORECASE,
)
BULK_PRECEDENCES = frozenset({"bulk", "auto_reply", "junk", "list"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEmail:
    """One e-mail from outside that answers one of ours."""

    replied_message_id: UUID  # our message
    sender: str
    subject: str
    body: str
    reference: str  # its Message-ID
    is_automatic: bool  # an absence note, not a person
    bounced_address: str = ""  # the address that could not be reached
    attachment_count: int = 0  # attachments, which are not kept


class NotAReplyToUs(Exception):
    """No address of this letter is one that we gave out, or it cannot be read at all."""


def parse_email(raw: bytes) -> InboundEmail:
    """Read a letter as the mail server hands it over (RFC 5322). Raises `NotOurs`."""
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        return _build_email(mail)
    except (MessageError, LookupError, ValueError, AttributeError, TypeError) as problem:
        # The standard parser meets hostile headers with any of these.
        raise NotAReplyToUs(f"The letter cannot be read ({type(problem).__name__}).") from problem


def _build_email(mail: EmailMessage) -> InboundEmail:
    headers = [str(one) for name in RECIPIENT_HEADERS for one in mail.get_all(name, [])]
    about = next(
        (key for _, one in getaddresses(headers) if (key := find_replied_message(one))), None
    )
    if about is None:
        raise NotAReplyToUs("It is not addressed to an answer of ours.")
    return InboundEmail(
        replied_message_id=about,
        sender=parseaddr(str(mail.get("From", "")))[1][:254],
        subject=redact_numbers(" ".join(str(mail.get("Subject", "")).replace("\x00", "").split()))[
            0
        ][:300],
        body=redact_numbers(strip_quotes(_body_text(mail).replace("\x00", "")))[0][
            :MAX_BODY_LENGTH
        ],
        reference=" ".join(str(mail.get("Message-ID", "")).split())[:120],
        is_automatic=_is_automatic(mail),
        bounced_address=_bounced_address(mail),
        attachment_count=sum(1 for _ in mail.iter_attachments()) if mail.is_multipart() else 0,
    )


def strip_quotes(text: str) -> str:
    """What they wrote themselves: up to the first line that begins a quotation."""
    kept = []
    for line in text.splitlines():
        if QUOTE_START.match(line.strip()):
            break
        kept.append(line.rstrip())
    return "\n".join(kept).strip()


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
    """RFC 3834 and what mail programs used before it."""
    told = str(mail.get("Auto-Submitted", "no")).lower()
    precedence = str(mail.get("Precedence", "")).lower()
    return not told.startswith("no") or precedence in BULK_PRECEDENCES or "X-Autoreply" in mail


def _bounced_address(mail: EmailMessage) -> str:
    """The address a delivery report says failed for good (RFC 3464, status 5.x.x)."""
    if mail.get_content_type() != "multipart/report":
        return ""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks: Any = part.get_payload()  # one of headers for the report, one for each recipient
        for block in blocks:
            if str(block.get("Status", "")).strip().startswith("5"):
                told = str(block.get("Final-Recipient", "") or block.get("Original-Recipient", ""))
                return told.rpartition(";")[2].strip()[:254]
    return ""
