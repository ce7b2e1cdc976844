"""A vendor's credentials for one source: typed once, stored encrypted, never shown again."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.imports.models import CrmImport
from rooftree.capture.models import Retrieval, Sweep
from rooftree.capture.parsing.envelope import Credential
from rooftree.capture.source_setup.manage_sources import BadSource
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

MAX_LENGTH = 4_000  # characters; tokens of some vendors are long
# Of a secret that proves posts; it is searched for and removed in their stored bodies.
MIN_SECRET_LENGTH = 8


def required_credentials(source: Source) -> tuple[Credential, ...]:
    """Return the vendor credentials that the source's adapter needs; most need none."""
    credentials: tuple[Credential, ...] = getattr(SOURCES.get(source.adapter), "CREDENTIALS", ())
    return credentials


def missing_credentials(source: Source) -> tuple[Credential, ...]:
    """Return the required credentials that are not saved yet."""
    stored = source.vendor_credentials
    return tuple(
        credential for credential in required_credentials(source) if not stored.get(credential.key)
    )


def save_credentials(
    *, source_id: UUID, typed: Mapping[str, str], by: User, at: datetime
) -> Source:
    """Store typed credentials encrypted, keep those left empty, and retry waiting look-ups now.

    Raises `BadSource`.
    """
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        known_keys = {credential.key for credential in required_credentials(source)}
        changes = {
            key: value.strip()
            for key, value in typed.items()
            if key in known_keys and value.strip()
        }
        for key, value in changes.items():
            if len(value) > MAX_LENGTH:
                raise BadSource(key, f"Enter at most {MAX_LENGTH:,} characters.")
            if key == "secret" and len(value) < MIN_SECRET_LENGTH:
                raise BadSource(key, f"Enter at least {MIN_SECRET_LENGTH} characters.")
        if not changes:
            return source
        source.secret = changes.pop("secret", source.secret)
        if changes:
            source.credentials = json.dumps(json.loads(source.credentials or "{}") | changes)
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
