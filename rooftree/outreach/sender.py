"""In whose name a message goes, and where an answer to it comes back to."""

from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from rooftree.org.compiled import Reads
from rooftree.org.models import LoanOfficer
from rooftree.outreach.models import Message

REACHED = ("claimed", "sent", "delivered", "uncertain")


LAST = Reads(
    lambda addresses: (
        Message.objects.filter(
            to_address__in=addresses, medium="text", direction="out", state__in=REACHED
        )
        .order_by("to_address", "-created_at")
        .distinct("to_address")
        .only("to_address", "from_address")
    ),
    addresses=list[str],
)


def our_number(preferred: str = "") -> str:
    """The number a text or call goes out from, E.164: the officer's own, else the first of ours."""
    return preferred or next(iter(settings.TWILIO_NUMBERS), "")


def addresses_for(messages: Sequence[Message]) -> list[str]:
    """For each the number or address the borrower sees, the same for the whole conversation.

    A text goes out from the number they know from our last text to them, so one
    borrower has one conversation on their phone, whoever writes in it. A first text
    comes from the officer's own number, else the first of ours, and so does one after
    the known number stopped being ours.
    """
    texts = [one.to_address for one in messages if one.medium == "text"]
    known = _known_numbers(texts) if texts else {}
    return [
        mailbox_for(one.officer)
        if one.medium == "email"
        else known.get(one.to_address) or our_number(one.officer.text_number if one.officer else "")
        for one in messages
    ]


def _known_numbers(addresses: Sequence[str]) -> dict[str, str]:
    """By address, the number of our last text to it, while it is ours."""
    last = {one.to_address: one.from_address for one in LAST.all(addresses=list(addresses))}
    ours = {one: _is_ours(one) for one in set(last.values())}
    return {to: number for to, number in last.items() if ours[number]}


def mailbox_for(officer: LoanOfficer | None) -> str:
    """Our one address, under the officer's name where there is one."""
    if officer is None:
        return str(settings.DEFAULT_FROM_EMAIL)
    return formataddr((officer.user.name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))


def reply_address(message: Message) -> str:
    """Where an answer to this e-mail comes back to: an address of its own when we read mail,
    otherwise the officer's."""
    if settings.REPLY_DOMAIN:
        key = message.pk.hex
        return f"reply+{key}-{_mark(key)}@{settings.REPLY_DOMAIN}"
    return message.officer.user.email if message.officer else ""


def answered(address: str) -> UUID | None:
    """The message that an address of `reply_address` is about; None when it is none of ours."""
    key, _, mark = address.partition("@")[0].partition("+")[2].lower().partition("-")
    if not key or not constant_time_compare(mark, _mark(key)):
        return None
    return UUID(key)


def _mark(key: str) -> str:
    """Lower-case, as mail servers may not keep the case of an address."""
    return salted_hmac("rooftree.reply", key, algorithm="sha256").hexdigest()[:16]


def _is_ours(number: str) -> bool:
    if number in settings.TWILIO_NUMBERS:
        return True
    return LoanOfficer.objects.filter(text_number=number, terminated_at=None).exists()
