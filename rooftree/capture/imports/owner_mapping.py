"""Whose leads of another system are whose here, and what its stages mean."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.imports.import_records import owner_key
from rooftree.capture.imports.import_staging import InvalidImport
from rooftree.capture.imports.models import CrmImport
from rooftree.org.models import LoanOfficer

LEAD_STATES = {  # what a lead at one of their stages becomes
    "new": "Open",
    "nurture": "Not now: kept warm",
    "retired": "Closed",
}
_LOST_WORDS = ("lost", "unqualified", "disqualified", "junk", "dead", "closed", "not interested")
_NURTURE_WORDS = (
    "won",
    "funded",
    "customer",
    "nurture",
    "long term",
    "not now",
    "future",
    "on hold",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOwner:
    """An owner over there: how many records, and who that is here."""

    id: str
    name: str
    email: str
    records: int
    officer_id: str  # "" for nobody
    match_note: str  # how it was found, or that it was not


def list_active_officers() -> list[LoanOfficer]:
    """Who may be given leads, by name."""
    rows = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    return list(rows.order_by("user__name"))


def guess_officers(owners: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Of each owner our officer of the same NMLS id or e-mail; "" where there is none."""
    known = list_active_officers()
    by_nmls = {loan_officer.nmls_id: loan_officer for loan_officer in known}
    by_email = {loan_officer.user.email.casefold(): loan_officer for loan_officer in known}
    found = {}
    for owner in owners:
        one = by_nmls.get(owner["nmls_id"]) or by_email.get(owner["email"].casefold())
        found[owner["id"]] = str(one.pk) if one else ""
    return found


def guess_stages(counted: Iterable[str]) -> dict[str, str]:
    """What their stages most likely mean; open is the harmless guess."""
    found = {}
    for name in counted:
        said = name.casefold().replace("_", " ")
        is_lost = any(word in said for word in _LOST_WORDS)
        is_later = any(word in said for word in _NURTURE_WORDS)
        found[name] = "nurture" if is_later else "retired" if is_lost else "new"
    return found


def list_owners(transfer: CrmImport, counted: Mapping[str, int]) -> list[SourceOwner]:
    """Every owner who has records, the most first; and those that no user is listed for."""
    known = {owner["id"]: owner for owner in transfer.owners}
    guessed = guess_officers(transfer.owners)
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
            SourceOwner(
                id=owner_id,
                name=one["name"] or one["email"] or owner_id,
                email=one["email"],
                records=records,
                officer_id=chosen,
                match_note=said,
            )
        )
    return found


def save_choices(
    *, sheet_id: UUID, owners: Mapping[str, str], stages: Mapping[str, str]
) -> CrmImport:
    """Keep whose leads are whose and what stages become, in a transaction. Raises `BadFile`."""
    known = {str(active_officer.pk) for active_officer in list_active_officers()}
    if not known.issuperset(filter(None, owners.values())):
        raise InvalidImport("Choose one of the loan officers, or nobody.")
    if not LEAD_STATES.keys() >= set(stages.values()):
        raise InvalidImport("Choose what each stage becomes.")
    with atomic():
        transfer = CrmImport.objects.select_for_update().get(pk=sheet_id)
        transfer.officers = {**transfer.officers, **owners}
        transfer.stages = {**transfer.stages, **stages}
        transfer.save(update_fields=["officers", "stages"])
    return transfer


def mapped_officer_id(transfer: CrmImport, inquiry: Mapping[str, Any]) -> str:
    """Whose a record is here; "" for nobody's."""
    said: str = transfer.officers.get(owner_key(inquiry), "")
    return said


def mapped_lead_state(transfer: CrmImport, inquiry: Mapping[str, Any]) -> str:
    """What a record's stage becomes; a key of `STAGES`."""
    said: str = transfer.stages.get(inquiry.get("vendor_status") or "", "new")
    return said


def unmatched_owners(listed: Sequence[SourceOwner]) -> list[SourceOwner]:
    """Owners whose leads will be nobody's here, though their name is kept as a word."""
    return [source_owner for source_owner in listed if not source_owner.officer_id]
