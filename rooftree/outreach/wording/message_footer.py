"""The required ending of every message: company, state license and opt-out."""

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
    """Return the signed URL that unsubscribes this person; works without sign-in, never expires."""
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
