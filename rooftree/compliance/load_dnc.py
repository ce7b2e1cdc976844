"""Bringing a registry's file into the tables that every look-up reads, all of it or nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BufferedIOBase
from itertools import batched

from django.db import connection, transaction

from rooftree.compliance import dnc_file
from rooftree.compliance.dnc_file import BLOCK_BYTES, Blocks, NotAList, Numbers
from rooftree.compliance.models import DncArea, DncBlock, DncFile
from rooftree.compliance.rulebook import SCRUB_DAYS, SEPARATE_LISTS
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org.models import User

NATIONAL, LITIGATOR, INTERNAL = "US", "LITIGATOR", "INTERNAL"
KEPT = (LITIGATOR, INTERNAL)  # ours to keep; no age makes them worthless
REGISTRIES = (NATIONAL, *sorted(SEPARATE_LISTS), LITIGATOR, INTERNAL)
AT_ONCE = 5000  # blocks a statement
LOCK = "select pg_advisory_xact_lock(hashtext(%s))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as somebody handed it in."""

    registry: str
    name: str
    dated: date  # of which day it is the registry's copy
    file: BufferedIOBase
    may_shrink: bool = False  # somebody says that it is right although far smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a file did, or would do."""

    registry: str
    dated: date
    is_change: bool
    areas: tuple[str, ...]
    numbers: int  # listed now, in what it speaks of
    added: int
    removed: int
    was_known: bool = False  # this very file was loaded before; nothing happened


def load(upload: Upload, *, by: User | None, at: datetime, is_trial: bool = False) -> Loaded:
    """Load a file: a full one replaces its area codes, a change list adds and takes off.

    The internal list only grows. Loading the same file twice is one load.
    Raises `NotAList` with a sentence for staff; then nothing has changed.

    Args:
        is_trial: say what would happen and change nothing.
    """
    _refuse_dates(upload, at)
    numbers, sha256 = _read(upload.file)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [f"dnc:{upload.registry}"])
        held = _held(upload.registry)
        same = DncFile.objects.filter(registry=upload.registry, sha256=sha256, dated=upload.dated)
        known = same.first()
        if known is not None:
            return _as_before(known, held)
        areas = _areas(upload.registry, numbers)
        _refuse(upload, numbers, areas, held)
        plan = _planned(upload, numbers, areas)
        done = _counted(upload, numbers, plan, areas)
        if not upload.may_shrink:
            _refuse_cut_off(upload.registry, done, areas, held)
        if not is_trial:
            _write(upload, plan, done, sha256, by, at)
        return done


def _read(file: BufferedIOBase) -> tuple[Numbers, str]:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    with dnc_file.opened(file) as lines:
        return dnc_file.read(lines), digest


def _refuse_dates(upload: Upload, at: datetime) -> None:
    if upload.registry not in REGISTRIES:
        raise NotAList(f"There is no list {upload.registry}; there are {', '.join(REGISTRIES)}.")
    if upload.dated > at.date():
        raise NotAList(f"{upload.dated} has not come yet; give the day of the download.")
    if upload.registry not in KEPT and upload.dated < at.date() - timedelta(days=SCRUB_DAYS):
        raise NotAList(
            f"A copy of {upload.dated} is over {SCRUB_DAYS} days old; download a new one."
        )


def _held(registry: str) -> dict[str, DncArea]:
    return {one.area: one for one in DncArea.objects.filter(registry=registry)}


def _as_before(known: DncFile, held: dict[str, DncArea]) -> Loaded:
    return Loaded(
        registry=known.registry,
        dated=known.dated,
        is_change=known.is_change,
        areas=tuple(known.areas),
        numbers=sum(held[one].numbers for one in known.areas if one in held),
        added=0,
        removed=0,
        was_known=True,
    )


def _areas(registry: str, numbers: Numbers) -> tuple[str, ...]:
    """National files are by area code; every other list is one whole."""
    return tuple(numbers.areas) if registry == NATIONAL else ("",)


def _refuse(
    upload: Upload, numbers: Numbers, areas: Sequence[str], held: dict[str, DncArea]
) -> None:
    if numbers.is_change:
        missing = [one for one in areas if one not in held]
        if missing:
            names = ", ".join(missing) or "this list"
            raise NotAList(
                f"There is no full file of {names} yet for these changes; load it first."
            )
    newer = [one for one in areas if one in held and held[one].dated > upload.dated]
    if newer:
        raise NotAList(f"A copy of {held[newer[0]].dated} is held already; this one is older.")


