"""An e-mail at the secret address of a source: a delivery like any other."""

from datetime import datetime

from rooftree.capture import mail, receive
from rooftree.capture.envelope import Incoming
from rooftree.capture.recognise import hash_of
from rooftree.flow import intake
from rooftree.leads.models import Source

ADAPTERS = ("email_text", "email_adf")


def receive_letter(*, raw: bytes, at: datetime) -> bool:
    """Take in a letter to `leads+<token>@…`; False when no source has that address."""
    for token in mail.tokens_in(raw):
        source = Source.objects.filter(
            adapter__in=ADAPTERS, token_hash=hash_of(token), paused_at=None
        ).first()
        if source is not None:
            intake.accept(
                source=source,
                incoming=Incoming(
                    method=mail.BY_MAIL,
                    path=f"leads+{token}@",
                    body=raw,
                    received_at=at,
                    endpoint=receive.endpoint_of(source),
                ),
                at=at,
            )
            return True
    return False
