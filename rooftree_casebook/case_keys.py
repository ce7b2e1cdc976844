"""The keys of a rulebook case in the words that the translator reads."""

import re
from collections.abc import Mapping
from typing import Any

type Given = Mapping[str, Any]

PRIVACY_SIGNAL = re.compile(r"^(gpc|global_privacy_control|opt_out_signal)$", re.IGNORECASE)
# What a case may call a thing that we know by one name.
KEY_ALIASES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\w*(agent|connect|answer)\w*_seconds|seconds\w*_(agent|connect)\w*", "connect_seconds"),
        (r"(lead_)?form_(fields|asks|collects)|fields_on_form", "form_fields"),
        (r"\w*hand(ed)?_?off_at|delivered_at|dialed_at|sent_to_provider_at", "send_at"),
        (r"(stop_)?scope_reply_to", "stop_reply_to"),
    )
)
NESTED_KEYS = ("auth", "authentication")  # a case may put these facts in one object


def normalize_keys(given: Given) -> dict[str, Any]:
    """It is the case under the names the translator knows; what it knows stays as it is."""
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key in NESTED_KEYS and isinstance(value, Mapping):
            found.update(value)
        else:
            found.setdefault(_normalize_key(key), value)
    if any(_is_privacy_signal(key, value) for key, value in given.items()):
        found["gpc"] = True
    if found.get("form") and "fields" in found:
        found["form_fields"] = found.pop("fields")
    return found


def _normalize_key(key: str) -> str:
    return next((name for pattern, name in KEY_ALIASES if pattern.fullmatch(key)), key)


def _is_privacy_signal(key: str, value: Any) -> bool:
    is_named = isinstance(value, str) and PRIVACY_SIGNAL.fullmatch(value) is not None
    return is_named or (bool(value) and PRIVACY_SIGNAL.fullmatch(key) is not None)
