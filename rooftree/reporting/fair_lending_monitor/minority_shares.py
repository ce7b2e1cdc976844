"""Who lives where, from a file of the census that the operator loads: for the monitor alone.

Lines of one place, as the tracts of a ZIP, are added together by their people.
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

MAX_LINES = 100_000  # lines; the country has 85,000 tracts
HUNDREDTH = Decimal("0.01")


class InvalidShareFile(Exception):
    """A file that says nothing about places. The text is fit to show."""


def load_file(body: bytes, *, name: str, by: User, at: datetime) -> MinorityShareFile:
    """Take a file in; from now on it is what counts. The same file again changes nothing.

    Its columns: `minority_share` in percent, with `zip`, or with `county` and `state`; and
    `people`, where several lines are one place. Raises `NotPlaces`.
    """
    digest = hashlib.sha256(body).hexdigest()
    if known := MinorityShareFile.objects.filter(sha256=digest).first():
        return known
    shares = parse_shares(body)
    with transaction.atomic():
        made = MinorityShareFile.objects.create(
            id=uuid7_at(at), name=name[:200], sha256=digest, places=len(shares), loaded_by=by,
            loaded_at=at,
        )  # fmt: skip
        insert_rows(
            [
                MinorityShare(id=uuid7_at(at), file=made, key=key, minority_pct=pct)
                for key, pct in shares.items()
            ]
        )
        write_event(
            "reporting.places.loaded", at=at, actor=f"user:{by.pk}", file=made.pk,
            places=len(shares),
        )  # fmt: skip
    return made


def newest_file() -> MinorityShareFile | None:
    """The file that counts."""
    return MinorityShareFile.objects.order_by("-loaded_at", "-id").first()


def load_shares(file: MinorityShareFile | None) -> dict[str, float]:
    """The share of each place, in percent."""
    rows = MinorityShare.objects.filter(file=file) if file else MinorityShare.objects.none()
    return {key: float(pct) for key, pct in rows.values_list("key", "minority_pct")}


def county_key(state: str, county: str) -> str:
    """What a county is known by: `TX/travis`."""
    said = " ".join(county.lower().replace(".", "").split())
    for ending in (" county", " parish", " borough", " municipio"):
        said = said.removesuffix(ending)
    return f"{state.upper()}/{said}"[:80]


def parse_shares(body: bytes) -> dict[str, Decimal]:
    """The share of each place of a file, in percent. Raises `NotPlaces`."""
    try:
        rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        heading = [fieldname.strip().lower() for fieldname in rows.fieldnames or ()]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidShareFile("This is no CSV file.") from error
    has_place = "zip" in heading or {*heading} >= {"county", "state"}
    if "minority_share" not in heading or not has_place:
        raise InvalidShareFile(
            "Name the columns: minority_share with zip, or with county and state."
        )
    rows.fieldnames = heading
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for number, (key, people, pct) in enumerate(_parse_lines(rows), start=1):
        if number > MAX_LINES:
            raise InvalidShareFile(f"More than {MAX_LINES:,} lines.")
        was_people, was_in = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = was_people + people, was_in + people * pct
    if not any(people for people, _ in sums.values()):
        raise InvalidShareFile("There is no line in it.")
    return {
        key: (within / people).quantize(HUNDREDTH)
        for key, (people, within) in sums.items()
        if people
    }


def _parse_lines(
    rows: Iterable[Mapping[str, str | None]],
) -> Iterable[tuple[str, Decimal, Decimal]]:
    for number, row in enumerate(rows, start=2):
        said = {name: (value or "").strip() for name, value in row.items() if name}
        try:
            pct, people = Decimal(said["minority_share"]), Decimal(said.get("people") or 1)
        except InvalidOperation:
            raise InvalidShareFile(f"Line {number}: a share and people are numbers.") from None
        key = _place_key(said)
        if not key or not 0 <= pct <= 100 or people < 0:
            raise InvalidShareFile(
                f"Line {number}: give five digits of a ZIP, or a county and its state, and a "
                "share from 0 to 100."
            )
        yield key, people, pct


def _place_key(said: Mapping[str, str]) -> str:
    code = said.get("zip", "").zfill(5)
    if said.get("zip") and len(code) == 5 and code.isdigit():
        return code
    state = said.get("state", "").upper()
    if said.get("zip") or state not in STATES or not said.get("county"):
        return ""
    return county_key(state, said["county"])
