"""The sender of a message: its name, its number or mailbox, and its reply address."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr, parseaddr
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from rooftree.db.bulk_update import update_each
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.ledger.write_events import build_event, write_events
from rooftree.org.models import LoanOfficer
from rooftree.outreach.messages.message_verdicts import DecisionInputs
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import signature

SENT_STATES = ("claimed", "sent", "delivered", "uncertain")


LAST_TEXTS = PreparedQuery(
    lambda addresses: (
        Message.objects.filter(
            to_address__in=addresses, medium="text", direction="out", state__in=SENT_STATES
        )
        .order_by("to_address", "-created_at")
        .distinct("to_address")
        .only("to_address", "from_address")
    ),
    addresses=list[str],
)


def outbound_number(preferred: str = "") -> str:
    """Return the E.164 number to send from: the officer's own, otherwise our first one."""
    return preferred or next(iter(settings.TWILIO_NUMBERS), "")


def from_addresses(messages: Sequence[Message]) -> list[str]:
    """Return the sender number or mailbox of each message, in order.

    A text comes from the number of our last text to the borrower, so that they have one
    conversation on their phone no matter who writes. A first text comes from the officer's own
    number, otherwise our first one; so does a text after the last number stopped being ours.
    """
    texts = [message.to_address for message in messages if message.medium == "text"]
    previous = _previous_numbers(texts) if texts else {}
    return [
        mailbox_for(message.officer)
        if message.medium == "email"
        else previous.get(message.to_address)
        or outbound_number(message.officer.text_number if message.officer else "")
        for message in messages
    ]


def _previous_numbers(addresses: Sequence[str]) -> dict[str, str]:
    """Return, by address, the number of our last text to it, if that is still ours."""
    last_texts = LAST_TEXTS.all(addresses=list(addresses))
    senders = {message.to_address: message.from_address for message in last_texts}
    is_ours = {number: is_our_number(number) for number in set(senders.values())}
    return {to: number for to, number in senders.items() if is_ours[number]}


def mailbox_for(officer: LoanOfficer | None) -> str:
    """Return our one email address, with the officer's name if there is an officer."""
    if officer is None:
        return str(settings.DEFAULT_FROM_EMAIL)
    return formataddr((officer.user.name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))


def sign_as_current_owners(all_inputs: Sequence[DecisionInputs], *, at: datetime) -> None:
    """Sign automatic messages of reassigned leads with the name of the current officer.

    Such a message waited for a permitted hour or for review while its lead was reassigned.
    Only the signature depends on the officer. A message without the signature we would write
    today is left unchanged, and the gate stops it. Call in the transaction that locks the
    messages.
    """
    outdated = [
        inputs
        for inputs in all_inputs
        if inputs.message.is_automated and not inputs.is_in_owners_name
    ]
    signed = [inputs.message for inputs in outdated if _replace_signature(inputs)]
    for message, address in zip(signed, from_addresses(signed), strict=True):
        message.from_address = address
    changed = ("id", "officer_id", "from_address", "subject", "body")
    update_each(Message, [{name: getattr(message, name) for name in changed} for message in signed])
    write_events(
        build_event(
            "outreach.message.signed_anew",
            at=at,
            lead_id=message.lead_id,
            message=message.pk,
            officer_id=message.officer_id,
        )
        for message in signed
    )


def _replace_signature(inputs: DecisionInputs) -> bool:
    """Replace the signature of one message; return False if the message doesn't contain it."""
    message, owner = inputs.message, inputs.lead.officer
    old, new = (signature(inputs.company, officer) for officer in (message.officer, owner))
    if old not in message.body:
        return False
    message.subject = message.subject.replace(old, new)
    message.body = message.body.replace(old, new)
    message.officer = owner
    return True


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


def _reply_token(key: str) -> str:
    """Return a lower-case token, since mail servers can change the case of an address."""
    return salted_hmac("rooftree.reply", key, algorithm="sha256").hexdigest()[:16]


def is_our_number(number: str) -> bool:
    """Return True if the number is assigned to the company or to an active officer."""
    if number in settings.TWILIO_NUMBERS:
        return True
    return LoanOfficer.objects.filter(text_number=number, terminated_at=None).exists()
