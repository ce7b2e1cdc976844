"""What the telemarketing rule wants on record of every call and consent (TSR-01)."""

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
    """What a record lacks."""
    return sorted(REQUIRED_FIELDS.get(record, frozenset()) - fields)


def check_record_complete(record: str, fields: frozenset[str]) -> Ruling:
    """A record lacks nothing, or it is not saved as complete."""
    missing = missing_fields(record, fields)
    return TSR_01.block("incomplete_call_record") if missing else TSR_01.allow("complete")
