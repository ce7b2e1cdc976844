"""What every e-mail of ours ends with: who we are, where, and how to end it."""

from django.conf import settings
from django.core.signing import Signer

from rooftree.org.models import Company
from rooftree.outreach.models import Message

TO_END = {"en": "To stop these e-mails", "es": "Para no recibir más correos"}


def unsubscribe_url(message: Message) -> str:
    """The address that ends e-mail to this person: signed, without a sign-in, for ever."""
    token = Signer(salt="unsubscribe").sign(str(message.pk))
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}/"


def footer(message: Message, company: Company) -> str:
    """CAN-SPAM (15 USC 7704): our name, our postal address, and the way out."""
    end = TO_END.get(message.language, TO_END["en"])
    return (
        f"\n--\n{company.legal_name}, NMLS {company.nmls_id}\n{company.postal_address}\n"
        f"{end}: {unsubscribe_url(message)}\n"
    )
