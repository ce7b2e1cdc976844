"""Setup of lead sources: their details, addresses and secrets."""

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

from rooftree.capture.intake.source_admission import ADAPTERS_ADDRESSED_BY_NAME, hash_token
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
ADAPTERS_WITH_PROOF_CHOICE = frozenset(
    key for key, adapter in SOURCES.items() if hasattr(adapter, "PROOF")
)
# Adapters whose senders can sign with a secret we generate.
SIGNING_ADAPTERS = ADAPTERS_WITH_PROOF_CHOICE | {"website_form", "chat_generic"}
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


class BadSource(InvalidField):
    """A setup value of a source is not usable; the text is shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWithSecrets:
    """A source whose address token and signing secret are shown once."""

    source: Source
    secret: str  # "" if the sender does not sign


def create_source(
    *, adapter: str, name: str, details: Mapping[str, Any], by: User, at: datetime
) -> SourceWithSecrets:
    """Create a source with a new, unguessable address. Raises `BadSource`.

    Args:
        adapter: a key of capture.sources.SOURCES.
        details: other columns of EDITABLE.
    """
    if adapter not in SOURCES:
        raise BadSource("adapter", "Choose how the leads arrive.")
    columns = {"name": name.strip(), **details}
    _check_details(columns, adapter, but=None)
    token, secret = _generate_secrets(adapter)
    is_file_import = hasattr(SOURCES[adapter], "RECORD_FORMAT")
    with atomic():
        source = Source.objects.create(
            id=uuid7_at(at),
            adapter=adapter,
            slug=_free_slug(columns["name"]),
            token=token,
            token_hash=hash_token(token),
            secret=secret,
            created_at=at,
            launched_at=at if is_file_import else None,  # file imports need no audit
            **columns,
        )
        _record_event("capture.source.added", source, by, at, adapter=adapter)
    return SourceWithSecrets(source=source, secret=secret)


def update_source(
    *, source_id: UUID | str, by: User, at: datetime, details: Mapping[str, Any]
) -> Source:
    """Update a source's details; its address stays the same. Raises `BadSource`."""
    columns = dict(details)
    if columns.keys() - set(EDITABLE):
        raise BadSource(
            "", "A source's address and adapter can't be changed. Create another source."
        )
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        _check_details(columns, source.adapter, but=source)
        changed = [name for name, value in columns.items() if getattr(source, name) != value]
        if changed:
            Source.objects.filter(pk=source.pk).update(**{name: columns[name] for name in changed})
            _record_event("capture.source.changed", source, by, at, changed=changed)
    return Source.objects.get(pk=source.pk)


def renew_secrets(*, source_id: UUID | str, by: User, at: datetime) -> SourceWithSecrets:
    """Generate a new address and secret; deliveries with the old ones are rejected from now on."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        token, secret = _generate_secrets(source.adapter)
        source.token, source.token_hash = token, hash_token(token)
        source.secret = secret or source.secret  # keep a secret that the vendor chose
        source.save(update_fields=["token", "token_hash", "secret"])
        _record_event("capture.source.secrets_renewed", source, by, at)
    return SourceWithSecrets(source=source, secret=secret)


def save_adapter_setup(
    source: Source, values: Mapping[str, Any], *, by: User, at: datetime
) -> None:
    """Save adapter settings; an empty value returns to its default.

    The caller must have locked the row: the other setup values are saved as they were loaded.
    """
    others = {name: value for name, value in source.setup.items() if name not in values}
    setup = others | {name: value for name, value in values.items() if value}
    changed = [name for name in values if source.setup.get(name) != setup.get(name)]
    if changed:
        source.setup = setup
        source.save(update_fields=["setup"])
        _record_event("capture.source.told", source, by, at, changed=changed)


def save_setup_part(
    part: str, value: Mapping[str, Any], *, source_id: UUID | str, by: User, at: datetime
) -> Source:
    """Replace one part of a source's setup, such as `bids`, and record the change."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        if source.setup.get(part, {}) != value:
            source.setup = {**source.setup, part: value}
            source.save(update_fields=["setup"])
            _record_event(f"capture.source.{part}_changed", source, by, at, **{part: value})
    return source


