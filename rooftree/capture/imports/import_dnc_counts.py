"""Counts of an import's phone numbers on do-not-contact lists, as known now."""

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
    """Count E.164 numbers by do-not-contact list; `numbers` is the total, `clear` those on no list.

    `unknown` counts numbers that no current copy of the national registry covers; they count as
    listed until one does.
    """
    totals, max_age_days = Counter(numbers=len(numbers)), loaded_lists.max_copy_age_days(today)
    copies = number_lookup.look_up_numbers(numbers)
    revocations = Revocation.objects.filter(address__in=numbers, ended_at=None)
    kinds_by_number: dict[str, set[str]] = {}
    for address, kind in revocations.values_list("address", "kind"):
        kinds_by_number.setdefault(address, set()).add(kind)
    for number in numbers:
        number_copies = copies.get(number, {})
        registries = {copy.registry for copy in number_copies.values() if copy.is_listed}
        stop_kinds = kinds_by_number.get(number, set())
        national = number_copies.get(NATIONAL)
        is_fresh = national and (today - national.dated).days <= max_age_days
        marks = {
            "national": NATIONAL in registries,
            "state": bool(registries & STATES_WITH_OWN_DNC_LIST),
            "litigator": LITIGATOR in registries,
            "internal": INTERNAL in registries or not stop_kinds.isdisjoint(INTERNAL_STOP_KINDS),
            "opted_out": not stop_kinds.isdisjoint(OPT_OUT_KINDS),
            "unknown": not is_fresh,
        }
        totals.update(name for name, is_true in marks.items() if is_true)
        totals["clear"] += not any(marks.values())
    return totals
