"""Build a message that could be queued: its unsaved row, its two addresses and its ending.

Every message ends with the company, the state license and the opt-out. Nothing here writes to the
database or reaches a borrower. Only `send` queues and sends.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import NotRequired, TypedDict
from uuid import UUID

from django.conf import settings
from django.core.signing import Signer
from django.utils.crypto import constant_time_compare, salted_hmac

from rooftree.compliance.gate import license_wording
from rooftree.compliance.gate.facts import Medium, Purpose
from rooftree.compliance.gate.license_checks import latest_local_date
from rooftree.compliance.gate.license_wording import RequiredWording
from rooftree.compliance.gate.required_disclosures import EXEMPT_PURPOSES
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.org.carrier_account import account_in_force
from rooftree.org.mail_server import active_mail_server
from rooftree.org.models import Company, LoanOfficer, User
from rooftree.outreach.facts.lead_records import license_in_state, previous_numbers
from rooftree.outreach.facts.stored_rows import StoredLicense
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent

UNSUBSCRIBE_PROMPT = {"en": "To stop these e-mails", "es": "Para no recibir más correos"}


class MessageSpec(TypedDict):
    """The content and destination of a message to queue; without `due_at` it is due at once."""

    lead: Lead
    medium: str
    purpose: str
    cause: str
    words: MessageContent
    to: str
    due_at: NotRequired[datetime | None]
    by: NotRequired[User]  # the user who typed it; absent for an automatic message


def build_message(planned: MessageSpec, at: datetime) -> Message:
    """Build the message as it would be queued, without saving it."""
    words = planned["words"]
    return Message(
        id=uuid7_at(at),
        idempotency_key=planned["cause"],
        medium=planned["medium"],
        lead=planned["lead"],
        person_id=planned["lead"].person_id,
        purpose=planned["purpose"],
        template=words.template,
        language=words.language,
        officer=words.officer,
        by=planned.get("by"),
        is_automated="by" not in planned,
        to_address=planned["to"],
        subject=words.subject,
        body=words.body,
        created_at=at,
        due_at=planned.get("due_at") or at,
    )


def address_for(lead: Lead, medium: str) -> str:
    """Return the number or address to reach this lead's person at; "" if there is none."""
    if medium in ("call", "text"):
        return next((phone.e164 for phone in contact_points.usable_phones(lead.person)), "")
    return next((email.address for email in contact_points.usable_emails(lead.person)), "")


def outbound_number(preferred: str = "") -> str:
    """Return the E.164 number to send from: the officer's own, otherwise our first one."""
    return preferred or next(iter(account_in_force().numbers), "")


def from_addresses(messages: Sequence[Message]) -> list[str]:
    """Return the sender number or mailbox of each message, in order.

    A text comes from the number of our last text to the borrower, so that they have one
    conversation on their phone no matter who writes. A first text comes from the officer's own
    number, otherwise our first one; so does a text after the last number stopped being ours.
    """
    texts = [message.to_address for message in messages if message.medium == "text"]
    previous = previous_numbers(texts) if texts else {}
    sends_email = any(message.medium == "email" for message in messages)
    sender = active_mail_server().sender if sends_email else ""
    return [
        mailbox_for(message.officer, sender)
        if message.medium == "email"
        else previous.get(message.to_address)
        or outbound_number(message.officer.text_number if message.officer else "")
        for message in messages
    ]


def mailbox_for(officer: LoanOfficer | None, sender: str) -> str:
    """Return the sender of all our mail, with the officer's name if there is an officer."""
    if officer is None:
        return sender
    return formataddr((officer.user.name, parseaddr(sender)[1]))


def reply_address(message: Message) -> str:
    """Return the Reply-To of an email: an address of its own if we read mail.

    Otherwise it is the officer's own address; "" without an officer.
    """
    if settings.REPLY_DOMAIN:
        key = message.pk.hex
        return f"reply+{key}-{_reply_token(key)}@{settings.REPLY_DOMAIN}"
    return message.officer.user.email if message.officer else ""


def find_replied_message(address: str) -> UUID | None:
    """Return the message id in an address from `reply_address`; None if the address isn't ours."""
    key, _, token = address.partition("@")[0].partition("+")[2].lower().partition("-")
    if not key or not constant_time_compare(token, _reply_token(key)):
        return None
    return UUID(key)


def build_footer(
    message: Message,
    *,
    state: str,
    company: Company,
    licenses: Iterable[StoredLicense],
    at: datetime,
) -> str:
    """Return the ending of a text or email about a property in `state`, as of `at`.

    A text that only replies or confirms gets no ending.
    """
    disclosure = license_disclosure(
        message.medium, state=state, company=company, licenses=licenses, at=at
    )
    if message.medium == "email":
        return _build_email_footer(message, company, disclosure)
    return (
        f"\n{disclosure}" if disclosure and Purpose(message.purpose) not in EXEMPT_PURPOSES else ""
    )


def license_disclosure(
    medium: str, *, state: str, company: Company, licenses: Iterable[StoredLicense], at: datetime
) -> str:
    """Return the disclosure text; "" if none is required or a required detail is missing."""
    required = required_disclosure(medium, state=state, company=company, licenses=licenses, at=at)
    return required.words if required else ""


def required_disclosure(
    medium: str, *, state: str, company: Company, licenses: Iterable[StoredLicense], at: datetime
) -> RequiredWording | None:
    """Return the required wording with its law and missing details; None if none is required."""
    if company.kind == "depository":
        return None
    license_row = license_in_state(licenses, state, at)
    details = license_wording.CompanyDetails(
        nmls_id=company.nmls_id,
        website=company.website,
        phone=company.phone,
        address=company.postal_address,
        number=license_row.number if license_row else "",
        license=license_row.license if license_row else "",
    )
    return license_wording.required_wording(
        state, Medium(medium), details, on=latest_local_date(state, at)
    )


def unsubscribe_url(message: Message) -> str:
    """Return the signed URL that unsubscribes this person; works without sign-in, never expires."""
    token = Signer(salt="unsubscribe").sign(str(message.pk))
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}/"


def _build_email_footer(message: Message, company: Company, disclosure: str) -> str:
    """Return the CAN-SPAM footer (15 USC 7704): our name, postal address and unsubscribe link."""
    prompt = UNSUBSCRIBE_PROMPT.get(message.language, UNSUBSCRIBE_PROMPT["en"])
    lines = (
        f"{company.legal_name}, NMLS {company.nmls_id}",
        company.postal_address,
        disclosure,
        f"{prompt}: {unsubscribe_url(message)}",
    )
    return "\n--\n" + "".join(f"{line}\n" for line in lines if line)


def _reply_token(key: str) -> str:
    """Return a lower-case token, since mail servers can change the case of an address."""
    return salted_hmac("rooftree.reply", key, algorithm="sha256").hexdigest()[:16]
