"""What a vendor gave the company for one source: typed once, kept sealed, never shown again."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.envelope import Credential
from rooftree.capture.imports.models import Transfer
from rooftree.capture.models import Retrieval, Sweep
from rooftree.capture.retrieve import credentials_of
from rooftree.capture.source_setup import BadSource
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Source
from rooftree.ledger.write import write
from rooftree.org.models import User

LONGEST = 4_000  # characters; tokens of some vendors are long
SHORTEST = 8  # of a secret that proves posts: it is looked for in their bodies, and not kept


def asked_of(source: Source) -> tuple[Credential, ...]:
    """What its adapter needs of the vendor; nothing for most."""
    wanted: tuple[Credential, ...] = getattr(SOURCES.get(source.adapter), "CREDENTIALS", ())
    return wanted


def missing_of(source: Source) -> tuple[Credential, ...]:
    """What of it nobody has typed yet."""
    held = credentials_of(source)
    return tuple(one for one in asked_of(source) if not held.get(one.key))


def give(*, source_id: UUID, typed: Mapping[str, str], by: User, at: datetime) -> Source:
    """Keep what was typed, sealed; an empty one stays as it was. What waited is tried at once.

    Raises `BadSource`.
    """
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        known = {one.key for one in asked_of(source)}
        news = {key: said.strip() for key, said in typed.items() if key in known and said.strip()}
        for key, said in news.items():
            if len(said) > LONGEST:
                raise BadSource(key, f"At most {LONGEST:,} characters.")
            if key == "secret" and len(said) < SHORTEST:
                raise BadSource(
                    key, f"At least {SHORTEST} characters: a short one is soon guessed."
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
        Transfer.objects.filter(sheet__source=source, read_at=None).update(due_at=at)
        write(
            "capture.source.credentials_given",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            changed=sorted(key for key in typed if typed[key].strip()),
        )
    return source
