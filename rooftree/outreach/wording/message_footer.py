"""What every message of ours ends with: who we are, our license there, and how to end it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.core.signing import Signer

from rooftree.compliance.gate.facts import Purpose
from rooftree.compliance.gate.required_disclosures import EXEMPT_PURPOSES
from rooftree.org.models import Company
from rooftree.outreach.facts.lead_record_rows import StoredLicense
from rooftree.outreach.models import Message
from rooftree.outreach.wording.license_disclosures import license_disclosure

UNSUBSCRIBE_PROMPT = {"en": "To stop these e-mails", "es": "Para no recibir más correos"}


def unsubscribe_url(message: Message) -> str:
    """The address that ends e-mail to this person: signed, without a sign-in, for ever."""
    token = Signer(salt="unsubscribe").sign(str(message.pk))
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}/"


def build_footer(
    message: Message,
    *,
    state: str,
    company: Company,
    licenses: Iterable[StoredLicense],
    at: datetime,
) -> str:
    """What is added to a text or an e-mail about a property in `state`, as it is on file at `at`.

    A few words in a running exchange by text get nothing.
    """
    words = license_disclosure(
        message.medium, state=state, company=company, licenses=licenses, at=at
    )
    if message.medium == "email":
        return _build_email_footer(message, company, words)
    return f"\n{words}" if words and Purpose(message.purpose) not in EXEMPT_PURPOSES else ""


def _build_email_footer(message: Message, company: Company, license_said: str) -> str:
    """CAN-SPAM (15 USC 7704): our name, our postal address, and the way out."""
    end = UNSUBSCRIBE_PROMPT.get(message.language, UNSUBSCRIBE_PROMPT["en"])
    lines = (
        f"{company.legal_name}, NMLS {company.nmls_id}",
        company.postal_address,
        license_said,
        f"{end}: {unsubscribe_url(message)}",
    )
    return "\n--\n" + "".join(f"{line}\n" for line in lines if line)
