"""Mapping of a CRM's lead owners to loan officers, and of its stages to lead states."""

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

LEAD_STATES = {  # that a CRM stage can map to
    "new": "Open",
    "nurture": "Nurture: not ready now",
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
    """A lead owner in the CRM, with a count of records and the matched loan officer."""

    id: str
    name: str
    email: str
    records: int
    officer_id: str  # "" for none
    match_note: str  # how the officer was matched, or that none was


def list_active_officers() -> list[LoanOfficer]:
    """Return the loan officers who can receive leads, by name."""
    rows = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    return list(rows.order_by("user__name"))


def guess_officers(owners: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return by owner id the officer's id with the same NMLS id or email; "" if there is none."""
    officers = list_active_officers()
    by_nmls = {loan_officer.nmls_id: loan_officer for loan_officer in officers}
    by_email = {loan_officer.user.email.casefold(): loan_officer for loan_officer in officers}
    officer_ids = {}
    for owner in owners:
        officer = by_nmls.get(owner["nmls_id"]) or by_email.get(owner["email"].casefold())
        officer_ids[owner["id"]] = str(officer.pk) if officer else ""
    return officer_ids


def find_named_officers(names: Iterable[str]) -> dict[str, str]:
    """Return the officer's id by name, email or NMLS ID as a file has it; "" if it is unclear.

    Two officers with one name are unclear.
    """
    keys: dict[str, set[str]] = {}
    for officer in list_active_officers():
        for key in (officer.nmls_id, officer.user.email, officer.user.name):
            keys.setdefault(_plain_words(key), set()).add(str(officer.pk))
    found = {name: keys.get(_plain_words(name), set()) for name in names if name}
    return {name: next(iter(ids)) if len(ids) == 1 else "" for name, ids in found.items()}


def _plain_words(name: str) -> str:
    """Return a name in small letters; "Ruiz, Elena" becomes "elena ruiz"."""
    last, comma, first = name.partition(",")
    return " ".join(f"{first} {last}".split() if comma else name.split()).casefold()


def guess_stages(stages: Iterable[str]) -> dict[str, str]:
    """Return the likely lead state of each CRM stage; open is the harmless guess."""
    states = {}
    for name in stages:
        stage = name.casefold().replace("_", " ")
        is_lost = any(word in stage for word in _LOST_WORDS)
        is_later = any(word in stage for word in _NURTURE_WORDS)
        states[name] = "nurture" if is_later else "retired" if is_lost else "new"
    return states


def list_owners(transfer: CrmImport, record_counts: Mapping[str, int]) -> list[SourceOwner]:
    """List the owners of records, most records first, including owners the CRM no longer lists."""
    owners = {owner["id"]: owner for owner in transfer.owners}
    guessed = guess_officers(transfer.owners)
    source_owners = []
    for owner_id, records in Counter(dict(record_counts)).most_common():
        crm_user = owners.get(owner_id, {"name": owner_id, "email": "", "nmls_id": ""})
        chosen = transfer.officers.get(owner_id, "")
        if chosen and chosen == guessed.get(owner_id):
            match_note = "Same NMLS ID or email"
        elif chosen:
            match_note = "Chosen by hand"
        else:
            match_note = "No loan officer has this email or NMLS ID"
        source_owners.append(
            SourceOwner(
                id=owner_id,
                name=crm_user["name"] or crm_user["email"] or owner_id,
                email=crm_user["email"],
                records=records,
                officer_id=chosen,
                match_note=match_note,
            )
        )
    return source_owners


def save_choices(
    *, sheet_id: UUID, owners: Mapping[str, str], stages: Mapping[str, str]
) -> CrmImport:
    """Store the mapping of owners and stages, in a transaction. Raises `InvalidImport`."""
    officer_ids = {str(active_officer.pk) for active_officer in list_active_officers()}
    if not officer_ids.issuperset(filter(None, owners.values())):
        raise InvalidImport("Choose a loan officer, or no one.")
    if not LEAD_STATES.keys() >= set(stages.values()):
        raise InvalidImport("Choose a state for each stage.")
    with atomic():
        transfer = CrmImport.objects.select_for_update().get(pk=sheet_id)
        transfer.officers = {**transfer.officers, **owners}
        transfer.stages = {**transfer.stages, **stages}
        transfer.save(update_fields=["officers", "stages"])
    return transfer


def mapped_officer_id(transfer: CrmImport, inquiry: Mapping[str, Any]) -> str:
    """Return the id of the officer who gets a record; "" for no one."""
    officer_id: str = transfer.officers.get(owner_key(inquiry), "")
    return officer_id


def mapped_lead_state(transfer: CrmImport, inquiry: Mapping[str, Any]) -> str:
    """Return the lead state for a record's stage, a key of `LEAD_STATES`."""
    state: str = transfer.stages.get(inquiry.get("vendor_status") or "", "new")
    return state


def unmatched_owners(owners: Sequence[SourceOwner]) -> list[SourceOwner]:
    """Return the owners without an officer; their leads get no owner, only a note of the name."""
    return [source_owner for source_owner in owners if not source_owner.officer_id]
