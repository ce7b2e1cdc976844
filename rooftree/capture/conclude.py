"""The end every adapter shares: what is missing, and whether anybody can act on the inquiry."""

from collections.abc import Mapping, Sequence
from typing import Any

from rooftree.capture.envelope import Answer, Envelope, accepted, quarantined
from rooftree.capture.normalise import delivery_key
from rooftree.capture.notes import Notes
from rooftree.leads.canonical import CanonicalLead


def conclude(
    lead: CanonicalLead,
    answer: Answer,
    notes: Notes,
    *,
    actions: Sequence[Mapping[str, Any]] = (),
) -> Envelope:
    """It is the envelope of one inquiry that was read.

    Without a name or a valid way to reach the person it is quarantined, and answered
    as a success all the same: a paid lead is never bounced for our reading's sake.
    `lead.received_at` must be set.
    """
    assert lead.received_at is not None
    _warn_of_gaps(lead, notes)
    key = delivery_key(lead, lead.received_at)
    if lead.is_workable():
        return accepted(lead, answer, key=key, warnings=notes.warnings, actions=actions)
    reason = "no_name" if lead.is_reachable() else "no_contact"
    return quarantined(reason, answer, key=key, leads=(lead,), warnings=notes.warnings)


def _warn_of_gaps(lead: CanonicalLead, notes: Notes) -> None:
    gaps = {
        "vendor_lead_id_missing": lead.vendor_lead_id is None,
        "name_missing": not lead.has_name(),
        "phone_missing": not lead.phones and any(one.valid for one in lead.emails),
        "email_missing": not lead.emails and any(one.valid for one in lead.phones),
        "property_state_missing": _lacks_state(lead, notes),
    }
    for code, is_missing in gaps.items():
        if is_missing:
            notes.warn(code)


def _lacks_state(lead: CanonicalLead, notes: Notes) -> bool:
    has_state = lead.property is not None and lead.property.state is not None
    return not has_state and not any(one.startswith("bad_state:") for one in notes.warnings)
