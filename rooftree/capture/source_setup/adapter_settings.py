"""What staff tell the adapter of a source: its numbers and campaigns, its senders, its partner."""

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
    """What its adapter may be told; nothing for most."""
    found: tuple[Setting, ...] = getattr(SOURCES.get(source.adapter), "SETTINGS", ())
    return found


def save_settings(*, source_id: UUID, typed: Mapping[str, Any], by: User, at: datetime) -> Source:
    """Keep what was typed; what is empty goes back to the usual. Raises `BadSource`."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        wanted = {
            available_setting.key: _parse_value(available_setting, typed.get(available_setting.key))
            for available_setting in available_settings(source)
        }
        save_adapter_setup(source, wanted, by=by, at=at)
    return source


def editable_value(one: Setting, stored: Any) -> Any:
    """A stored value as it is typed again."""
    if one.kind is SettingKind.PAIRS:
        return [f"{theirs} = {ours}" for theirs, ours in (stored or {}).items()]
    return stored


def _parse_value(one: Setting, typed: Any) -> Any:
    if one.kind is SettingKind.LINES:
        return [str(line)[:MAX_VALUE_LENGTH] for line in typed or []][:MAX_LIST_LINES]
    if one.kind is SettingKind.PAIRS:
        return dict(_parse_pair(one, str(line)) for line in (typed or [])[:MAX_LIST_LINES])
    text = str(typed or "").strip()[:MAX_VALUE_LENGTH]
    if one.kind is SettingKind.PHONE and text:
        return _parse_phone(one.key, text)
    return text


def _parse_pair(one: Setting, line: str) -> tuple[str, str]:
    theirs, sign, ours = (part.strip()[:MAX_VALUE_LENGTH] for part in line.partition("="))
    if not (theirs and sign and ours):
        raise BadSource(one.key, f"Write “{line[:60]}” as two words with = between.")
    return (_parse_phone(one.key, theirs), ours) if theirs.startswith("+") else (theirs, ours)


def _parse_phone(key: str, text: str) -> str:
    found = parse_phone_number(text).e164
    if found is None:
        raise BadSource(key, f"{text[:60]} is no phone number.")
    return found
