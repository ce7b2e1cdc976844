"""An e-mail at the secret address of a source: a delivery like any other."""

from datetime import datetime

from rooftree.capture import mail, receive
from rooftree.capture.envelope import Incoming
from rooftree.capture.recognise import hash_of
from rooftree.flow import intake
from rooftree.leads.models import Source

ADAPTERS = ("email_text", "email_adf")


def receive_letter(*, raw: bytes, at: datetime, usual: Source | None = None) -> bool:
    """Take in a letter to `leads+<token>@…`; False when no source has that address.

    Args:
        usual: the source of a letter that names none.
    """
    source = _named(raw) or usual
    if source is None or source.paused_at:
        return False
    intake.accept(
        source=source,
        incoming=Incoming(
            method=mail.BY_MAIL,
            path=f"leads+{source.token}@",
            body=raw,
            received_at=at,
            endpoint=receive.endpoint_of(source),
        ),
        at=at,
    )
    return True


def _named(raw: bytes) -> Source | None:
    for token in mail.tokens_in(raw):
        named = Source.objects.filter(adapter__in=ADAPTERS, token_hash=hash_of(token))
        if source := named.filter(paused_at=None).first():
            return source
    return None
