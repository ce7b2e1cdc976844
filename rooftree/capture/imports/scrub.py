"""How many numbers of an import are on do-not-contact lists, by what is known of them now."""

from collections import Counter
from collections.abc import Collection
from datetime import date

from rooftree.compliance import held_lists, listed
from rooftree.compliance.load_dnc import INTERNAL, LITIGATOR, NATIONAL
from rooftree.compliance.models import Revocation
from rooftree.compliance.rulebook import SEPARATE_LISTS

OURS = ("do_not_contact", "vendor")
OPTED_OUT = ("stop", "wrong_person", "review")


def tally(numbers: Collection[str], *, today: date) -> Counter[str]:
    """Of some numbers (E.164), how many are on which list; those of no list are in `numbers` alone.

    `unknown` are those that no fresh copy of the national registry speaks of: they count as
    listed until one does.
    """
    found, good_for = Counter(numbers=len(numbers)), held_lists.good_for(today)
    copies = listed.of_many(numbers)
    live = Revocation.objects.filter(address__in=numbers, ended_at=None)
    stops: dict[str, set[str]] = {}
    for address, kind in live.values_list("address", "kind"):
        stops.setdefault(address, set()).add(kind)
    for number in numbers:
        mine = copies.get(number, {})
        on = {one.registry for one in mine.values() if one.is_listed}
        taken_back = stops.get(number, set())
        national = mine.get(NATIONAL)
        is_fresh = national and (today - national.dated).days <= good_for
        marks = {
            "national": NATIONAL in on,
            "state": bool(on & SEPARATE_LISTS),
            "litigator": LITIGATOR in on,
            "internal": INTERNAL in on or not taken_back.isdisjoint(OURS),
            "opted_out": not taken_back.isdisjoint(OPTED_OUT),
            "unknown": not is_fresh,
        }
        found.update(name for name, holds in marks.items() if holds)
        found["clear"] += not any(marks.values())
    return found
