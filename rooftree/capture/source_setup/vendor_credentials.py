"""What a vendor gave the company for one source: typed once, kept sealed, never shown again."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.imports.models import CrmImport
from rooftree.capture.intake.vendor_lookups import load_credentials
from rooftree.capture.models import Retrieval, Sweep
from rooftree.capture.parsing.envelope import Credential
from rooftree.capture.source_setup.manage_sources import BadSource
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

MAX_LENGTH = 4_000  # characters; tokens of some vendors are long
MIN_SECRET_LENGTH = (
    8  # of a secret that proves posts: it is looked for in their bodies, and not kept
)


def required_credentials(source: Source) -> tuple[Credential, ...]:
    """What its adapter needs of the vendor; nothing for most."""
    wanted: tuple[Credential, ...] = getattr(SOURCES.get(source.adapter), "CREDENTIALS", ())
    return wanted


def missing_credentials(source: Source) -> tuple[Credential, ...]:
    """What of it nobody has typed yet."""
    held = load_credentials(source)
    return tuple(
        required_credential
        for required_credential in required_credentials(source)
        if not held.get(required_credential.key)
    )


def save_credentials(
    *, source_id: UUID, typed: Mapping[str, str], by: User, at: datetime
) -> Source:
    """Keep what was typed, sealed; an empty one stays as it was. What waited is tried at once.

    Raises `BadSource`.
    """
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        known = {required_credential.key for required_credential in required_credentials(source)}
        news = {key: said.strip() for key, said in typed.items() if key in known and said.strip()}
        for key, said in news.items():
            if len(said) > MAX_LENGTH:
                raise BadSource(key, f"At most {MAX_LENGTH:,} characters.")
            if key == "secret" and len(said) < MIN_SECRET_LENGTH:
                raise BadSource(
                    key, f"At least {MIN_SECRET_LENGTH} characters: a short one is soon guessed."
                )
        if not news:
            return source
        source.secret = news.pop("secret", source.secret)
        if news:
            source.credentials = json.dumps(json.loads(source.credentials or "{}") | news)
        source.save(update_fields=["secret", "credentials"])
        waiting = Retrieval.objects.filter(delivery__source=source, due_at__isnull=False)
        waiting.update(due_at=at)
        Sweep.objects.filter(source=source, ended_at=None).update(due_at=at)
        CrmImport.objects.filter(sheet__source=source, read_at=None).update(due_at=at)
        write_event(
            "capture.source.credentials_given",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            changed=sorted(key for key in typed if typed[key].strip()),
        )
    return source
