"""When two envelopes are the same: the comparison rule of the canonical record."""

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
    return [pruned(one) for one in part] if isinstance(part, list) else part


def without_extras(envelope: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    leads = [dict(lead) for lead in envelope.get("leads", [])]
    extras = [lead.pop("extras", {}) for lead in leads]
    return {**envelope, "leads": leads}, extras


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    ours, our_extras = without_extras(pruned(actual))
    theirs, their_extras = without_extras(pruned(expected))
    if "actions" not in theirs:  # the kept deliveries name what follows only where it matters
        ours.pop("actions", None)
    words = theirs.get("http", {}).pop("body_contains", None)
    if words is not None:
        said = ours["http"].pop("body")
        assert all(word in said for word in words), said
    assert ours == theirs
    for held, wanted in zip(our_extras, their_extras, strict=True):
        assert {key: held.get(key) for key in wanted} == wanted