def pause_source(*, source_id: UUID | str, by: User, at: datetime) -> None:
    """Reject a source's deliveries from now on; pausing again keeps the first time."""
    with atomic():
        if Source.objects.filter(pk=source_id, paused_at=None).update(paused_at=at):
            _record_event("capture.source.paused", Source.objects.get(pk=source_id), by, at)


def resume_source(*, source_id: UUID | str, by: User, at: datetime) -> None:
    """Accept a paused source's deliveries again."""
    with atomic():
        if Source.objects.filter(pk=source_id, paused_at__isnull=False).update(paused_at=None):
            _record_event("capture.source.resumed", Source.objects.get(pk=source_id), by, at)


def source_paths(source: Source, token: str = "") -> list[str]:
    """Return the paths a source posts to; without `token` the secret part is a placeholder.

    A ping-post source pings the first path and posts to the second.
    """
    adapter = SOURCES.get(source.adapter)
    paths = adapter.PATHS if adapter else [f"{source.adapter}/<token>"]
    return [
        f"/in/{path.replace('<site>', source.slug).replace('<token>', token or '<token>')}"
        for path in paths
    ]


def source_addresses(source: Source, token: str = "") -> list[str]:
    """Return the full addresses for the sender: URLs, or one email address."""
    if getattr(SOURCES.get(source.adapter), "CHANNEL", "") is Channel.EMAIL:
        inbox = settings.REPLY_DOMAIN or "<your inbox domain>"
        return [f"leads+{token or '<token>'}@{inbox}"]
    return [f"{settings.PUBLIC_URL}{path}" for path in source_paths(source, token)]


def adapter_label(source: Source) -> str:
    """Return the adapter's name as shown to staff."""
    adapter = SOURCES.get(source.adapter)
    return adapter.LABEL if adapter else source.adapter


def _generate_secrets(adapter: str) -> tuple[str, str]:
    """Generate the address token, and the signing secret if the sender can sign."""
    secret = secrets.token_urlsafe(32) if adapter in SIGNING_ADAPTERS else ""
    if adapter in ADAPTERS_ADDRESSED_BY_NAME:  # its address is public: it is in the form's page
        return "", secret
    # Mail servers can lowercase an address, so an email token has no capital letters.
    is_email = SOURCES[adapter].CHANNEL is Channel.EMAIL
    generate = secrets.token_hex if is_email else secrets.token_urlsafe
    return generate(TOKEN_BYTES), secret


def _free_slug(name: str) -> str:
    stem = slugify(name)[:40] or "source"
    taken = set(Source.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    number, slug = 1, stem
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug


def _check_details(columns: dict[str, Any], adapter: str, *, but: Source | None) -> None:
    """Check and normalize details; `but` is the source being updated."""
    if "name" in columns:
        if not columns["name"]:
            raise BadSource("name", "Enter a name.")
        others = Source.objects.filter(name__iexact=columns["name"])
        if any(other != but for other in others):
            raise BadSource("name", "Another source has this name.")
    if "zone" in columns and columns["zone"] not in available_timezones():
        raise BadSource("zone", "Choose a time zone.")
    if "allowed_origins" in columns:
        columns["allowed_origins"] = [_parse_origin(text) for text in columns["allowed_origins"]]
        if adapter == "website_form" and not columns["allowed_origins"]:
            raise BadSource(
                "allowed_origins", "Enter the form's website, like https://www.example.com."
            )


def _parse_origin(typed: str) -> str:
    parts = urlsplit(typed.strip())
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if not _ORIGIN.fullmatch(origin):
        raise BadSource(
            "allowed_origins",
            f"{typed} is not a website address. Enter one like https://www.example.com.",
        )
    return origin


def _record_event(kind: str, source: Source, by: User, at: datetime, **data: Any) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", source_id=source.pk, **data)
