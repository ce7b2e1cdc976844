"""What every message of ours ends with: who we are, our license there, and how to end it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.core.signing import Signer

from rooftree.compliance.facts import Purpose
from rooftree.compliance.identification import BARE
from rooftree.org.models import Company
from rooftree.outreach.known_rows import Licensed
from rooftree.outreach.license_words import license_words
from rooftree.outreach.models import Message

TO_END = {"en": "To stop these e-mails", "es": "Para no recibir más correos"}


def unsubscribe_url(message: Message) -> str:
    """The address that ends e-mail to this person: signed, without a sign-in, for ever."""
    token = Signer(salt="unsubscribe").sign(str(message.pk))
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}/"


def ending(
    message: Message, *, state: str, company: Company, licenses: Iterable[Licensed], at: datetime
) -> str:
    """What is added to a text or an e-mail about a property in `state`, as it is on file at `at`.

    A few words in a running exchange by text get nothing.
    """
    words = license_words(message.medium, state=state, company=company, licenses=licenses, at=at)
    if message.medium == "email":
        return _footer(message, company, words)
    return f"\n{words}" if words and Purpose(message.purpose) not in BARE else ""


def _footer(message: Message, company: Company, license_said: str) -> str:
    """CAN-SPAM (15 USC 7704): our name, our postal address, and the way out."""
    end = TO_END.get(message.language, TO_END["en"])
    lines = (
        f"{company.legal_name}, NMLS {company.nmls_id}",
        company.postal_address,
        license_said,
        f"{end}: {unsubscribe_url(message)}",
    )
    return "\n--\n" + "".join(f"{line}\n" for line in lines if line)
