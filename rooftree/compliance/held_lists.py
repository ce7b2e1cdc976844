"""The do-not-contact lists that we hold, and for how long each copy still counts."""

from dataclasses import dataclass
from datetime import date

from rooftree.compliance.amending import standing
from rooftree.compliance.load_dnc import KEPT, REGISTRIES
from rooftree.compliance.models import DncArea


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One list, or the area codes of one that are of the same day."""

    registry: str
    dated: date
    areas: tuple[str, ...]  # none: a list that is one whole
    numbers: int  # listed
    days_left: int | None

    @property
    def parts(self) -> int:
        """How many files of the registry's it is."""
        return len(self.areas) or 1


def good_for(today: date) -> int:
    """For how many days a copy counts."""
    return standing.number("dnc_scrub_days", today)


def days_left(registry: str, dated: date, *, today: date, good_for: int) -> int | None:
    """For how long a copy still counts: below 0 it is too old, None for a list that stays good.

    The numbers of a copy that is too old count as listed (`compliance.dnc`).
    """
    return None if registry in KEPT else good_for - (today - dated).days


def held(*, today: date) -> list[Held]:
    """All of them, in the order of REGISTRIES, the oldest copies of each first."""
    rows: dict[tuple[int, date], list[DncArea]] = {}
    lasts = good_for(today)
    for one in DncArea.objects.order_by("area"):
        rows.setdefault((REGISTRIES.index(one.registry), one.dated), []).append(one)
    return [
        Held(
            registry=REGISTRIES[place],
            dated=dated,
            areas=tuple(one.area for one in areas if one.area),
            numbers=sum(one.numbers for one in areas),
            days_left=days_left(REGISTRIES[place], dated, today=today, good_for=lasts),
        )
        for (place, dated), areas in sorted(rows.items(), key=lambda row: row[0])
    ]
