"""Loading of a registry's file into the lookup tables, all or nothing."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BufferedIOBase
from itertools import batched

from django.db import transaction

from rooftree.compliance.do_not_call import list_file
from rooftree.compliance.do_not_call.list_file import BLOCK_BYTES, BadListFile, ListedNumbers
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import DncArea, DncBlock, DncFile
from rooftree.compliance.rule_changes import approved_changes
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import copy_rows, execute
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

NATIONAL, LITIGATOR, INTERNAL = "US", "LITIGATOR", "INTERNAL"
LISTS_WITHOUT_EXPIRY = (LITIGATOR, INTERNAL)  # maintained by the company; they never expire
REGISTRIES = (NATIONAL, *sorted(STATES_WITH_OWN_DNC_LIST), LITIGATOR, INTERNAL)
BLOCKS_PER_STATEMENT = 5000
LOCK_SQL = "select pg_advisory_xact_lock(hashtext(%s))"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUpload:
    """A file to load, as uploaded."""

    registry: str
    name: str
    dated: date  # the day of the registry's copy
    file: BufferedIOBase
    may_shrink: bool = False  # staff confirmed that a much smaller file is complete


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """The effect of a load, or of a trial run."""

    registry: str
    dated: date
    is_change: bool
    areas: tuple[str, ...]
    numbers: int  # listed now in its areas
    added: int
    removed: int
    redundant_changes: int = 0  # changes that were already in effect
    was_already_loaded: bool = False  # the same file was loaded before; nothing changed


@dataclass(slots=True)
class LoadPlan:
    """The changes a file makes; the counters are by area."""

    numbers: Counter[str]  # listed afterwards
    removed: Counter[str] = field(default_factory=Counter)
    added: int = 0
    redundant_changes: int = 0  # adds a listed number, or removes an unlisted one
    blocks: dict[str, bytes] = field(default_factory=dict)  # the new content, also if empty


def load_file(
    upload: ListUpload, *, by: User | None, at: datetime, is_trial: bool = False
) -> LoadResult:
    """Load a file: a full one replaces its area codes, a change list adds and removes numbers.

    The internal list only grows. Loading the same file again changes nothing. Raises `BadListFile`
    with a sentence for staff, and then nothing has changed.

    Args:
        is_trial: return what would happen and change nothing.
    """
    _check_dates(upload, at)
    sha256 = hashlib.file_digest(upload.file, "sha256").hexdigest()
    upload.file.seek(0)
    with list_file.open_lines(upload.file) as lines:
        numbers = list_file.read_numbers(lines)
    with transaction.atomic():
        execute(LOCK_SQL, [f"dnc:{upload.registry}"])
        rows = DncArea.objects.filter(registry=upload.registry)
        stored = {dnc_area.area: dnc_area for dnc_area in rows}
        same = DncFile.objects.filter(registry=upload.registry, sha256=sha256, dated=upload.dated)
        if earlier := same.first():
            return _repeat_result(earlier, stored)
        area_keys = (_area_key(upload.registry, area) for area in numbers.area_codes)
        areas = tuple(dict.fromkeys(area_keys))
        _check_against_stored(upload, numbers, areas, stored)
        plan = _plan_load(upload.registry, numbers, areas, stored)
        if not (numbers.has_change_lines or upload.may_shrink):
            _check_truncation(plan, stored)
        result = LoadResult(
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
            _store_load(upload, plan, result, sha256, by, at)
        return result


def _check_dates(upload: ListUpload, at: datetime) -> None:
    if upload.registry not in REGISTRIES:
        raise BadListFile(f"Unknown list {upload.registry}. Choose one of {', '.join(REGISTRIES)}.")
    if upload.dated > at.date():
        raise BadListFile(f"{upload.dated} is in the future. Enter the day of the download.")
    max_age_days = approved_changes.effective_number_on("dnc_scrub_days", at.date())
    if upload.registry not in LISTS_WITHOUT_EXPIRY and upload.dated < at.date() - timedelta(
        days=max_age_days
    ):
        raise BadListFile(
            f"The copy of {upload.dated} is over {max_age_days} days old. Download a new one."
        )


def _repeat_result(file: DncFile, stored: dict[str, DncArea]) -> LoadResult:
    return LoadResult(
        registry=file.registry,
        dated=file.dated,
        is_change=file.is_change,
        areas=tuple(file.areas),
        numbers=sum(stored[area].numbers for area in file.areas if area in stored),
        added=0,
        removed=0,
        was_already_loaded=True,
    )


def _area_key(registry: str, key: str) -> str:
    """Return the area code of a national file; other lists have a single area, ""."""
    return key[:3] if registry == NATIONAL else ""


def _check_against_stored(
    upload: ListUpload, numbers: ListedNumbers, areas: Sequence[str], stored: dict[str, DncArea]
) -> None:
    if numbers.has_change_lines:
        missing = [area for area in areas if area not in stored]
        if missing:
            names = ", ".join(missing) or "this list"
            raise BadListFile(f"Load the full file of {names} before these changes.")
    newer = [area for area in areas if area in stored and stored[area].dated > upload.dated]
    if newer:
        raise BadListFile(
            f"This copy is older than the copy of {stored[newer[0]].dated} already loaded."
        )
    if upload.registry == INTERNAL and numbers.removed:
        raise BadListFile("The internal list only grows, and this file removes numbers.")


def _plan_load(
    registry: str, numbers: ListedNumbers, areas: Sequence[str], stored: dict[str, DncArea]
) -> LoadPlan:
    """Compare a file with the stored blocks. Consumes `numbers`: a registry fills the memory."""
    is_full = not numbers.has_change_lines and registry != INTERNAL
    keys = {*numbers.listed, *numbers.removed}
    for area in areas if is_full else ():
        rows = DncBlock.objects.filter(pk__startswith=f"{registry}:{area}")
        keys.update(pk.partition(":")[2] for pk in rows.values_list("pk", flat=True))
    plan = LoadPlan(
        numbers=Counter({area: stored[area].numbers for area in areas if area in stored})
    )
    for key, was in _stored_blocks(registry, keys):
        now = int.from_bytes(numbers.listed.pop(key, b""))
        if not is_full:
            removed = int.from_bytes(numbers.removed.pop(key, b""))
            if numbers.has_change_lines:
                plan.redundant_changes += (now & was).bit_count() + (removed & ~was).bit_count()
            now = (was | now) & ~removed
        if now != was:
            plan.blocks[key] = now.to_bytes(BLOCK_BYTES)
            area = _area_key(registry, key)
            added_count, removed_count = (now & ~was).bit_count(), (was & ~now).bit_count()
            plan.added += added_count
            plan.removed[area] += removed_count
            plan.numbers[area] += added_count - removed_count
    return plan


def _stored_blocks(registry: str, keys: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield each key with its stored bits; read a few thousand blocks per query."""
    for batch in batched(sorted(keys), BLOCKS_PER_STATEMENT):
        rows = DncBlock.objects.filter(pk__in=[f"{registry}:{key}" for key in batch])
        bits_by_id = dict(rows.values_list("pk", "bits"))
        for key in batch:
            yield key, int.from_bytes(bytes(bits_by_id.get(f"{registry}:{key}", b"")))


