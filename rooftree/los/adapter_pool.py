"""From a connection row to an adapter ready to talk."""

import json
import threading
from importlib import import_module
from typing import Any
from uuid import UUID

from rooftree.los.adapters import ADAPTERS
from rooftree.los.models import Connection

_adapters: dict[UUID, Any] = {}
_mutex = threading.Lock()


def get_adapter(connection: Connection) -> Any:
    """The adapter of a connection: one a process, shared by its threads.

    The row is read again at each sign-in, so that a changed secret is taken up
    without a restart.
    """
    with _mutex:
        if connection.pk not in _adapters:
            module, _, name = ADAPTERS[connection.los].partition(":")
            kind = getattr(import_module(module), name)
            key = connection.pk
            _adapters[key] = kind(lambda: _load_settings(module, key))
        return _adapters[connection.pk]


def close_adapter(connection_id: UUID) -> None:
    """Close what is open for a connection, as when its address was edited."""
    with _mutex:
        known = _adapters.pop(connection_id, None)
    if known is not None:
        known.close()


def load_webhook_keys(connection: Connection) -> list[str]:
    """The signing keys that are good now, newest first."""
    found: list[str] = json.loads(connection.webhook_keys or "[]")
    return found


def _load_settings(module: str, connection_id: UUID) -> Any:
    row = Connection.objects.get(pk=connection_id)
    held = json.loads(row.credentials or "{}")
    return import_module(module).Settings(base_url=row.base_url, instance=row.instance, **held)
