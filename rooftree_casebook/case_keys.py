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
        (r"existing_customer|ebr_within_\d+_months|has_ebr", "ebr"),
        (
            r"(agreed|requested)_(call_?back|call|time)\w*|call_?back_(at|time|agreed_at)"
            r"|appointment_(at|time)",
            "consumer_requested_time",
        ),
        (r"unsubscribe(_request(ed)?|d)?_at|unsubscribed_on", "unsubscribed_at"),
        (r"(opt_?out|unsubscribe|stop|dnc_request)_received", "revocation_received"),
        (r"last_used(_on|_at)?|last_use_on", "last_use"),
        (r"call(ed)?_(date|on|at)", "created"),
        (
            r"(consumer_)?authori[sz](ed|ation)(_by_consumer|_certified)?",
            "authorization_certified_to_cra",
        ),
        (r"acquired_(on|at)|acquisition_date", "acquired"),
        (r"(adverse_action|decision|denial)(_notice)?_sent(_on)?", "notice_sent"),
        (r"request_(is_)?recorded", "request_evidence"),
        (r"supervisor_approv(al|ed)(_by)?|approved_by_supervisor", "supervisor_approved"),
        (
            r"(list_)?unsubscribe(_headers?)?_dkim_signed|dkim_(covers|signs)_unsubscribe\w*",
            "unsubscribe_headers_signed",
        ),
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
    for key in ("opted_out_at", "optout_at", "opt_out_at"):
        if key in normalized:
            is_email = normalized.get("channel") == "email"
            normalized["unsubscribed_at" if is_email else "stop_at"] = normalized.pop(key)
    if has_privacy_signal:
        normalized["gpc"] = True
    if normalized.get("form") and "fields" in normalized:
        normalized["form_fields"] = normalized.pop("fields")
    return normalized
