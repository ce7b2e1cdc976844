"""Staff settings of a source's adapter, such as numbers, campaigns, senders and partner."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.parsing.envelope import Setting, SettingKind
from rooftree.capture.source_setup.manage_sources import BadSource, save_adapter_setup
from rooftree.capture.sources import SOURCES
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.leads.models import Source
from rooftree.org.models import User

MAX_VALUE_LENGTH = 200  # characters of one value
MAX_LIST_LINES = 200  # lines of a list


def available_settings(source: Source) -> tuple[Setting, ...]:
    """Return the settings of the source's adapter; most adapters have none."""
    adapter_settings: tuple[Setting, ...] = getattr(SOURCES.get(source.adapter), "SETTINGS", ())
    return adapter_settings


def save_settings(*, source_id: UUID, typed: Mapping[str, Any], by: User, at: datetime) -> Source:
    """Save typed settings; an empty one returns to its default. Raises `BadSource`."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        values = {
            setting.key: _parse_value(setting, typed.get(setting.key))
            for setting in available_settings(source)
        }
        save_adapter_setup(source, values, by=by, at=at)
    return source


def editable_value(setting: Setting, stored: Any) -> Any:
    """Return a stored value in the form in which it is typed."""
    if setting.kind is SettingKind.PAIRS:
        return [f"{key} = {value}" for key, value in (stored or {}).items()]
    return stored


def _parse_value(setting: Setting, typed: Any) -> Any:
    if setting.kind is SettingKind.LINES:
        return [str(line)[:MAX_VALUE_LENGTH] for line in typed or []][:MAX_LIST_LINES]
    if setting.kind is SettingKind.PAIRS:
        return dict(_parse_pair(setting, str(line)) for line in (typed or [])[:MAX_LIST_LINES])
    if setting.kind is SettingKind.YES_NO:
        return bool(typed)
    text = str(typed or "").strip()[:MAX_VALUE_LENGTH]
    if setting.kind is SettingKind.PHONE and text:
        return _parse_phone(setting.key, text)
    return text


def _parse_pair(setting: Setting, line: str) -> tuple[str, str]:
    key, sign, value = (part.strip()[:MAX_VALUE_LENGTH] for part in line.partition("="))
    if not (key and sign and value):
        raise BadSource(setting.key, f"Write “{line[:60]}” as two values with = between them.")
    return (_parse_phone(setting.key, key), value) if key.startswith("+") else (key, value)


def _parse_phone(key: str, text: str) -> str:
    e164 = parse_phone_number(text).e164
    if e164 is None:
        raise BadSource(key, f"{text[:60]} is not a phone number.")
    return e164
