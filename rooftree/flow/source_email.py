"""E-mails to the secret address of a source, stored as deliveries."""

from datetime import datetime

from rooftree.capture.intake import receive_delivery
from rooftree.capture.intake.source_admission import hash_token
from rooftree.capture.parsing import lead_email_parser
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Source

EMAIL_ADAPTERS = ("email_text", "email_adf")


def receive_source_email(*, raw: bytes, at: datetime, default_source: Source | None = None) -> bool:
    """Store an e-mail to `leads+<token>@…` as a delivery; return False if it has no source.

    Args:
        default_source: the source of an e-mail to no known address.
    """
    source = _find_addressed_source(raw) or default_source
    if source is None or source.paused_at:
        return False
    lead_arrival.accept_delivery(
        source=source,
        incoming=IncomingDelivery(
            method=lead_email_parser.SMTP_METHOD_PREFIX,
            path=f"leads+{source.token}@",
            body=raw,
            received_at=at,
            endpoint=receive_delivery.endpoint_of(source),
        ),
        at=at,
    )
    return True


def _find_addressed_source(raw: bytes) -> Source | None:
    for token in lead_email_parser.address_tokens(raw):
        sources = Source.objects.filter(adapter__in=EMAIL_ADAPTERS, token_hash=hash_token(token))
        if source := sources.filter(paused_at=None).first():
            return source
    return None
