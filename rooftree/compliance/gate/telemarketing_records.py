"""Fields that the telemarketing rule requires on record of calls and consents (TSR-01)."""

from rooftree.compliance.gate.verdict import Rule, Ruling

TSR_01 = Rule(id="TSR-01", cite="16 CFR 310.5")
REQUIRED_FIELDS = {
    "call_detail": frozenset(
        {
            "calling_number",
            "called_number",
            "at",
            "duration",
            "disposition",
            "campaign",
            "purpose",
            "seller",
        }
    ),
    "consent": frozenset({"name", "phone", "request_copy", "consent_copy", "date"}),
}


def missing_fields(record: str, fields: frozenset[str]) -> list[str]:
    """Return the required fields that a record lacks, sorted."""
    return sorted(REQUIRED_FIELDS.get(record, frozenset()) - fields)


def check_record_complete(record: str, fields: frozenset[str]) -> Ruling:
    """Block saving a record as complete while a required field is missing."""
    missing = missing_fields(record, fields)
    return TSR_01.block("incomplete_call_record") if missing else TSR_01.allow("complete")