def _check_truncation(plan: LoadPlan, stored: dict[str, DncArea]) -> None:
    """Refuse a file that would halve a list: the download was probably cut off.

    Each area code is checked, because a cut can shorten just the last one. Staff can confirm that
    the file is complete.
    """
    for area, count in plan.removed.items():
        if count and count * 2 > (before := stored[area].numbers):
            scope = f" for area code {area}" if area else ""
            raise BadListFile(
                f"This file lists {count:,} fewer numbers{scope} than the {before:,} loaded now. "
                "If the file is complete, confirm that and load it again."
            )


def _store_load(
    upload: ListUpload,
    plan: LoadPlan,
    result: LoadResult,
    sha256: str,
    by: User | None,
    at: datetime,
) -> None:
    file = DncFile.objects.create(
        id=uuid7_at(at),
        registry=upload.registry,
        is_change=result.is_change,
        name=upload.name[:200],
        sha256=sha256,
        dated=upload.dated,
        added=result.added,
        removed=result.removed,
        strays=result.redundant_changes,
        areas=list(result.areas),
        loaded_by=by,
        loaded_at=at,
    )
    _replace_blocks(upload.registry, plan.blocks)
    for area in result.areas:
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
        added=result.added,
        removed=result.removed,
    )


def _replace_blocks(registry: str, blocks: dict[str, bytes]) -> None:
    """Replace these blocks; drop a block without numbers."""
    for batch in batched(blocks, BLOCKS_PER_STATEMENT):
        ids = [f"{registry}:{key}" for key in batch]
        execute("delete from dnc_block where id = any(%s)", [ids])
    copy_rows(
        "copy dnc_block (id, bits) from stdin",
        ((f"{registry}:{key}", bits) for key, bits in blocks.items() if any(bits)),
    )
