"""Setting up who sends us leads: a source, its address, its secret."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.db.transaction import atomic
from django.utils.text import slugify

from rooftree.capture.intake.source_lookup import ADAPTERS_ADDRESSED_BY_NAME, hash_token
from rooftree.capture.sources import SOURCES
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.leads.vocabulary import Channel
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

EDITABLE = (
    *("name", "zone", "cost_cents", "expected_gap"),
    *("per_minute", "allowed_origins", "is_test"),
)
TOKEN_BYTES = 24
ADAPTERS_WITH_PROOF_CHOICE = frozenset(key for key, one in SOURCES.items() if hasattr(one, "PROOF"))
SIGNING_ADAPTERS = ADAPTERS_WITH_PROOF_CHOICE | {
    "website_form",
    "chat_generic",
}  # whose senders may bring a secret of their own
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


class BadSource(InvalidField):
    """A source that cannot be set up so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWithSecrets:
    """A source with what is shown once: the token of its address, and its signing secret."""

    source: Source
    secret: str  # "" where the vendor signs nothing


def create_source(
    *, adapter: str, name: str, details: Mapping[str, Any], by: User, at: datetime
) -> SourceWithSecrets:
    """A new source with a fresh, unguessable address.

    Args:
        adapter: a key of capture.sources.SOURCES.
        details: other columns of EDITABLE.

    Raises `BadSource`.
    """
    if adapter not in SOURCES:
        raise BadSource("adapter", "Choose how the leads arrive.")
    wanted = {"name": name.strip(), **details}
    _check_details(wanted, adapter, but=None)
    token, secret = _generate_secrets(adapter)
    with atomic():
        source = Source.objects.create(
            id=uuid7_at(at),
            adapter=adapter,
            slug=_free_slug(wanted["name"]),
            token=token,
            token_hash=hash_token(token),
            secret=secret,
            created_at=at,
            launched_at=at
            if hasattr(SOURCES[adapter], "RECORD_FORMAT")
            else None,  # a file is no feed
            **wanted,
        )
        _record_event("capture.source.added", source, by, at, adapter=adapter)
    return SourceWithSecrets(source=source, secret=secret)


def update_source(
    *, source_id: UUID | str, by: User, at: datetime, details: Mapping[str, Any]
) -> Source:
    """Correct a source; its address stays. Raises `BadSource`."""
    wanted = dict(details)
    if wanted.keys() - set(EDITABLE):
        raise BadSource("", "The address and the adapter of a source stay; make another source.")
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        _check_details(wanted, source.adapter, but=source)
        changed = [name for name, value in wanted.items() if getattr(source, name) != value]
        if changed:
            Source.objects.filter(pk=source.pk).update(**{name: wanted[name] for name in changed})
            _record_event("capture.source.changed", source, by, at, changed=changed)
    return Source.objects.get(pk=source.pk)


def renew_secrets(*, source_id: UUID | str, by: User, at: datetime) -> SourceWithSecrets:
    """A new address and secret; from now on the old ones are turned away."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        token, secret = _generate_secrets(source.adapter)
        source.token, source.token_hash = token, hash_token(token)
        source.secret = secret or source.secret  # one the vendor gave stays
        source.save(update_fields=["token", "token_hash", "secret"])
        _record_event("capture.source.secrets_renewed", source, by, at)
    return SourceWithSecrets(source=source, secret=secret)


def save_adapter_setup(
    source: Source, wanted: Mapping[str, Any], *, by: User, at: datetime
) -> None:
    """Keep what its adapter is told; what is empty goes back to the usual.

    The row must be held: what else stands in its setup is kept as it was loaded.
    """
    others = {name: value for name, value in source.setup.items() if name not in wanted}
    kept = others | {name: value for name, value in wanted.items() if value}
    changed = [name for name in wanted if source.setup.get(name) != kept.get(name)]
    if changed:
        source.setup = kept
        source.save(update_fields=["setup"])
        _record_event("capture.source.told", source, by, at, changed=changed)


def save_setup_part(
    part: str, kept: Mapping[str, Any], *, source_id: UUID | str, by: User, at: datetime
) -> Source:
    """Keep one part of a source's set-up whole, as `bids`; the change is written down."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        if source.setup.get(part, {}) != kept:
            source.setup = {**source.setup, part: kept}
            source.save(update_fields=["setup"])
            _record_event(f"capture.source.{part}_changed", source, by, at, **{part: kept})
    return source


