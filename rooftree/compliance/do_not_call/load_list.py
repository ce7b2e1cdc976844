"""Bringing a registry's file into the tables that every look-up reads, all of it or nothing."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BufferedIOBase
from itertools import batched

from django.db import connection, transaction

from rooftree.compliance.do_not_call import list_file
from rooftree.compliance.do_not_call.list_file import BLOCK_BYTES, BadListFile, ListedNumbers
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import DncArea, DncBlock, DncFile
from rooftree.compliance.rule_changes import approved_changes
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

NATIONAL, LITIGATOR, INTERNAL = "US", "LITIGATOR", "INTERNAL"
LISTS_WITHOUT_EXPIRY = (LITIGATOR, INTERNAL)  # ours to keep; no age makes them worthless
REGISTRIES = (NATIONAL, *sorted(STATES_WITH_OWN_DNC_LIST), LITIGATOR, INTERNAL)
BLOCKS_PER_STATEMENT = 5000  # blocks a statement
LOCK_SQL = "select pg_advisory_xact_lock(hashtext(%s))"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUpload:
    """A file as somebody handed it in."""

    registry: str
    name: str
    dated: date  # of which day it is the registry's copy
    file: BufferedIOBase
    may_shrink: bool = False  # somebody says that it is right although far smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What a file did, or would do."""

    registry: str
    dated: date
    is_change: bool
    areas: tuple[str, ...]
    numbers: int  # listed now, in what it speaks of
    added: int
    removed: int
    redundant_changes: int = 0  # changes that were so already
    was_already_loaded: bool = False  # this very file was loaded before; nothing happened


@dataclass(slots=True)
class LoadPlan:
    """What a file changes; the counts are by area."""

    numbers: Counter[str]  # listed afterwards
    removed: Counter[str] = field(default_factory=Counter)
    added: int = 0
    redundant_changes: int = 0  # added what was listed, or took off what was not
    blocks: dict[str, bytes] = field(default_factory=dict)  # as they will be, also empty ones


def load_file(
    upload: ListUpload, *, by: User | None, at: datetime, is_trial: bool = False
) -> LoadResult:
    """Load a file: a full one replaces its area codes, a change list adds and takes off.

    The internal list only grows. Loading the same file twice is one load.
    Raises `NotAList` with a sentence for staff; then nothing has changed.

    Args:
        is_trial: say what would happen and change nothing.
    """
    _check_dates(upload, at)
    numbers, sha256 = _read_upload(upload.file)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK_SQL, [f"dnc:{upload.registry}"])
        held = _areas_by_code(upload.registry)
        same = DncFile.objects.filter(registry=upload.registry, sha256=sha256, dated=upload.dated)
        known = same.first()
        if known is not None:
            return _repeat_result(known, held)
        areas = _covered_areas(upload.registry, numbers)
        _check_against_stored(upload, numbers, areas, held)
        plan = _plan_load(upload.registry, numbers, areas, held)
        if not (numbers.has_change_lines or upload.may_shrink):
            _check_truncation(plan, held)
        done = LoadResult(
            registry=upload.registry,
            dated=upload.dated,
            is_change=numbers.has_change_lines,
            areas=areas,
            numbers=plan.numbers.total(),
            added=plan.added,
            removed=plan.removed.total(),
            redundant_changes=plan.redundant_changes,
        )
        if not is_trial:
            _store_load(upload, plan, done, sha256, by, at)
        return done


def _read_upload(file: BufferedIOBase) -> tuple[ListedNumbers, str]:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    with list_file.open_lines(file) as lines:
        return list_file.read_numbers(lines), digest


def _check_dates(upload: ListUpload, at: datetime) -> None:
    if upload.registry not in REGISTRIES:
        raise BadListFile(f"There is no list {upload.registry}; there are {', '.join(REGISTRIES)}.")
    if upload.dated > at.date():
        raise BadListFile(f"{upload.dated} has not come yet; give the day of the download.")
    good_for = approved_changes.effective_number_on("dnc_scrub_days", at.date())
    if upload.registry not in LISTS_WITHOUT_EXPIRY and upload.dated < at.date() - timedelta(
        days=good_for
    ):
        raise BadListFile(
            f"A copy of {upload.dated} is over {good_for} days old; download a new one."
        )


def _areas_by_code(registry: str) -> dict[str, DncArea]:
    return {dnc_area.area: dnc_area for dnc_area in DncArea.objects.filter(registry=registry)}


