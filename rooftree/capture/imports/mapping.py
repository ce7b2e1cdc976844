"""Whose leads of another system are whose here, and what its stages mean."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.imports.models import Transfer
from rooftree.capture.imports.records import owner_of
from rooftree.capture.imports.stage import BadFile
from rooftree.org.models import LoanOfficer

STAGES = {  # what a lead at one of their stages becomes
    "new": "Open",
    "nurture": "Not now: kept warm",
    "retired": "Closed",
}
_LOST = ("lost", "unqualified", "disqualified", "junk", "dead", "closed", "not interested")
_LATER = ("won", "funded", "customer", "nurture", "long term", "not now", "future", "on hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An owner over there: how many records, and who that is here."""

    id: str
    name: str
    email: str
    records: int
    officer_id: str  # "" for nobody
    said: str  # how it was found, or that it was not


def officers() -> list[LoanOfficer]:
    """Who may be given leads, by name."""
    rows = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    return list(rows.order_by("user__name"))


def guessed_officers(owners: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Of each owner our officer of the same NMLS id or e-mail; "" where there is none."""
    known = officers()
    by_nmls = {one.nmls_id: one for one in known}
    by_email = {one.user.email.casefold(): one for one in known}
    found = {}
    for owner in owners:
        one = by_nmls.get(owner["nmls_id"]) or by_email.get(owner["email"].casefold())
        found[owner["id"]] = str(one.pk) if one else ""
    return found


def guessed_stages(counted: Iterable[str]) -> dict[str, str]:
    """What their stages most likely mean; open is the harmless guess."""
    found = {}
    for name in counted:
        said = name.casefold().replace("_", " ")
        is_lost = any(word in said for word in _LOST)
        is_later = any(word in said for word in _LATER)
        found[name] = "nurture" if is_later else "retired" if is_lost else "new"
    return found


def held_by(transfer: Transfer, counted: Mapping[str, int]) -> list[Held]:
    """Every owner who has records, the most first; and those that no user is listed for."""
    known = {one["id"]: one for one in transfer.owners}
    guessed = guessed_officers(transfer.owners)
    found = []
    for owner_id, records in Counter(dict(counted)).most_common():
        one = known.get(owner_id, {"name": owner_id, "email": "", "nmls_id": ""})
        chosen = transfer.officers.get(owner_id, "")
        if chosen and chosen == guessed.get(owner_id):
            said = "Same NMLS id or e-mail"
        elif chosen:
            said = "Chosen by hand"
        else:
            said = "No officer here has this e-mail or NMLS id"
        found.append(
            Held(
                id=owner_id,
                name=one["name"] or one["email"] or owner_id,
                email=one["email"],
                records=records,
                officer_id=chosen,
                said=said,
            )
        )
    return found


def choose(*, sheet_id: UUID, owners: Mapping[str, str], stages: Mapping[str, str]) -> Transfer:
    """Keep whose leads are whose and what stages become, in a transaction. Raises `BadFile`."""
    known = {str(one.pk) for one in officers()}
    if not known.issuperset(filter(None, owners.values())):
        raise BadFile("Choose one of the loan officers, or nobody.")
    if not STAGES.keys() >= set(stages.values()):
        raise BadFile("Choose what each stage becomes.")
    with atomic():
        transfer = Transfer.objects.select_for_update().get(pk=sheet_id)
        transfer.officers = {**transfer.officers, **owners}
        transfer.stages = {**transfer.stages, **stages}
        transfer.save(update_fields=["officers", "stages"])
    return transfer


def officer_of(transfer: Transfer, inquiry: Mapping[str, Any]) -> str:
    """Whose a record is here; "" for nobody's."""
    said: str = transfer.officers.get(owner_of(inquiry), "")
    return said


def stage_of(transfer: Transfer, inquiry: Mapping[str, Any]) -> str:
    """What a record's stage becomes; a key of `STAGES`."""
    said: str = transfer.stages.get(inquiry.get("vendor_status") or "", "new")
    return said


def unmatched(listed: Sequence[Held]) -> list[Held]:
    """Owners whose leads will be nobody's here, though their name is kept as a word."""
    return [one for one in listed if not one.officer_id]
