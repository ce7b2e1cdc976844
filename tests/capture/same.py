"""Comparison of two envelopes, by the rules of the canonical record."""

from typing import Any

NOT_COMPARED = {"raw", "full_name_raw", "received_at"}
SETS = {"warnings", "channels"}


def pruned(part: Any) -> Any:
    if isinstance(part, dict):
        kept = {key: pruned(value) for key, value in part.items() if key not in NOT_COMPARED}
        return {
            key: sorted(value) if key in SETS else value
            for key, value in kept.items()
            if value not in (None, [], {})
        }
    return [pruned(item) for item in part] if isinstance(part, list) else part


def without_extras(envelope: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    leads = [dict(lead) for lead in envelope.get("leads", [])]
    extras = [lead.pop("extras", {}) for lead in leads]
    return {**envelope, "leads": leads}, extras


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    actual_envelope, our_extras = without_extras(pruned(actual))
    expected_envelope, their_extras = without_extras(pruned(expected))
    # Example envelopes list actions only where they matter.
    if "actions" not in expected_envelope:
        actual_envelope.pop("actions", None)
    words = expected_envelope.get("http", {}).pop("body_contains", None)
    if words is not None:
        body = actual_envelope["http"].pop("body")
        assert all(word in body for word in words), body
    assert actual_envelope == expected_envelope
    for our_extra, expected_extra in zip(our_extras, their_extras, strict=True):
        assert {key: our_extra.get(key) for key in expected_extra} == expected_extra
