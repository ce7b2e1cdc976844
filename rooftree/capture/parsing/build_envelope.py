"""The end every adapter shares: what is missing, and whether anybody can act on the inquiry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rooftree.capture.parsing.envelope import (
    Answer,
    Envelope,
    Outcome,
    accepted_envelope,
    clean_warnings,
    quarantined_envelope,
)
from rooftree.capture.parsing.normalize_values import idempotency_key
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.vendor_api import Lookup
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel

# Who calls or chats has not told a name yet, and says so to a person who can ask.
NAMELESS_CHANNELS = frozenset({Channel.PHONE, Channel.CHAT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedInquiry:
    """One inquiry of a delivery that may hold several, or that needs look-ups."""

    lead: CanonicalLead
    notes: ReadingNotes
    problem: str = ""  # why nothing more will be known of it: the machine's reason
    lookups: tuple[Lookup, ...] = ()  # what must be asked before it can be read


def build_envelope(
    lead: CanonicalLead,
    answer: Answer,
    notes: ReadingNotes,
    *,
    actions: Sequence[Mapping[str, Any]] = (),
    key: str | None = None,
) -> Envelope:
    """It is the envelope of one inquiry that was read. `key` is of canonical section 3.

    Without a name or a valid way to reach the person it is quarantined, and answered
    as a success all the same: a paid lead is never bounced for our reading's sake.
    A call or a chat needs no name, and one that leaves no contact alarms nobody: most do.
    `lead.received_at` must be set.
    """
    assert lead.received_at is not None
    _warn_missing_fields(lead, notes)
    key = key or idempotency_key(lead, lead.received_at)
    if is_usable(lead):
        return accepted_envelope(lead, answer, key=key, warnings=notes.warnings, actions=actions)
    whole = quarantined_envelope(
        _unusable_reason(lead), answer, key=key, leads=(lead,), warnings=notes.warnings
    )
    return replace(whole, actions=()) if lead.channel in NAMELESS_CHANNELS else whole


def is_usable(lead: CanonicalLead) -> bool:
    """Whether somebody can act on it as it came."""
    return lead.is_workable() or (lead.channel in NAMELESS_CHANNELS and lead.is_reachable())


def build_batch_envelope(
    read: Sequence[ParsedInquiry],
    answer: Answer,
    *,
    key: str,
    actions: Sequence[Mapping[str, Any]] = (),
) -> Envelope:
    """It is the envelope of the inquiries of one delivery.

    It is accepted while one of them can be used or is still being asked for; the others
    are set aside when it is worked.
    """
    warnings: set[str] = set()
    for parsed_inquiry in read:
        if not parsed_inquiry.problem and not parsed_inquiry.lookups:
            _warn_missing_fields(parsed_inquiry.lead, parsed_inquiry.notes)
        warnings |= parsed_inquiry.notes.warnings
    lookups = tuple(dict.fromkeys(ask for parsed_inquiry in read for ask in parsed_inquiry.lookups))
    if not lookups and not any(is_usable(parsed_inquiry.lead) for parsed_inquiry in read):
        reason = next(
            (parsed_inquiry.problem for parsed_inquiry in read if parsed_inquiry.problem), None
        )
        told = quarantined_envelope(
            reason or _unusable_reason(read[0].lead),
            answer,
            key=key,
            leads=[parsed_inquiry.lead for parsed_inquiry in read],
            warnings=warnings,
        )
        return replace(told, actions=(*actions, *told.actions))
    is_test = all(parsed_inquiry.lead.is_test for parsed_inquiry in read)
    return Envelope(
        http=answer,
        outcome=Outcome.ACCEPTED_TEST if is_test else Outcome.ACCEPTED,
        idempotency_key=key,
        warnings=clean_warnings(warnings),
        leads=tuple(parsed_inquiry.lead for parsed_inquiry in read),
        actions=() if is_test else tuple(actions),
        lookups=lookups,
    )


def as_conversation_update(whole: Envelope, mark: str) -> Envelope:
    """It is a further word about a call or a chat: it adds to the first, and is known by `mark`."""
    is_used = whole.outcome in (Outcome.ACCEPTED, Outcome.ACCEPTED_TEST)
    return replace(
        whole,
        outcome=Outcome.UPDATED if is_used else whole.outcome,
        idempotency_key=f"{whole.idempotency_key}:{mark}",
    )


def _unusable_reason(lead: CanonicalLead) -> str:
    return "no_name" if lead.is_reachable() else "no_contact"


def _warn_missing_fields(lead: CanonicalLead, notes: ReadingNotes) -> None:
    gaps = {
        "vendor_lead_id_missing": lead.vendor_lead_id is None,
        "name_missing": not lead.has_name(),
        "phone_missing": not lead.phones and any(email.valid for email in lead.emails),
        "email_missing": _lacks_email(lead),
        "property_state_missing": _lacks_state(lead, notes),
    }
    for code, is_missing in gaps.items():
        if is_missing:
            notes.warn(code)


def _lacks_email(lead: CanonicalLead) -> bool:
    """A call never brings one."""
    is_call = lead.channel is Channel.PHONE
    return not is_call and not lead.emails and any(phone.valid for phone in lead.phones)


def _lacks_state(lead: CanonicalLead, notes: ReadingNotes) -> bool:
    has_state = lead.property is not None and lead.property.state is not None
    return not has_state and not any(warning.startswith("bad_state:") for warning in notes.warnings)
