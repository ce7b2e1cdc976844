"""The pool of LOS adapters, one per connection and process."""

import json
import threading
from importlib import import_module
from typing import Any
from uuid import UUID

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los.adapters import ADAPTERS
from rooftree.los.lender_mapping import build_lender_mapping
from rooftree.los.models import Connection
from rooftree.money.company_day import company_zone

MISSING_CREDENTIAL = (
    "A credential is missing. Enter the client ID, client secret, user and password."
)
_adapters: dict[UUID, Any] = {}
_mutex = threading.Lock()


def get_adapter(connection: Connection) -> Any:
    """Return the adapter of a connection, one per process, shared by its threads.

    The row is read again at each use, so a changed secret or mapping takes effect
    without a restart.
    """
    module, _, class_name = ADAPTERS[connection.los].partition(":")
    connection_id = connection.pk

    def load_settings() -> Any:
        row = Connection.objects.get(pk=connection_id)
        credentials = json.loads(row.credentials or "{}")
        settings_class = import_module(module).Settings
        try:
            return settings_class(
                base_url=row.base_url,
                instance=row.instance,
                zone=company_zone().key,
                lead_id_field=row.lead_id_field,
                mapping=build_lender_mapping(row),
                **credentials,
            )
        except TypeError as problem:
            raise Misconfigured(MISSING_CREDENTIAL) from problem

    with _mutex:
        if connection_id not in _adapters:
            adapter_class = getattr(import_module(module), class_name)
            _adapters[connection_id] = adapter_class(load_settings)
        return _adapters[connection_id]


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
