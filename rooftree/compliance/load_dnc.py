"""Bringing a registry's file into the tables that every look-up reads, all of it or nothing."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BufferedIOBase
from itertools import batched

from django.db import connection, transaction

from rooftree.compliance import dnc_file
from rooftree.compliance.amending import standing
from rooftree.compliance.dnc_file import BLOCK_BYTES, NotAList, Numbers
from rooftree.compliance.models import DncArea, DncBlock, DncFile
from rooftree.compliance.rulebook import SEPARATE_LISTS
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
    strays: int = 0  # changes that were so already
    was_known: bool = False  # this very file was loaded before; nothing happened


@dataclass(slots=True)
class Plan:
    """What a file changes; the counts are by area."""

    numbers: Counter[str]  # listed afterwards
    removed: Counter[str] = field(default_factory=Counter)
    added: int = 0
    strays: int = 0  # added what was listed, or took off what was not
    blocks: dict[str, bytes] = field(default_factory=dict)  # as they will be, also empty ones


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
        plan = _planned(upload.registry, numbers, areas, held)
        if not (numbers.is_change or upload.may_shrink):
            _refuse_cut_off(plan, held)
        done = Loaded(
            registry=upload.registry,
            dated=upload.dated,
            is_change=numbers.is_change,
            areas=areas,
            numbers=plan.numbers.total(),
            added=plan.added,
            removed=plan.removed.total(),
            strays=plan.strays,
        )
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
    good_for = standing.number("dnc_scrub_days", at.date())
    if upload.registry not in KEPT and upload.dated < at.date() - timedelta(days=good_for):
        raise NotAList(f"A copy of {upload.dated} is over {good_for} days old; download a new one.")


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
    return tuple(dict.fromkeys(_area(registry, one) for one in numbers.areas))


def _area(registry: str, key: str) -> str:
    """National files are by area code; every other list is one whole."""
    return key[:3] if registry == NATIONAL else ""


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
    if upload.registry == INTERNAL and numbers.removed:
        raise NotAList("Our own list only grows, and this file takes numbers off.")


def _planned(
    registry: str, numbers: Numbers, areas: Sequence[str], held: dict[str, DncArea]
) -> Plan:
    """What differs from what is held. Takes `numbers` apart, for a registry fills the memory."""
    is_whole = not numbers.is_change and registry != INTERNAL
    gone = _keys_held(registry, areas) if is_whole else ()
    plan = Plan(numbers=Counter({one: held[one].numbers for one in areas if one in held}))
    for key, was in _before(registry, {*numbers.listed, *numbers.removed, *gone}):
        now = int.from_bytes(numbers.listed.pop(key, b""))
        if not is_whole:
            off = int.from_bytes(numbers.removed.pop(key, b""))
            if numbers.is_change:
                plan.strays += (now & was).bit_count() + (off & ~was).bit_count()
            now = (was | now) & ~off
        if now != was:
            plan.blocks[key] = now.to_bytes(BLOCK_BYTES)
            area, came, went = _area(registry, key), now & ~was, was & ~now
            plan.added += came.bit_count()
            plan.removed[area] += went.bit_count()
            plan.numbers[area] += came.bit_count() - went.bit_count()
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


def _refuse_cut_off(plan: Plan, held: dict[str, DncArea]) -> None:
    """A file that would halve what is listed was cut off on its way, until somebody says not.

    Of many area codes the last alone may be short, so each is looked at.
    """
    for area, gone in plan.removed.items():
        if gone and gone * 2 > (before := held[area].numbers):
            of = f" of area code {area}" if area else ""
            raise NotAList(
                f"It lists {gone:,} numbers fewer{of} than the {before:,} held now. If that is "
                "right and the file is whole, say so and load it again."
            )


def _write(
    upload: Upload, plan: Plan, done: Loaded, sha256: str, by: User | None, at: datetime
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
        strays=done.strays,
        areas=list(done.areas),
        loaded_by=by,
        loaded_at=at,
    )
    _put(upload.registry, plan.blocks)
    for area in done.areas:
        DncArea.objects.update_or_create(
            id=f"{upload.registry}:{area}",
            defaults={
                "registry": upload.registry,
                "area": area,
                "dated": upload.dated,
                "numbers": plan.numbers[area],
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


def _put(registry: str, blocks: dict[str, bytes]) -> None:
    """Replace these blocks; one without a number is dropped."""
    with connection.cursor() as cursor:
        for some in batched(blocks, AT_ONCE):
            keys = [f"{registry}:{one}" for one in some]
            cursor.execute("delete from dnc_block where id = any(%s)", [keys])
        with cursor.copy("copy dnc_block (id, bits) from stdin") as copy:
            for key, bits in blocks.items():
                if any(bits):
                    copy.write_row((f"{registry}:{key}", bits))
