"""The timeline of one lead: one function per table, each with a single query."""

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.db.models import Q

from rooftree.capture.models import FormCertificate
from rooftree.compliance.models import Consent, Revocation
from rooftree.leads import unfinished_forms
from rooftree.leads.models import Lead, Milestone, Remark, Signal
from rooftree.los.loan_milestones import milestone_label
from rooftree.money.models import Entry as MoneyEntry
from rooftree.nurture.models import Enrollment
from rooftree.outreach.models import Ring
from rooftree.rates.record_rates import PRODUCTS
from rooftree.reporting.timeline import (
    call_entries,
    conversation_entries,
    credit_clock_entries,
    edit_entries,
    imported_entries,
    promise_entries,
)
from rooftree.reporting.timeline.lead_tables import load_rows_of_lead
from rooftree.reporting.timeline.message_entries import message_entry
from rooftree.reporting.timeline.timeline_entry import (
    EntryGroup,
    EntryMark,
    Explanation,
    Quote,
    TimelineEntry,
    sort_newest_first,
)
from rooftree.routing.answer_offer import CAN_UNDO, DECLINED
from rooftree.routing.lapsed_offers import SILENCE
from rooftree.routing.models import Offer, Ownership, RoutingDecision

ENDED_BY_CALL = ("not interested", "told they do not qualify")  # the call entry shows it already
SIGNALS_WITH_OWN_ENTRY = ("replied", "called")  # their message or call is an entry already
MEDIA = {
    "call": "calls",
    "autodial_call": "autodialed calls",
    "prerecorded": "prerecorded calls",
    "text": "texts",
    "email": "email",
    "voicemail": "voicemail",
}


def build_timeline(lead: Lead, *, group: EntryGroup | None = None) -> list[TimelineEntry]:
    """Build the timeline, newest first; one group, or all if None.

    Leaves the rows of `lead_tables.PREFETCHES` loaded on the lead. Reads each table once,
    however long the history.
    """
    tables = load_rows_of_lead(lead)
    messages = [message_entry(message) for message in lead.messages.all()]
    calls = call_entries.build_entries(lead)
    entries = [entry for table, read in READERS if table in tables for entry in read(lead)]
    return sort_newest_first([*messages, *calls, *entries, *_closing_entries(lead)], group=group)


def _touch_entries(lead: Lead) -> Iterator[TimelineEntry]:
    costs: dict[UUID | None, int] = {}
    for delivery_id, cents in MoneyEntry.objects.filter(lead=lead, kind="cost").values_list(
        "delivery_id", "amount_cents"
    ):
        costs[delivery_id] = costs.get(delivery_id, 0) + cents
    certified = set(
        FormCertificate.objects.filter(touch__lead=lead).values_list("touch_id", flat=True)
    )
    for touch in lead.touches.all():
        kind = "Inquiry" if touch.is_first else "Repeat inquiry"
        if unfinished_forms.is_unfinished_form(touch):
            kind = "Unfinished form"
        notes = [touch.campaign.name] if touch.campaign else []
        notes += filter(None, [conversation_entries.call_summary(touch)])
        if touch.matched_by:
            match = "Known borrower, by" if touch.is_first else "Same person, by"
            notes.append(f"{match} {touch.matched_by}")
        if touch.pk in certified:
            notes.append("Form certificate sealed in the ledger")
        yield TimelineEntry(
            key=f"touch:{touch.pk}",
            at=touch.at,
            group=EntryGroup.OTHER,
            icon="sources",
            title=f"{kind} from {touch.source.name}",
            cents=costs.get(touch.delivery_id),
            body=". ".join(notes),
            quote=conversation_entries.conversation_quote(touch),
            explanation=conversation_entries.extraction_sources(touch),
            links=(("View delivery", "delivery", touch.delivery_id),),
        )


def _signal_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for signal in Signal.objects.filter(lead=lead).exclude(kind__in=SIGNALS_WITH_OWN_ENTRY):
        yield TimelineEntry(
            key=f"signal:{signal.pk}",
            at=signal.at,
            group=EntryGroup.MESSAGES,
            icon="bolt",
            title="",
            detail=signal.kind.replace("_", " ").capitalize(),
        )


def _remark_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for remark in Remark.objects.filter(lead=lead).select_related("by"):
        yield TimelineEntry(
            key=f"remark:{remark.pk}",
            at=remark.at,
            group=EntryGroup.OTHER,
            icon="edit",
            mark=EntryMark.PERSON,
            title=remark.by.name,
            detail="added a note",
            quote=Quote(text=remark.text),
        )


