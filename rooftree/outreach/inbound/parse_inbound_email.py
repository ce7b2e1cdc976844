"""Parser for inbound email: the borrower's own words, without the quoted text."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from rooftree.core.email_addresses import find_addresses, find_sender_address
from rooftree.core.masking import redact_numbers
from rooftree.outreach.inbound.quoted_text import html_words, strip_quotes
from rooftree.outreach.messages.plan_messages import find_replied_message

MAX_BODY_LENGTH = 20_000  # characters kept of one email
RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
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
    headers = [header for name in RECIPIENT_HEADERS for header in _written_headers(mail, name)]
    message_id = next(
        (
            key
            for header in headers
            for address in find_addresses(header)
            if (key := find_replied_message(address))
        ),
        None,
    )
    if message_id is None:
        raise NotAReplyToUs("The email is not addressed to a reply address of ours.")
    subject = " ".join(str(mail.get("Subject", "")).replace("\x00", "").split())
    body = strip_quotes(_body_text(mail).replace("\x00", ""))
    return InboundEmail(
        replied_message_id=message_id,
        sender=find_sender_address(next(iter(_written_headers(mail, "From")), ""))[:254],
        subject=redact_numbers(subject)[0][:300],
        body=redact_numbers(body)[0][:MAX_BODY_LENGTH],
        reference=" ".join(str(mail.get("Message-ID", "")).split())[:120],
        is_automatic=_is_automatic(mail),
        bounced_address=_bounced_address(mail),
        attachment_count=sum(1 for _ in mail.iter_attachments()) if mail.is_multipart() else 0,
    )


def _written_headers(mail: EmailMessage, name: str) -> list[str]:
    """Return headers as written: the standard parser changes addresses it can't parse."""
    return [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]


def _body_text(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = str(part.get_content())
    return html_words(content) if part.get_content_subtype() == "html" else content


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
