"""Minority shares by place, from a census file the operator loads; only for the monitor.

Lines of one place, such as the tracts of a ZIP code, are averaged, weighted by population.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction

from rooftree.core.us_states import STATES
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_rows
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.reporting.models import MinorityShare, MinorityShareFile

MAX_LINES = 100_000  # the country has 85,000 tracts
HUNDREDTH = Decimal("0.01")


class InvalidShareFile(Exception):
    """A file without usable minority shares. The text is fit to show."""


def load_file(body: bytes, *, name: str, by: User, at: datetime) -> MinorityShareFile:
    """Load a file and use it from now on. Loading the same file again changes nothing.

    Columns: `minority_share` in percent, with `zip`, or with `county` and `state`; also `people` if
    several lines belong to one place. Raises `InvalidShareFile`.
    """
    digest = hashlib.sha256(body).hexdigest()
    if existing := MinorityShareFile.objects.filter(sha256=digest).first():
        return existing
    shares = parse_shares(body)
    with transaction.atomic():
        share_file = MinorityShareFile.objects.create(
            id=uuid7_at(at), name=name[:200], sha256=digest, places=len(shares), loaded_by=by,
            loaded_at=at,
        )  # fmt: skip
        insert_rows(
            [
                MinorityShare(id=uuid7_at(at), file=share_file, key=key, minority_pct=pct)
                for key, pct in shares.items()
            ]
        )
        write_event(
            "reporting.places.loaded", at=at, actor=f"user:{by.pk}", file=share_file.pk,
            places=len(shares),
        )  # fmt: skip
    return share_file


def newest_file() -> MinorityShareFile | None:
    """Return the file in use; None if none is loaded."""
    return MinorityShareFile.objects.order_by("-loaded_at", "-id").first()


def load_shares(file: MinorityShareFile | None) -> dict[str, float]:
    """Return the minority share by place, in percent; empty without a file."""
    rows = MinorityShare.objects.filter(file=file) if file else MinorityShare.objects.none()
    return {key: float(pct) for key, pct in rows.values_list("key", "minority_pct")}


def county_key(state: str, county: str) -> str:
    """Return the key of a county: `TX/travis`."""
    name = " ".join(county.lower().replace(".", "").split())
    for ending in (" county", " parish", " borough", " municipio"):
        name = name.removesuffix(ending)
    return f"{state.upper()}/{name}"[:80]


def parse_shares(body: bytes) -> dict[str, Decimal]:
    """Parse a file into the minority share by place, in percent. Raises `InvalidShareFile`."""
    try:
        rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        heading = [fieldname.strip().lower() for fieldname in rows.fieldnames or ()]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidShareFile("This isn’t a CSV file.") from error
    has_place = "zip" in heading or {*heading} >= {"county", "state"}
    if "minority_share" not in heading or not has_place:
        raise InvalidShareFile(
            "Name the columns minority_share and zip, or minority_share, county and state."
        )
    rows.fieldnames = heading
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for number, (key, people, pct) in enumerate(_parse_lines(rows), start=1):
        if number > MAX_LINES:
            raise InvalidShareFile(f"More than {MAX_LINES:,} lines.")
        population, weighted = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = population + people, weighted + people * pct
    if not any(people for people, _ in sums.values()):
        raise InvalidShareFile("The file has no lines.")
    return {
        key: (weighted / population).quantize(HUNDREDTH)
        for key, (population, weighted) in sums.items()
        if population
    }


def _parse_lines(
    rows: Iterable[Mapping[str, str | None]],
) -> Iterable[tuple[str, Decimal, Decimal]]:
    for number, row in enumerate(rows, start=2):
        line = {name: (value or "").strip() for name, value in row.items() if name}
        try:
            pct, people = Decimal(line["minority_share"]), Decimal(line.get("people") or 1)
        except InvalidOperation:
            raise InvalidShareFile(
                f"Line {number}: minority_share and people must be numbers."
            ) from None
        key = _place_key(line)
        if not key or not 0 <= pct <= 100 or people < 0:
            raise InvalidShareFile(
                f"Line {number}: enter a five-digit ZIP code, or a county and its state, and a "
                "share from 0 to 100."
            )
        yield key, people, pct


def _place_key(line: Mapping[str, str]) -> str:
    code = line.get("zip", "").zfill(5)
    if line.get("zip") and len(code) == 5 and code.isdigit():
        return code
    state = line.get("state", "").upper()
    if line.get("zip") or state not in STATES or not line.get("county"):
        return ""
    return county_key(state, line["county"])