def pause_source(*, source_id: UUID | str, by: User, at: datetime) -> None:
    """Turn its deliveries away from now on. Pausing twice keeps the first time."""
    with atomic():
        if Source.objects.filter(pk=source_id, paused_at=None).update(paused_at=at):
            _record_event("capture.source.paused", Source.objects.get(pk=source_id), by, at)


def resume_source(*, source_id: UUID | str, by: User, at: datetime) -> None:
    """Take its deliveries again."""
    with atomic():
        if Source.objects.filter(pk=source_id, paused_at__isnull=False).update(paused_at=None):
            _record_event("capture.source.resumed", Source.objects.get(pk=source_id), by, at)


def source_paths(source: Source, token: str = "") -> list[str]:
    """All that a source posts to; without `token` the secret part is left out.

    One that is bid to pings the first path and posts to the second.
    """
    adapter = SOURCES.get(source.adapter)
    listed = adapter.PATHS if adapter else [f"{source.adapter}/<token>"]
    return [
        f"/in/{path.replace('<site>', source.slug).replace('<token>', token or '<token>')}"
        for path in listed
    ]


def source_addresses(source: Source, token: str = "") -> list[str]:
    """The same as its sender is told them: addresses of the web, or one of our mail server."""
    if getattr(SOURCES.get(source.adapter), "CHANNEL", "") is Channel.EMAIL:
        inbox = settings.REPLY_DOMAIN or "<your inbox domain>"
        return [f"leads+{token or '<token>'}@{inbox}"]
    return [f"{settings.PUBLIC_URL}{path}" for path in source_paths(source, token)]


def adapter_label(source: Source) -> str:
    """How its leads arrive, as staff read it."""
    adapter = SOURCES.get(source.adapter)
    return adapter.LABEL if adapter else source.adapter


def _generate_secrets(adapter: str) -> tuple[str, str]:
    """The token of its path, and a signing secret where the sender can sign with one."""
    secret = secrets.token_urlsafe(32) if adapter in SIGNING_ADAPTERS else ""
    if (
        adapter in ADAPTERS_ADDRESSED_BY_NAME
    ):  # its address is no secret: it stands in pages everybody reads
        return "", secret
    is_address = SOURCES[adapter].CHANNEL is Channel.EMAIL  # mail servers lose capitals
    make = secrets.token_hex if is_address else secrets.token_urlsafe
    return make(TOKEN_BYTES), secret


def _free_slug(name: str) -> str:
    stem = slugify(name)[:40] or "source"
    taken = set(Source.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    nth, slug = 1, stem
    while slug in taken:
        nth += 1
        slug = f"{stem}-{nth}"
    return slug


def _check_details(wanted: dict[str, Any], adapter: str, *, but: Source | None) -> None:
    if "name" in wanted:
        if not wanted["name"]:
            raise BadSource("name", "Give it a name.")
        others = Source.objects.filter(name__iexact=wanted["name"])
        if any(other != but for other in others):
            raise BadSource("name", "Another source has this name.")
    if "zone" in wanted and wanted["zone"] not in available_timezones():
        raise BadSource("zone", "Choose a time zone.")
    if "allowed_origins" in wanted:
        wanted["allowed_origins"] = [_parse_origin(one) for one in wanted["allowed_origins"]]
        if adapter == "website_form" and not wanted["allowed_origins"]:
            raise BadSource(
                "allowed_origins",
                "Name the website the form stands on, as https://www.example.com.",
            )


def _parse_origin(typed: str) -> str:
    parts = urlsplit(typed.strip())
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if not _ORIGIN.fullmatch(origin):
        raise BadSource(
            "allowed_origins", f"{typed} is no address of a website; write https://www.example.com."
        )
    return origin


def _record_event(kind: str, source: Source, by: User, at: datetime, **data: Any) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", source_id=source.pk, **data)