def _repeat_result(known: DncFile, held: dict[str, DncArea]) -> LoadResult:
    return LoadResult(
        registry=known.registry,
        dated=known.dated,
        is_change=known.is_change,
        areas=tuple(known.areas),
        numbers=sum(held[area].numbers for area in known.areas if area in held),
        added=0,
        removed=0,
        was_already_loaded=True,
    )


def _covered_areas(registry: str, numbers: ListedNumbers) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_area_key(registry, area) for area in numbers.area_codes))


def _area_key(registry: str, key: str) -> str:
    """National files are by area code; every other list is one whole."""
    return key[:3] if registry == NATIONAL else ""


def _check_against_stored(
    upload: ListUpload, numbers: ListedNumbers, areas: Sequence[str], held: dict[str, DncArea]
) -> None:
    if numbers.has_change_lines:
        missing = [area for area in areas if area not in held]
        if missing:
            names = ", ".join(missing) or "this list"
            raise BadListFile(
                f"There is no full file of {names} yet for these changes; load it first."
            )
    newer = [area for area in areas if area in held and held[area].dated > upload.dated]
    if newer:
        raise BadListFile(f"A copy of {held[newer[0]].dated} is held already; this one is older.")
    if upload.registry == INTERNAL and numbers.removed:
        raise BadListFile("Our own list only grows, and this file takes numbers off.")


def _plan_load(
    registry: str, numbers: ListedNumbers, areas: Sequence[str], held: dict[str, DncArea]
) -> LoadPlan:
    """What differs from what is held. Takes `numbers` apart, for a registry fills the memory."""
    is_whole = not numbers.has_change_lines and registry != INTERNAL
    gone = _stored_keys(registry, areas) if is_whole else ()
    plan = LoadPlan(numbers=Counter({area: held[area].numbers for area in areas if area in held}))
    for key, was in _stored_blocks(registry, {*numbers.listed, *numbers.removed, *gone}):
        now = int.from_bytes(numbers.listed.pop(key, b""))
        if not is_whole:
            off = int.from_bytes(numbers.removed.pop(key, b""))
            if numbers.has_change_lines:
                plan.redundant_changes += (now & was).bit_count() + (off & ~was).bit_count()
            now = (was | now) & ~off
        if now != was:
            plan.blocks[key] = now.to_bytes(BLOCK_BYTES)
            area, came, went = _area_key(registry, key), now & ~was, was & ~now
            plan.added += came.bit_count()
            plan.removed[area] += went.bit_count()
            plan.numbers[area] += came.bit_count() - went.bit_count()
    return plan


def _stored_keys(registry: str, areas: Sequence[str]) -> Iterator[str]:
    for area in areas:
        rows = DncBlock.objects.filter(pk__startswith=f"{registry}:{area}")
        yield from (key.partition(":")[2] for key in rows.values_list("pk", flat=True))


def _stored_blocks(registry: str, keys: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each key with the bits held of it, a few thousand at a time."""
    for some in batched(sorted(keys), BLOCKS_PER_STATEMENT):
        rows = DncBlock.objects.filter(pk__in=[f"{registry}:{one}" for one in some])
        held = dict(rows.values_list("pk", "bits"))
        for key in some:
            yield key, int.from_bytes(bytes(held.get(f"{registry}:{key}", b"")))


def _check_truncation(plan: LoadPlan, held: dict[str, DncArea]) -> None:
    """A file that would halve what is listed was cut off on its way, until somebody says not.

    Of many area codes the last alone may be short, so each is looked at.
    """
    for area, gone in plan.removed.items():
        if gone and gone * 2 > (before := held[area].numbers):
            of = f" of area code {area}" if area else ""
            raise BadListFile(
                f"It lists {gone:,} numbers fewer{of} than the {before:,} held now. If that is "
                "right and the file is whole, say so and load it again."
            )


def _store_load(
    upload: ListUpload, plan: LoadPlan, done: LoadResult, sha256: str, by: User | None, at: datetime
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
        strays=done.redundant_changes,
        areas=list(done.areas),
        loaded_by=by,
        loaded_at=at,
    )
    _replace_blocks(upload.registry, plan.blocks)
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
    write_event(
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


def _replace_blocks(registry: str, blocks: dict[str, bytes]) -> None:
    """Replace these blocks; one without a number is dropped."""
    with connection.cursor() as cursor:
        for some in batched(blocks, BLOCKS_PER_STATEMENT):
            keys = [f"{registry}:{one}" for one in some]
            cursor.execute("delete from dnc_block where id = any(%s)", [keys])
        with cursor.copy("copy dnc_block (id, bits) from stdin") as copy:
            for key, bits in blocks.items():
                if any(bits):
                    copy.write_row((f"{registry}:{key}", bits))
