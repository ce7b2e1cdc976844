"""Normalization of a rulebook case's keys to the names that the translator reads."""

import re
from collections.abc import Mapping
from typing import Any

type Given = Mapping[str, Any]

PRIVACY_SIGNAL = re.compile(r"^(gpc|global_privacy_control|opt_out_signal)$", re.IGNORECASE)
# Alternative keys of cases, with the name that the translator reads.
KEY_ALIASES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\w*(agent|connect|answer)\w*_seconds|seconds\w*_(agent|connect)\w*", "connect_seconds"),
        (r"(lead_)?form_(fields|asks|collects)|fields_on_form", "form_fields"),
        (r"\w*hand(ed)?_?off_at|delivered_at|dialed_at|sent_to_provider_at", "send_at"),
        (r"(stop_)?scope_reply_to", "stop_reply_to"),
    )
)
NESTED_KEYS = ("auth", "authentication")  # a case can put these facts in one object


def normalize_keys(given: Given) -> dict[str, Any]:
    """Return the case with known names for its keys; a key without an alias stays."""
    normalized: dict[str, Any] = {}
    has_privacy_signal = False
    for key, value in given.items():
        if key in NESTED_KEYS and isinstance(value, Mapping):
            normalized.update(value)
        else:
            name = next((name for pattern, name in KEY_ALIASES if pattern.fullmatch(key)), key)
            normalized.setdefault(name, value)
        # The signal can be a key with a true value or the value of any key.
        is_named = isinstance(value, str) and PRIVACY_SIGNAL.fullmatch(value)
        if is_named or (value and PRIVACY_SIGNAL.fullmatch(key)):
            has_privacy_signal = True
    if has_privacy_signal:
        normalized["gpc"] = True
    if normalized.get("form") and "fields" in normalized:
        normalized["form_fields"] = normalized.pop("fields")
    return normalized
