"""The state and time zones of each area code, and the time zones of ZIP codes inside split states.

`area_codes.csv` is the numbering plan as of December 2026; an installation adds newer codes in a
file of the same form. `zip_zones.csv` is written by scripts/zip_zones. A code that is not listed
settles nothing, and the caller keeps every zone.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STATE_NAME_TABLE = """\
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut
DE Delaware|DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana
IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan
MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire
NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma
OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas
UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming
PR Puerto Rico|VI U.S. Virgin Islands|GU Guam|AS American Samoa|MP Northern Mariana Islands"""
STATE_NAMES: dict[str, str] = {
    entry[:2]: entry[3:] for line in _STATE_NAME_TABLE.splitlines() for entry in line.split("|")
}

_FOLDER = Path(__file__).parent
_AREA_CODE = re.compile(r"[2-9]\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCode:
    """One area code; without zones, it counts in every zone of its state."""

    state: str
    zones: tuple[str, ...] = ()


def read_area_codes(path: Path) -> tuple[dict[str, AreaCode], list[str]]:
    """Read a file with the columns area_code, state and zones; also return its bad lines.

    Zones are separated by spaces. An absent file is empty.
    """
    if not path.is_file():
        return {}, []
    codes: dict[str, AreaCode] = {}
    problems: list[str] = []
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, row in enumerate(csv.reader(lines), start=1):
        cells = [*(cell.strip() for cell in row), "", "", ""]
        code, state, zones = cells[0], cells[1].upper(), tuple(cells[2].split())
        if not any(cells) or code == "area_code":
            continue
        if not _AREA_CODE.fullmatch(code):
            problems.append(f"line {number}: {code[:20]!r} is no area code")
        elif state not in STATE_NAMES:
            problems.append(f"line {number}: {state[:20]!r} is no state")
        elif unknown := _find_unknown_zone(zones):
            problems.append(f"line {number}: {unknown[:40]!r} is no time zone")
        else:
            codes[code] = AreaCode(state=state, zones=zones)
    return codes, problems


def _find_unknown_zone(names: Iterable[str]) -> str | None:
    for name in names:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            return name
    return None


AREA_CODES, _ = read_area_codes(_FOLDER / "area_codes.csv")


def add_area_codes(path: Path) -> list[str]:
    """Add an installation's own area codes, which replace shipped ones; return the bad lines."""
    codes, problems = read_area_codes(path)
    AREA_CODES.update(codes)
    return problems


# By state and ZIP code, or by its three-digit prefix where the whole prefix agrees.
_ZIP_ZONES: dict[tuple[str, str], tuple[str, ...]] = {
    (state, code): tuple(zones.split())
    for state, code, zones in csv.reader(
        (_FOLDER / "zip_zones.csv").read_text(encoding="utf-8").splitlines()[1:]
    )
}


def area_code(phone: str) -> str | None:
    """Return the three-digit area code of a North American E.164 number, else None."""
    is_north_american = len(phone) == 12 and phone.startswith("+1") and phone[1:].isdigit()
    return phone[2:5] if is_north_american else None


def zones_of_zip(state: str, postal_code: str) -> tuple[str, ...]:
    """Return the time zones of a ZIP code inside a split state; none when it settles nothing.

    Where the sources of the table differ, the ZIP code has all their zones.
    """
    return _ZIP_ZONES.get((state, postal_code[:3])) or _ZIP_ZONES.get((state, postal_code[:5]), ())
