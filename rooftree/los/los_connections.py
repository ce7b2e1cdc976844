"""Connecting to a LOS: where it is, who we are there, and what it tells us."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic
from django.utils.text import slugify

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.los import adapter_pool
from rooftree.los.adapters import ADAPTERS
from rooftree.los.models import Connection
from rooftree.org.models import User

PLAIN_FIELDS = (
    "name", "base_url", "instance", "folder", "template", "template_type", "lead_id_field",
)  # fmt: skip
CREDENTIAL_FIELDS = ("client_id", "client_secret", "user", "password")
MAX_WEBHOOK_KEYS = 2  # the newest signing key and the one before, while Encompass changes over


class InvalidConnection(InvalidField):
    """A connection that cannot be."""


def add_connection(
    *, los: str, facts: Mapping[str, str], credentials: Mapping[str, str], by: User, at: datetime
) -> Connection:
    """A new connection, not yet used: see `enable`. Raises `BadConnection`."""
    if los not in ADAPTERS:
        raise InvalidConnection("los", "Choose a loan origination system.")
    _validate_fields(facts)
    with atomic():
        made = Connection.objects.create(
            id=uuid7_at(at),
            los=los,
            slug=_free_slug(facts["instance"]),
            credentials=json.dumps({k: v for k, v in credentials.items() if v}),
            **_plain_values(facts),
        )
        _write_event("los.connection.added", made, by, at)
    return made


def update_connection(
    *, connection_id: UUID | str, facts: Mapping[str, str], credentials: Mapping[str, str],
    by: User, at: datetime,
) -> Connection:  # fmt: skip
    """Correct a connection. A credential left empty stays as it is. Raises `BadConnection`."""
    _validate_fields(facts)
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        held = json.loads(row.credentials or "{}")
        given = {key: value for key, value in credentials.items() if value}
        changed = [
            name for name, value in _plain_values(facts).items() if getattr(row, name) != value
        ]
        changed += [name for name in given if held.get(name) != given[name]]
        for name, value in _plain_values(facts).items():
            setattr(row, name, value)
        row.credentials = json.dumps(held | given)
        row.save(update_fields=[*PLAIN_FIELDS, "credentials"])
        if changed:
            _write_event("los.connection.changed", row, by, at, changed=changed)
    adapter_pool.close_adapter(row.pk)
    return row


def enable_connection(*, connection_id: UUID | str, by: User, at: datetime) -> None:
    """Loans are handed over through it from now on. Enabling twice keeps the first time."""
    with atomic():
        rows = Connection.objects.filter(pk=connection_id, enabled_at=None)
        if rows.update(enabled_at=at, poll_due_at=at):
            _write_event("los.connection.enabled", Connection.objects.get(pk=connection_id), by, at)


def disable_connection(*, connection_id: UUID | str, by: User, at: datetime) -> None:
    """Nothing more is handed over or read through it."""
    with atomic():
        rows = Connection.objects.filter(pk=connection_id, enabled_at__isnull=False)
        if rows.update(enabled_at=None, poll_due_at=None):
            _write_event(
                "los.connection.disabled", Connection.objects.get(pk=connection_id), by, at
            )


def check_connection(connection: Connection, *, at: datetime) -> str:
    """Sign in and ask for what changed since now; "" when it works, else what to mend."""
    adapter_pool.close_adapter(connection.pk)
    try:
        adapter_pool.get_adapter(connection).find_changed_since(at)
    except VendorError as problem:
        return str(problem)
    except TypeError:
        return "A credential is missing: client ID, client secret, user and password are needed."
    return ""


def subscribe_to_changes(*, connection_id: UUID | str, site: str, by: User, at: datetime) -> str:
    """Have the LOS tell us of changes, signed with a fresh key; the subscription's id.

    The new key is stored before the LOS has it, and the one before stays good,
    so no hint is turned away in between. Raises `core.failures.Failure`.

    Args:
        site: our public address, without a slash at its end.
    """
    key = secrets.token_urlsafe(36)
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        keys = [key, *adapter_pool.load_webhook_keys(row)][:MAX_WEBHOOK_KEYS]
        row.webhook_keys = json.dumps(keys)
        row.save(update_fields=["webhook_keys"])
        _write_event("los.connection.key_renewed", row, by, at)
    endpoint = f"{site}/in/{row.los}/{row.slug}/"
    made: str = adapter_pool.get_adapter(row).subscribe(endpoint, key)
    write_event(
        "los.connection.subscribed",
        at=at,
        actor=f"user:{by.pk}",
        connection_id=row.pk,
        subscription=made,
    )
    return made


def credentials_on_file(connection: Connection) -> dict[str, bool]:
    """Which credentials are on file; never what they are."""
    held = json.loads(connection.credentials or "{}")
    return {name: bool(held.get(name)) for name in CREDENTIAL_FIELDS}


def _plain_values(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: facts[name].strip() for name in PLAIN_FIELDS if name in facts}


def _validate_fields(facts: Mapping[str, str]) -> None:
    if not facts.get("name", "").strip():
        raise InvalidConnection("name", "Give it a name.")
    if not facts.get("instance", "").strip():
        raise InvalidConnection("instance", "Give the instance, as BE11200000 or TEBE11200000.")
    if not facts.get("base_url", "").startswith(("https://", "http://")):
        raise InvalidConnection(
            "base_url", "Give the address of the API, as https://api.example.com."
        )


def _free_slug(instance: str) -> str:
    stem = slugify(instance)[:40] or "los"
    taken = set(Connection.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    nth, slug = 1, stem
    while slug in taken:
        nth += 1
        slug = f"{stem}-{nth}"
    return slug


def _write_event(kind: str, row: Connection, by: User, at: datetime, **data: Any) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", connection_id=row.pk, **data)
