"""Normalization of a rulebook case's keys to the names that the translator reads."""

import re
from collections.abc import Iterator, Mapping
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
# What null means for a key that a rule wants; for the keys below it, a case says nothing.
EMPTY_VALUES: dict[str, Any] = {
    **dict.fromkeys(
        ("locations", "declared_emergencies", "content_flags", "reasons", "fields"), ()
    ),
    **dict.fromkeys(("campaign_attributes", "company_states"), ()),
    **dict.fromkeys(("field", "payee", "basis", "comp_basis", "data", "rules_version"), ""),
}
UNSAID_WHEN_NULL = re.compile(
    r"next|consumer_asked_end_at|call_ended_at|counteroffer_notified|gates|consumers|ratio"
    r"|(stop|stopped|revoked|opted_out|stop_received|unsubscribed)_at"
    r"|application_(completed|received)|revocation_received|unencrypted_consumers"
    r"|campaign_30d|\w*seconds|rings|our_share_\w+|bonus_pct_of_total_comp"
)
NESTED_KEYS = ("auth", "authentication")  # a case can put these facts in one object


def normalize_keys(given: Given) -> dict[str, Any]:
    """Return the case with known names for its keys; a key without an alias stays."""
    normalized: dict[str, Any] = {}
    for name, value in _iterate_known(given):
        normalized.setdefault(name, value)
    for key in ("opted_out_at", "optout_at", "opt_out_at"):
        if key in normalized:
            is_email = normalized.get("channel") == "email"
            normalized["unsubscribed_at" if is_email else "stop_at"] = normalized.pop(key)
    # The privacy signal can be a key with a true value or the value of any key.
    if any(
        (value and PRIVACY_SIGNAL.fullmatch(key))
        or (isinstance(value, str) and PRIVACY_SIGNAL.fullmatch(value))
        for key, value in given.items()
    ):
        normalized["gpc"] = True
    if normalized.get("form") and "fields" in normalized:
        normalized["form_fields"] = normalized.pop("fields")
    return normalized


def _iterate_known(given: Given) -> Iterator[tuple[str, Any]]:
    """Yield the names that the translator reads, with their values, without what isn't said."""
    for key, value in given.items():
        if key in NESTED_KEYS and isinstance(value, Mapping):
            yield from value.items()
            continue
        name = next((name for pattern, name in KEY_ALIASES if pattern.fullmatch(key)), key)
        if value is not None:
            yield name, value
        elif not UNSAID_WHEN_NULL.fullmatch(name):
            yield name, EMPTY_VALUES.get(name)
