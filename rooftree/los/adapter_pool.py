"""The pool of LOS adapters, one per connection and process."""

import json
import threading
from typing import Any
from uuid import UUID

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los.adapters import load_adapter_class, load_profile, load_settings_class
from rooftree.los.lender_mapping import build_lender_mapping
from rooftree.los.los_adapter import LosAdapter
from rooftree.los.models import Connection
from rooftree.money.company_day import company_zone

_adapters: dict[UUID, LosAdapter] = {}
_mutex = threading.Lock()


def get_adapter(connection: Connection) -> LosAdapter:
    """Return the adapter of a connection, one per process, shared by its threads.

    The row is read again at each use, so a changed secret or mapping takes effect
    without a restart.
    """
    los, connection_id = connection.los, connection.pk

    def load_settings() -> Any:
        row = Connection.objects.get(pk=connection_id)
        stored = {**row.options, **json.loads(row.credentials or "{}")}
        profile = load_profile(los)
        known = {*profile.option_keys, *profile.credential_keys}
        try:
            return load_settings_class(los)(
                base_url=row.base_url,
                instance=row.instance,
                zone=company_zone().key,
                lead_id_field=row.lead_id_field,
                mapping=build_lender_mapping(row),
                **{key: value for key, value in stored.items() if key in known},
            )
        except TypeError as problem:
            raise Misconfigured(missing_credential_text(los)) from problem

    with _mutex:
        if connection_id not in _adapters:
            _adapters[connection_id] = load_adapter_class(los)(load_settings)
        return _adapters[connection_id]


def missing_credential_text(los: str) -> str:
    """Return the sentence that names the credentials an LOS needs."""
    profile = load_profile(los)
    fields = (profile.field(key) for key in profile.credential_keys)
    return f"A credential is missing. Enter: {', '.join(f.label for f in fields if f)}."


def close_adapter(connection_id: UUID) -> None:
    """Close a connection's adapter, so the next use opens a new one with the edited settings."""
    with _mutex:
        adapter = _adapters.pop(connection_id, None)
    if adapter is not None:
        adapter.close()


def load_webhook_keys(connection: Connection) -> list[str]:
    """Return the webhook signing keys that are valid now, newest first."""
    keys: list[str] = json.loads(connection.webhook_keys or "[]")
    return keys
