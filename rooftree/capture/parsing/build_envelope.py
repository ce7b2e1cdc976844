"""Final step of every adapter: warn about missing fields and choose the outcome."""

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

# A caller or a chat visitor has not given a name yet; the loan officer can ask.
NAMELESS_CHANNELS = frozenset({Channel.PHONE, Channel.CHAT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedInquiry:
    """One inquiry of a delivery that can hold several, or that needs lookups."""

    lead: CanonicalLead
    notes: ReadingNotes
    problem: str = ""  # reason code when the inquiry can't be completed; "" otherwise
    lookups: tuple[Lookup, ...] = ()  # to carry out before the inquiry can be read


def build_envelope(
    lead: CanonicalLead,
    answer: Answer,
    notes: ReadingNotes,
    *,
    actions: Sequence[Mapping[str, Any]] = (),
    key: str | None = None,
) -> Envelope:
    """Build the envelope of one inquiry. `key` is the idempotency key (canonical section 3).

    An inquiry without a name or valid contact details is quarantined, but still answered as
    a success: we never bounce a paid lead because our parser could not read it.
    A call or a chat needs no name. One without contact details sends no alert: most have none.
    `lead.received_at` must be set.
    """
    assert lead.received_at is not None
    _warn_missing_fields(lead, notes)
    key = key or idempotency_key(lead, lead.received_at)
    if is_usable(lead):
        return accepted_envelope(lead, answer, key=key, warnings=notes.warnings, actions=actions)
    envelope = quarantined_envelope(
        _unusable_reason(lead), answer, key=key, leads=(lead,), warnings=notes.warnings
    )
    return replace(envelope, actions=()) if lead.channel in NAMELESS_CHANNELS else envelope


def is_usable(lead: CanonicalLead) -> bool:
    """Tell whether staff can act on the lead as it came."""
    return lead.is_workable() or (lead.channel in NAMELESS_CHANNELS and lead.is_reachable())


def build_batch_envelope(
    inquiries: Sequence[ParsedInquiry],
    answer: Answer,
    *,
    key: str,
    actions: Sequence[Mapping[str, Any]] = (),
) -> Envelope:
    """Build the envelope of a delivery with several inquiries.

    The delivery is accepted when at least one inquiry is usable or still needs lookups; the
    unusable ones are skipped when the delivery is processed.
    """
    warnings: set[str] = set()
    for inquiry in inquiries:
        if not inquiry.problem and not inquiry.lookups:
            _warn_missing_fields(inquiry.lead, inquiry.notes)
        warnings |= inquiry.notes.warnings
    lookups = tuple(dict.fromkeys(lookup for inquiry in inquiries for lookup in inquiry.lookups))
    if not lookups and not any(is_usable(inquiry.lead) for inquiry in inquiries):
        reason = next((inquiry.problem for inquiry in inquiries if inquiry.problem), None)
        envelope = quarantined_envelope(
            reason or _unusable_reason(inquiries[0].lead),
            answer,
            key=key,
            leads=[inquiry.lead for inquiry in inquiries],
            warnings=warnings,
        )
        return replace(envelope, actions=(*actions, *envelope.actions))
    is_test = all(inquiry.lead.is_test for inquiry in inquiries)
    return Envelope(
        http=answer,
        outcome=Outcome.ACCEPTED_TEST if is_test else Outcome.ACCEPTED,
        idempotency_key=key,
        warnings=clean_warnings(warnings),
        leads=tuple(inquiry.lead for inquiry in inquiries),
        actions=() if is_test else tuple(actions),
        lookups=lookups,
    )


def as_conversation_update(envelope: Envelope, mark: str) -> Envelope:
    """Turn an envelope into an update of an earlier call or chat; `mark` makes its key unique."""
    is_used = envelope.outcome in (Outcome.ACCEPTED, Outcome.ACCEPTED_TEST)
    return replace(
        envelope,
        outcome=Outcome.UPDATED if is_used else envelope.outcome,
        idempotency_key=f"{envelope.idempotency_key}:{mark}",
    )


def _unusable_reason(lead: CanonicalLead) -> str:
    return "no_name" if lead.is_reachable() else "no_contact"


def _warn_missing_fields(lead: CanonicalLead, notes: ReadingNotes) -> None:
    has_phone = any(phone.valid for phone in lead.phones)
    has_state = lead.property is not None and lead.property.state is not None
    gaps = {
        "vendor_lead_id_missing": lead.vendor_lead_id is None,
        "name_missing": not lead.has_name(),
        "phone_missing": not lead.phones and any(email.valid for email in lead.emails),
        "email_missing": has_phone and not lead.emails and lead.channel is not Channel.PHONE,
        "property_state_missing": not has_state
        and not any(warning.startswith("bad_state:") for warning in notes.warnings),
    }
    for code, is_missing in gaps.items():
        if is_missing:
            notes.warn(code)