def _consent_entries(lead: Lead) -> Iterator[TimelineEntry]:
    # A consent has a row for each number and address; one inquiry shows as one entry.
    by_inquiry: dict[tuple[UUID, str], list[Consent]] = {}
    for row in Consent.objects.filter(person=lead.person_id).order_by("recorded_at", "id"):
        by_inquiry.setdefault((row.delivery_id or row.pk, row.status), []).append(row)
    for rows in by_inquiry.values():
        consent = rows[0]
        channels = dict.fromkeys(name for row in rows for name in row.channels)
        media = _join_words(MEDIA.get(name, name) for name in channels)
        yield TimelineEntry(
            key=f"consent:{consent.pk}",
            at=consent.captured_at or consent.recorded_at,
            group=EntryGroup.DECISIONS,
            icon="shield",
            mark={"granted": EntryMark.OK, "denied": EntryMark.LATE}.get(
                consent.status, EntryMark.SYSTEM
            ),
            title={
                "granted": "Consent recorded",
                "denied": "Consent refused",
                "not_provided": "No consent with the inquiry",
            }[consent.status],
            detail=f"for {media}" if consent.status == "granted" and media else "",
            explanation=Explanation(
                question="What did the borrower agree to?", sentence=consent.wording
            )
            if consent.wording
            else None,
        )


def _revocation_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for stop in Revocation.objects.filter(person=lead.person_id):
        yield TimelineEntry(
            key=f"revocation:{stop.pk}",
            at=stop.at,
            group=EntryGroup.DECISIONS,
            icon="moon" if stop.kind == "review" else "ban",
            mark=EntryMark.HOLD if stop.kind == "review" else EntryMark.LATE,
            title=(
                "Marketing and automatic messages on hold"
                if stop.kind == "review"
                else f"No more {_join_words(MEDIA.get(name, name) for name in stop.media)}"
            ),
            detail={
                "stop": "borrower opted out",
                "unsubscribe": "borrower unsubscribed",
                "do_not_contact": "borrower asked not to be contacted",
                "wrong_person": "number belongs to someone else",
                "vendor": "reported by the source",
                "review": "until compliance decides",
            }[stop.kind],
            quote=Quote(text=stop.borrower_words) if stop.borrower_words else None,
        )


def _routing_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for decision in RoutingDecision.objects.filter(lead=lead).select_related("officer__user"):
        officer = decision.officer
        yield TimelineEntry(
            key=f"decision:{decision.pk}",
            at=decision.at,
            group=EntryGroup.DECISIONS,
            icon="routing",
            mark=EntryMark.SYSTEM if officer else EntryMark.LATE,
            title=f"Routed to {officer.user.name}" if officer else "No loan officer available",
            detail=f"by the rule “{decision.rule_name}”" if decision.rule_name else "",
            body=decision.sentence,
            links=(("View all candidates", "decision", decision.pk),),
        )


def _offer_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for offer in Offer.objects.filter(lead=lead).select_related("officer__user"):
        name = offer.officer.user.name
        for moment, answer, mark in (
            (offer.accepted_at, "accepted the lead", EntryMark.PERSON),
            (offer.declined_at, "passed", EntryMark.PERSON),
            (offer.expired_at, "did not respond in time", EntryMark.LATE),
        ):
            if moment is None:
                continue
            waited = round((moment - offer.offered_at).total_seconds())
            yield TimelineEntry(
                key=f"offer:{offer.pk}",
                at=moment,
                group=EntryGroup.DECISIONS,
                icon="clock" if mark is EntryMark.LATE else "user",
                mark=mark,
                title=name,
                detail=f"{answer}, {waited} s after the offer" if waited < 3600 else answer,
                body=""
                if offer.end_reason in (SILENCE, DECLINED, CAN_UNDO)
                else offer.end_reason.replace("_", " ").capitalize(),
            )


def _ring_entries(lead: Lead) -> Iterator[TimelineEntry]:
    was_attempted = Q(placed_at__isnull=False) | Q(state="failed")
    rings = Ring.objects.filter(was_attempted, offer__lead=lead)
    for ring in rings.select_related("officer__user"):
        is_failed = ring.state == "failed"
        name, outcome = ring.officer.user.name, _ring_outcome(ring)
        yield TimelineEntry(
            key=f"ring:{ring.pk}",
            at=ring.placed_at or ring.ended_at or ring.due_at,
            group=EntryGroup.DECISIONS,
            icon="phone",
            mark=EntryMark.LATE if is_failed else EntryMark.SYSTEM,
            title=f"Could not ring {name}" if is_failed else f"Rang {name}{outcome and ':'}",
            detail=ring.problem if is_failed else outcome,
        )


def _ring_outcome(ring: Ring) -> str:
    """Describe how a call to a loan officer ended; "" while it rings."""
    if ring.connected_at:
        return "pressed 1, connected to the borrower"
    if ring.pressed == "1":
        return "pressed 1"
    if ring.answered_at:
        return "passed" if ring.pressed else "no response"
    return "no answer" if ring.ended_at else ""


