"""What staff tell the adapter of a source: its numbers and campaigns, its senders, its partner."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.envelope import Setting, SettingKind
from rooftree.capture.source_setup import BadSource, keep_told
from rooftree.capture.sources import SOURCES
from rooftree.core.phones import phone_number
from rooftree.leads.models import Source
from rooftree.org.models import User

LONGEST = 200  # characters of one value
MOST = 200  # lines of a list


def asked_of(source: Source) -> tuple[Setting, ...]:
    """What its adapter may be told; nothing for most."""
    found: tuple[Setting, ...] = getattr(SOURCES.get(source.adapter), "SETTINGS", ())
    return found


def tell(*, source_id: UUID, typed: Mapping[str, Any], by: User, at: datetime) -> Source:
    """Keep what was typed; what is empty goes back to the usual. Raises `BadSource`."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        wanted = {one.key: _value(one, typed.get(one.key)) for one in asked_of(source)}
        keep_told(source, wanted, by=by, at=at)
    return source


def lines_of(one: Setting, stored: Any) -> Any:
    """A stored value as it is typed again."""
    if one.kind is SettingKind.PAIRS:
        return [f"{theirs} = {ours}" for theirs, ours in (stored or {}).items()]
    return stored


def _value(one: Setting, typed: Any) -> Any:
    if one.kind is SettingKind.LINES:
        return [str(line)[:LONGEST] for line in typed or []][:MOST]
    if one.kind is SettingKind.PAIRS:
        return dict(_pair(one, str(line)) for line in (typed or [])[:MOST])
    text = str(typed or "").strip()[:LONGEST]
    if one.kind is SettingKind.PHONE and text:
        return _number(one.key, text)
    return text


def _pair(one: Setting, line: str) -> tuple[str, str]:
    theirs, sign, ours = (part.strip()[:LONGEST] for part in line.partition("="))
    if not (theirs and sign and ours):
        raise BadSource(one.key, f"Write “{line[:60]}” as two words with = between.")
    return (_number(one.key, theirs), ours) if theirs.startswith("+") else (theirs, ours)


def _number(key: str, text: str) -> str:
    found = phone_number(text).e164
    if found is None:
        raise BadSource(key, f"{text[:60]} is no phone number.")
    return found
