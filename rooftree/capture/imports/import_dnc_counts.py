"""How many numbers of an import are on do-not-contact lists, by what is known of them now."""

from collections import Counter
from collections.abc import Collection
from datetime import date

from rooftree.compliance.do_not_call import loaded_lists, number_lookup
from rooftree.compliance.do_not_call.load_list import INTERNAL, LITIGATOR, NATIONAL
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import Revocation

INTERNAL_STOP_KINDS = ("do_not_contact", "vendor")
OPT_OUT_KINDS = ("stop", "wrong_person", "review")


def count_listed_numbers(numbers: Collection[str], *, today: date) -> Counter[str]:
    """Of some numbers (E.164), how many are on which list; those of no list are in `numbers` alone.

    `unknown` are those that no fresh copy of the national registry speaks of: they count as
    listed until one does.
    """
    found, good_for = Counter(numbers=len(numbers)), loaded_lists.max_copy_age_days(today)
    copies = number_lookup.look_up_numbers(numbers)
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
            "state": bool(on & STATES_WITH_OWN_DNC_LIST),
            "litigator": LITIGATOR in on,
            "internal": INTERNAL in on or not taken_back.isdisjoint(INTERNAL_STOP_KINDS),
            "opted_out": not taken_back.isdisjoint(OPT_OUT_KINDS),
            "unknown": not is_fresh,
        }
        found.update(name for name, holds in marks.items() if holds)
        found["clear"] += not any(marks.values())
    return found
