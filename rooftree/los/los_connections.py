"""LOS connections: address, credentials, and the subscription to loan changes."""

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
MAX_WEBHOOK_KEYS = 2  # the new signing key and the previous one, during the changeover


class InvalidConnection(InvalidField):
    """A connection's details are invalid."""


def add_connection(
    *, los: str, details: Mapping[str, str], credentials: Mapping[str, str], by: User, at: datetime
) -> Connection:
    """Add a connection, disabled until `enable_connection`. Raises `InvalidConnection`."""
    if los not in ADAPTERS:
        raise InvalidConnection("los", "Choose a loan origination system.")
    _validate_fields(details)
    with atomic():
        connection = Connection.objects.create(
            id=uuid7_at(at),
            los=los,
            slug=_free_slug(details["instance"]),
            credentials=json.dumps({k: v for k, v in credentials.items() if v}),
            **_plain_values(details),
        )
        _write_event("los.connection.added", connection, by, at)
    return connection


def update_connection(
    *, connection_id: UUID | str, details: Mapping[str, str], credentials: Mapping[str, str],
    by: User, at: datetime,
) -> Connection:  # fmt: skip
    """Edit a connection; an empty credential stays unchanged. Raises `InvalidConnection`."""
    _validate_fields(details)
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        stored = json.loads(row.credentials or "{}")
        new_credentials = {key: value for key, value in credentials.items() if value}
        changed = [
            name for name, value in _plain_values(details).items() if getattr(row, name) != value
        ]
        changed += [name for name in new_credentials if stored.get(name) != new_credentials[name]]
        for name, value in _plain_values(details).items():
            setattr(row, name, value)
        row.credentials = json.dumps(stored | new_credentials)
        row.save(update_fields=[*PLAIN_FIELDS, "credentials"])
        if changed:
            _write_event("los.connection.changed", row, by, at, changed=changed)
    adapter_pool.close_adapter(row.pk)
    return row


def enable_connection(*, connection_id: UUID | str, by: User, at: datetime) -> None:
    """Start handing loans over through a connection. A repeat keeps the first time."""
    with atomic():
        rows = Connection.objects.filter(pk=connection_id, enabled_at=None)
        if rows.update(enabled_at=at, poll_due_at=at):
            _write_event("los.connection.enabled", Connection.objects.get(pk=connection_id), by, at)


def disable_connection(*, connection_id: UUID | str, by: User, at: datetime) -> None:
    """Stop handing loans over and reading them through a connection."""
    with atomic():
        rows = Connection.objects.filter(pk=connection_id, enabled_at__isnull=False)
        if rows.update(enabled_at=None, poll_due_at=None):
            _write_event(
                "los.connection.disabled", Connection.objects.get(pk=connection_id), by, at
            )


def check_connection(connection: Connection, *, at: datetime) -> str:
    """Sign in and search once; return "" if it works, else the problem to fix."""
    adapter_pool.close_adapter(connection.pk)
    try:
        adapter_pool.get_adapter(connection).find_changed_since(at)
    except VendorError as problem:
        return str(problem)
    return ""


def subscribe_to_changes(*, connection_id: UUID | str, site: str, by: User, at: datetime) -> str:
    """Subscribe to the LOS's loan changes, signed with a fresh key; return the subscription id.

    The new key is stored before the LOS gets it, and the previous one stays valid, so no
    hint is rejected in between. Raises `InvalidConnection` when a credential is missing, and
    `VendorError`.

    Args:
        site: our public address, without a trailing slash.
    """
    key = secrets.token_urlsafe(36)
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        if not all(credentials_on_file(row).values()):
            raise InvalidConnection("", adapter_pool.MISSING_CREDENTIAL)
        keys = [key, *adapter_pool.load_webhook_keys(row)][:MAX_WEBHOOK_KEYS]
        row.webhook_keys = json.dumps(keys)
        row.save(update_fields=["webhook_keys"])
        _write_event("los.connection.key_renewed", row, by, at)
    endpoint = f"{site}/in/{row.los}/{row.slug}/"
    subscription_id: str = adapter_pool.get_adapter(row).subscribe(endpoint, key)
    write_event(
        "los.connection.subscribed",
        at=at,
        actor=f"user:{by.pk}",
        connection_id=row.pk,
        subscription=subscription_id,
    )
    return subscription_id


def credentials_on_file(connection: Connection) -> dict[str, bool]:
    """Return which credentials are on file, never their values."""
    credentials = json.loads(connection.credentials or "{}")
    return {name: bool(credentials.get(name)) for name in CREDENTIAL_FIELDS}


def _plain_values(details: Mapping[str, str]) -> dict[str, str]:
    return {name: details[name].strip() for name in PLAIN_FIELDS if name in details}


def _validate_fields(details: Mapping[str, str]) -> None:
    if not details.get("name", "").strip():
        raise InvalidConnection("name", "Enter a name.")
    if not details.get("instance", "").strip():
        raise InvalidConnection(
            "instance", "Enter the instance, such as BE11200000 or TEBE11200000."
        )
    if not details.get("base_url", "").startswith(("https://", "http://")):
        raise InvalidConnection(
            "base_url", "Enter the API address, such as https://api.example.com."
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
