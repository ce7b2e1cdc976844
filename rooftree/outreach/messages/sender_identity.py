"""In whose name a message goes, and where an answer to it comes back to."""

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
    """The number a text or call goes out from, E.164: the officer's own, else the first of ours."""
    return preferred or next(iter(settings.TWILIO_NUMBERS), "")


def from_addresses(messages: Sequence[Message]) -> list[str]:
    """For each the number or address the borrower sees, the same for the whole conversation.

    A text goes out from the number they know from our last text to them, so one
    borrower has one conversation on their phone, whoever writes in it. A first text
    comes from the officer's own number, else the first of ours, and so does one after
    the known number stopped being ours.
    """
    texts = [message.to_address for message in messages if message.medium == "text"]
    known = _previous_numbers(texts) if texts else {}
    return [
        mailbox_for(message.officer)
        if message.medium == "email"
        else known.get(message.to_address)
        or outbound_number(message.officer.text_number if message.officer else "")
        for message in messages
    ]


def _previous_numbers(addresses: Sequence[str]) -> dict[str, str]:
    """By address, the number of our last text to it, while it is ours."""
    last = {
        last_text.to_address: last_text.from_address
        for last_text in LAST_TEXTS.all(addresses=list(addresses))
    }
    ours = {one: is_our_number(one) for one in set(last.values())}
    return {to: number for to, number in last.items() if ours[number]}


def mailbox_for(officer: LoanOfficer | None) -> str:
    """Our one address, under the officer's name where there is one."""
    if officer is None:
        return str(settings.DEFAULT_FROM_EMAIL)
    return formataddr((officer.user.name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))


def sign_as_current_owners(found: Sequence[DecisionInputs], *, at: datetime) -> None:
    """Put what a program wrote in an officer's name into that of whoever has the lead by now.

    It waited for its hour, or for a person, while the lead changed hands. Nothing in its words
    but the signature depends on the officer. One that does not bear the signature as we would
    write it today is left as it is, and the gate stops it. Call in the transaction that holds
    the messages.
    """
    left = [
        decision_inputs
        for decision_inputs in found
        if decision_inputs.message.is_automated and not decision_inputs.is_in_owners_name
    ]
    signed = [one.message for one in left if _replace_signature(one)]
    for message, address in zip(signed, from_addresses(signed), strict=True):
        message.from_address = address
    changed = ("id", "officer_id", "from_address", "subject", "body")
    update_each(Message, [{name: getattr(one, name) for name in changed} for one in signed])
    write_events(
        build_event(
            "outreach.message.signed_anew",
            at=at,
            lead_id=one.lead_id,
            message=one.pk,
            officer_id=one.officer_id,
        )
        for one in signed
    )


def _replace_signature(found: DecisionInputs) -> bool:
    """Exchange the signature of one message; False where it is not in it."""
    message, owner = found.message, found.lead.officer
    before, now = (signature(found.company, one) for one in (message.officer, owner))
    if before not in message.body:
        return False
    message.subject = message.subject.replace(before, now)
    message.body = message.body.replace(before, now)
    message.officer = owner
    return True


def reply_address(message: Message) -> str:
    """Where an answer to this e-mail comes back to: an address of its own when we read mail,
    otherwise the officer's."""
    if settings.REPLY_DOMAIN:
        key = message.pk.hex
        return f"reply+{key}-{_reply_token(key)}@{settings.REPLY_DOMAIN}"
    return message.officer.user.email if message.officer else ""


def find_replied_message(address: str) -> UUID | None:
    """The message that an address of `reply_address` is about; None when it is none of ours."""
    key, _, mark = address.partition("@")[0].partition("+")[2].lower().partition("-")
    if not key or not constant_time_compare(mark, _reply_token(key)):
        return None
    return UUID(key)


def _reply_token(key: str) -> str:
    """Lower-case, as mail servers may not keep the case of an address."""
    return salted_hmac("rooftree.reply", key, algorithm="sha256").hexdigest()[:16]


def is_our_number(number: str) -> bool:
    """Whether it is assigned to us: one of the company's, or an officer's own."""
    if number in settings.TWILIO_NUMBERS:
        return True
    return LoanOfficer.objects.filter(text_number=number, terminated_at=None).exists()