def _planned(upload: Upload, numbers: Numbers, areas: Sequence[str]) -> Blocks:
    """They are the blocks as they will be, also those that become empty."""
    if not numbers.is_change and upload.registry != INTERNAL:
        gone = {key: bytearray(BLOCK_BYTES) for key in _keys_held(upload.registry, areas)}
        return gone | numbers.listed
    plan: Blocks = {}
    for key, was in _before(upload.registry, {*numbers.listed, *numbers.removed}):
        add = int.from_bytes(numbers.listed.get(key, b""))
        off = int.from_bytes(numbers.removed.get(key, b""))
        plan[key] = bytearray(((was | add) & ~off).to_bytes(BLOCK_BYTES))
    return plan


def _keys_held(registry: str, areas: Sequence[str]) -> Iterator[str]:
    for area in areas:
        rows = DncBlock.objects.filter(pk__startswith=f"{registry}:{area}")
        yield from (key.partition(":")[2] for key in rows.values_list("pk", flat=True))


def _before(registry: str, keys: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each key with the bits held of it, a few thousand at a time."""
    for some in batched(sorted(keys), AT_ONCE):
        rows = DncBlock.objects.filter(pk__in=[f"{registry}:{one}" for one in some])
        held = dict(rows.values_list("pk", "bits"))
        for key in some:
            yield key, int.from_bytes(bytes(held.get(f"{registry}:{key}", b"")))


def _counted(upload: Upload, numbers: Numbers, plan: Blocks, areas: Sequence[str]) -> Loaded:
    added = removed = 0
    for key, was in _before(upload.registry, plan):
        now = int.from_bytes(plan[key])
        added += (now & ~was).bit_count()
        removed += (was & ~now).bit_count()
    return Loaded(
        registry=upload.registry,
        dated=upload.dated,
        is_change=numbers.is_change,
        areas=tuple(areas),
        numbers=dnc_file.size(plan),
        added=added,
        removed=removed,
    )


def _refuse_cut_off(
    registry: str, done: Loaded, areas: Sequence[str], held: dict[str, DncArea]
) -> None:
    """A file that would halve what is listed was cut off on its way, until somebody says not."""
    before = sum(held[one].numbers for one in areas if one in held)
    if not done.is_change and registry != INTERNAL and done.removed * 2 > max(before, 1):
        raise NotAList(
            f"It lists {done.removed:,} numbers fewer than the {before:,} held now. If that is "
            "right and the file is whole, say so and load it again."
        )


def _write(
    upload: Upload, plan: Blocks, done: Loaded, sha256: str, by: User | None, at: datetime
) -> None:
    file = DncFile.objects.create(
        id=uuid7_at(at),
        registry=upload.registry,
        is_change=done.is_change,
        name=upload.name[:200],
        sha256=sha256,
        dated=upload.dated,
        added=done.added,
        removed=done.removed,
        areas=list(done.areas),
        loaded_by=by,
        loaded_at=at,
    )
    _put(upload.registry, plan)
    for area in done.areas:
        DncArea.objects.update_or_create(
            id=f"{upload.registry}:{area}",
            defaults={
                "registry": upload.registry,
                "area": area,
                "dated": upload.dated,
                "numbers": _number_listed(upload.registry, area),
                "file": file,
            },
        )
    write(
        "compliance.registry.loaded",
        at=at,
        actor=f"user:{by.pk}" if by else "system:operator",
        file=file.pk,
        registry=upload.registry,
        dated=upload.dated.isoformat(),
        sha256=sha256,
        added=done.added,
        removed=done.removed,
    )


def _put(registry: str, plan: Blocks) -> None:
    """Replace these blocks; one without a number is dropped."""
    with connection.cursor() as cursor:
        for some in batched(plan, AT_ONCE):
            keys = [f"{registry}:{one}" for one in some]
            cursor.execute("delete from dnc_block where id = any(%s)", [keys])
        with cursor.copy("copy dnc_block (id, bits) from stdin") as copy:
            for prefix, bits in _filled(plan):
                copy.write_row((f"{registry}:{prefix}", bytes(bits)))


def _filled(plan: Blocks) -> Iterable[tuple[str, bytearray]]:
    return ((prefix, plan[prefix]) for prefix in sorted(plan) if any(plan[prefix]))


def _number_listed(registry: str, area: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(sum(bit_count(bits)), 0) from dnc_block where id like %s",
            [f"{registry}:{area}%"],
        )
        (count,) = cursor.fetchone()
    return int(count)