def _ownership_entries(lead: Lead) -> Iterator[TimelineEntry]:
    ownerships = Ownership.objects.filter(lead=lead, offer=None)
    for ownership in ownerships.select_related("officer__user", "given_by"):
        assigner = ownership.given_by.name if ownership.given_by else "Rooftree"
        yield TimelineEntry(
            key=f"ownership:{ownership.pk}",
            at=ownership.from_at,
            group=EntryGroup.DECISIONS,
            icon="user",
            mark=EntryMark.PERSON,
            title=f"Assigned to {ownership.officer.user.name}",
            detail=f"by {assigner}",
        )


def _milestone_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for milestone in Milestone.objects.filter(loan__lead=lead).select_related("loan"):
        number = milestone.loan.loan_number
        is_funded = milestone.code == "funded"
        yield TimelineEntry(
            key=f"milestone:{milestone.pk}",
            at=milestone.reached_at,
            group=EntryGroup.LOAN,
            icon="flag" if is_funded else "los",
            mark=EntryMark.OK if is_funded else EntryMark.ACCENT,
            title=milestone_label(milestone.code),
            detail=f"loan {number}" if number else "",
            cents=milestone.loan.amount_cents if is_funded else None,
        )


def _handoff_entries(lead: Lead) -> Iterator[TimelineEntry]:
    states = {
        "pending": "Waiting to be sent",
        "sending": "Being sent",
        "created": "In the LOS",
        "uncertain": "May be in the LOS. We’re checking; it won’t be sent twice",
        "rejected": "Rejected by the LOS",
    }
    for handoff in lead.handoffs.all():
        yield TimelineEntry(
            key=f"handoff:{handoff.pk}",
            at=handoff.requested_at,
            group=EntryGroup.LOAN,
            icon="los",
            mark=EntryMark.LATE if handoff.state == "rejected" else EntryMark.PERSON,
            title=f"Handed off to {handoff.connection.name}",
            detail=f"by {handoff.requested_by.name}" if handoff.requested_by else "",
            body=handoff.problem or states[handoff.state],
        )


def _rate_watch_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for watch in lead.watches.all():
        target = f"{watch.target_pct:.3f}% on {PRODUCTS.get(watch.product, watch.product)}"
        setter = watch.set_by.name if watch.set_by else "Rooftree"
        yield TimelineEntry(
            key=f"watch:{watch.pk}",
            at=watch.set_at,
            group=EntryGroup.LOAN,
            icon="rates",
            title="Rate watch set",
            detail=f"by {setter}: notify the borrower at {target}",
        )
        if watch.reached_at and watch.reached_by:
            yield TimelineEntry(
                key=f"watch:{watch.pk}:reached",
                at=watch.reached_at,
                group=EntryGroup.LOAN,
                icon="rates",
                mark=EntryMark.ACCENT,
                title="Target rate reached",
                detail=f"{watch.reached_by.rate_pct:.3f}%, {watch.reached_by.apr_pct:.3f}% APR",
                body=f"Target: {target}. Rate sheet: {watch.reached_by.sheet}",
            )


def _enrollment_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for enrollment in Enrollment.objects.filter(lead=lead).select_related("sequence"):
        yield TimelineEntry(
            key=f"enrollment:{enrollment.pk}",
            at=enrollment.started_at,
            group=EntryGroup.MESSAGES,
            icon="sequence",
            title=f"Sequence “{enrollment.sequence.name}”",
            detail=f"started, version {enrollment.sequence.version}",
        )
        if enrollment.ended_at:
            yield TimelineEntry(
                key=f"enrollment:{enrollment.pk}:ended",
                at=enrollment.ended_at,
                group=EntryGroup.MESSAGES,
                icon="sequence",
                title=f"Sequence “{enrollment.sequence.name}”",
                detail=f"ended: {enrollment.end_reason.replace('_', ' ')}",
            )


def _closing_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Yield an entry for a closed lead, unless a call entry already shows why."""
    if lead.retired_at and lead.retired_reason not in ENDED_BY_CALL:
        yield TimelineEntry(
            key=f"retired:{lead.pk}",
            at=lead.retired_at,
            group=EntryGroup.OTHER,
            icon="clock",
            title="Closed",
            detail=lead.retired_reason,
        )


def _join_words(words: Iterable[str]) -> str:
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last


READERS: tuple[tuple[str, Callable[[Lead], Iterator[TimelineEntry]]], ...] = (
    ("touch", _touch_entries),
    ("signal", _signal_entries),
    ("remark", _remark_entries),
    ("consent", _consent_entries),
    ("revocation", _revocation_entries),
    ("routing_decision", _routing_entries),
    ("offer", _offer_entries),
    ("ring", _ring_entries),
    ("ownership", _ownership_entries),
    ("milestone", _milestone_entries),
    ("handoff", _handoff_entries),
    ("rate_watch", _rate_watch_entries),
    ("enrollment", _enrollment_entries),
    ("credit_clock", credit_clock_entries.build_entries),
    ("lead_edit", edit_entries.build_entries),
    ("imported_activity", imported_entries.build_entries),
    ("promise", promise_entries.build_entries),
)
