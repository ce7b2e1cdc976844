"""What the simulated LendingPad accepts in an import: unknown or wrong content is an error."""

import re

from rooftree_simulators.vendor_base import Json

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REQUIRED = (
    "occupancy", "purpose", "appraisalValue", "loanAmount", "loanType", "propertyType", "units",
)  # fmt: skip
_OPTIONAL = {
    "purchasePrice", "creditScore", "term", "noteRate", "channel", "note", "creatorEmail",
    "program", "applicationTakenDate", "assignments", "coBorrower", "subjectPropertyAddress",
    "customFields", "contact", "company", "branch", "campaign", "borrower",
}  # fmt: skip
_RANGES = {"occupancy": range(1, 5), "purpose": range(1, 9), "loanType": range(1, 10)}
_PHONES = ("mobilePhone", "homePhone", "workPhone")
_SSN = re.compile(r"(?<!\d)\d{3}-?\d{2}-?\d{4}(?!\d)")


def find_import_problem(body: Json, contact: str, company: str) -> str:
    """Return what is wrong with an import, as LendingPad would say it; "" if nothing is."""
    if body.get("contact") != contact or body.get("company") != company:
        return "Contact or company not found."
    places = [name for name in ("branch", "campaign") if body.get(name)]
    if len(places) != 1 or not _GUID.fullmatch(str(body[places[0]])):
        return "Branch or campaign is required."
    unknown = body.keys() - _OPTIONAL - set(_REQUIRED)
    if unknown:
        return f"Unknown property: {', '.join(sorted(unknown))}."
    missing = [name for name in _REQUIRED if body.get(name) is None]
    if missing:
        return f"Required: {', '.join(missing)}."
    wrong = [
        name
        for name, allowed in _RANGES.items()
        if not isinstance(body[name], int) or body[name] not in allowed
    ]
    if wrong:
        return f"Invalid value: {', '.join(wrong)}."
    return _find_person_problem(body, is_lead=places[0] == "campaign")


def finds_ssn(body: Json) -> bool:
    """Return True if a field for an SSN is filled with one."""
    people = [body.get("borrower") or {}, body.get("coBorrower") or {}]
    return any(_SSN.search(str(person.get("ssn") or "")) for person in people)


def _find_person_problem(body: Json, *, is_lead: bool) -> str:
    person = body.get("borrower")
    if not isinstance(person, dict) or not person.get("firstName") or not person.get("lastName"):
        return "Borrower name is required."
    contacts = person.get("contacts") or {}
    for name in _PHONES:
        if contacts.get(name) and not str(contacts[name]).isdigit():
            return f"{name} must be digits."
    if is_lead and not any(contacts.get(name) for name in (*_PHONES, "email")):
        return "Phone or email is required."
    return ""
