"""The history of one lead: one function per table, each a single query."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db.models import Prefetch, Q, prefetch_related_objects

from rooftree.capture.models import FormCertificate
from rooftree.compliance.models import Consent, Revocation
from rooftree.leads import unfinished_forms
from rooftree.leads.models import Lead, Milestone, Remark, Signal, Touch
from rooftree.los.loan_milestones import milestone_label
from rooftree.los.models import Handoff
from rooftree.money.models import Entry as MoneyEntry
from rooftree.nurture.models import Enrollment
from rooftree.outreach.facts.lead_records import TOUCHES
from rooftree.outreach.models import Message, Ring
from rooftree.rates.models import RateWatch
from rooftree.rates.record_rates import PRODUCTS
from rooftree.reporting.timeline import (
    call_entries,
    conversation_entries,
    credit_clock_entries,
    imported_entries,
)
from rooftree.reporting.timeline.message_entries import message_entry
from rooftree.reporting.timeline.timeline_entry import (
    EntryGroup,
    EntryMark,
    Explanation,
    Quote,
    TimelineEntry,
    sort_newest_first,
)
from rooftree.routing.models import Offer, Ownership, RoutingDecision

ENDED_BY_CALL = ("not interested", "told they do not qualify")  # the call says it already
SIGNAL_TITLES = {
    "opened": ("eye", "Opened the message"),
    "clicked": ("eye", "Pressed a link in the message"),
    "visited": ("eye", "Came back to the website"),
}
LEAD_PREFETCHES = (  # loaded with the lead, so that the rest of its page need not ask again
    TOUCHES,
    Prefetch(
        "messages", Message.objects.select_related("verdict", "template", "by", "officer__user")
    ),
    call_entries.CALLS_PREFETCH,
    Prefetch("handoffs", Handoff.objects.select_related("connection", "asked_by", "loan")),
    Prefetch("watches", RateWatch.objects.select_related("set_by", "reached_by")),
)
SIGNALS_WITH_OWN_ENTRY = (
    "replied",
    "called",
)  # signals whose message or call is an entry of its own
MEDIA = {
    "call": "calls",
    "autodial_call": "dialed calls",
    "prerecorded": "recorded messages",
    "text": "texts",
    "email": "e-mail",
    "voicemail": "voicemail",
}


def build_timeline(lead: Lead, *, group: EntryGroup | None = None) -> list[TimelineEntry]:
    """All of it, newest first, or one group of it. Leaves what is `SHARED` loaded on the lead."""
    prefetch_related_objects([lead], *LEAD_PREFETCHES)
    readers = (
        _touch_entries,
        _message_entries,
        _signal_entries,
        _remark_entries,
        _consent_entries,
        _revocation_entries,
        _routing_entries,
        _offer_entries,
        _ring_entries,
        _ownership_entries,
        _milestone_entries,
        _handoff_entries,
        _rate_watch_entries,
        _enrollment_entries,
        _closing_entries,
        call_entries.build_entries,
        credit_clock_entries.build_entries,
        imported_entries.build_entries,
    )
    return sort_newest_first((entry for read in readers for entry in read(lead)), group=group)


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
        about = [touch.campaign.name] if touch.campaign else []
        about += filter(None, [conversation_entries.call_summary(touch)])
        if touch.matched_by:
            known = "Somebody we knew, by" if touch.is_first else "Same person by"
            about.append(f"{known} {touch.matched_by}")
        if touch.pk in certified:
            about.append("The form's certificate is sealed in the ledger")
        yield TimelineEntry(
            key=f"touch:{touch.pk}",
            at=touch.at,
            group=EntryGroup.OTHER,
            icon="sources",
            title=_touch_title(touch),
            cents=costs.get(touch.delivery_id),
            body=". ".join(about),
            quote=conversation_entries.conversation_quote(touch),
            explanation=conversation_entries.extraction_sources(touch),
            links=(("The delivery as it came", "delivery", touch.delivery_id),),
        )


def _touch_title(touch: Touch) -> str:
    if unfinished_forms.is_unfinished_form(touch):
        return f"Began the form of {touch.source.name} and left it"
    return f"{'Inquiry' if touch.is_first else 'Asked again'} from {touch.source.name}"


def _message_entries(lead: Lead) -> Iterator[TimelineEntry]:
    return (message_entry(row) for row in lead.messages.all())


def _signal_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for signal in Signal.objects.filter(lead=lead).exclude(kind__in=SIGNALS_WITH_OWN_ENTRY):
        icon, words = SIGNAL_TITLES.get(
            signal.kind, ("bolt", signal.kind.replace("_", " ").capitalize())
        )
        yield TimelineEntry(
            key=f"signal:{signal.pk}",
            at=signal.at,
            group=EntryGroup.MESSAGES,
            icon=icon,
            title="",
            detail=words,
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
            detail="wrote a note",
            quote=Quote(text=remark.text),
        )


def _consent_entries(lead: Lead) -> Iterator[TimelineEntry]:
    together: dict[tuple[UUID, str], list[Consent]] = {}  # a row for each number and address
    for row in Consent.objects.filter(person=lead.person_id).order_by("recorded_at", "id"):
        together.setdefault((row.delivery_id or row.pk, row.status), []).append(row)
    for rows in together.values():
        consent, given = rows[0], rows[0].status == "granted"
        channels = dict.fromkeys(name for row in rows for name in row.channels)
        media = _join_words(MEDIA.get(name, name) for name in channels)
        yield TimelineEntry(
            key=f"consent:{consent.pk}",
            at=consent.captured_at or consent.recorded_at,
            group=EntryGroup.DECISIONS,
            icon="shield",
            mark=EntryMark.OK
            if given
            else EntryMark.LATE
            if consent.status == "denied"
            else EntryMark.SYSTEM,
            title={
                "granted": "Consent recorded",
                "denied": "Consent refused",
                "not_provided": "No consent came with the inquiry",
            }[consent.status],
            detail=f"for {media}" if given and media else "",
            explanation=Explanation(question="What they agreed to", sentence=consent.wording)
            if consent.wording
            else None,
        )


def _revocation_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for stop in Revocation.objects.filter(person=lead.person_id):
        yield TimelineEntry(
            key=f"revocation:{stop.pk}",
            at=stop.at,
            group=EntryGroup.DECISIONS,
            icon="ban",
            mark=EntryMark.LATE,
            title=f"No more {_join_words(MEDIA.get(name, name) for name in stop.media)}",
            detail={
                "stop": "they said stop",
                "unsubscribe": "they unsubscribed",
                "do_not_contact": "they asked not to be contacted",
                "wrong_person": "the number is someone else’s",
                "vendor": "the source told us",
                "review": "held until a person has looked",
            }[stop.kind],
            quote=Quote(text=stop.words) if stop.words else None,
        )


def _routing_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for decision in RoutingDecision.objects.filter(lead=lead).select_related("officer__user"):
        chosen = decision.officer
        yield TimelineEntry(
            key=f"decision:{decision.pk}",
            at=decision.at,
            group=EntryGroup.DECISIONS,
            icon="routing",
            mark=EntryMark.SYSTEM if chosen else EntryMark.LATE,
            title=f"Routed to {chosen.user.name}" if chosen else "Nobody could be chosen",
            detail=f"by the rule “{decision.rule_name}”" if decision.rule_name else "",
            body=decision.sentence,
            links=(("See every candidate", "decision", decision.pk),),
        )


def _offer_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for offer in Offer.objects.filter(lead=lead).select_related("officer__user"):
        name = offer.officer.user.name
        for moment, words, mark in (
            (offer.taken_at, "took the lead", EntryMark.PERSON),
            (offer.passed_at, "passed", EntryMark.PERSON),
            (offer.lapsed_at, "did not take it in time", EntryMark.LATE),
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
                detail=f"{words}, {waited} s after the offer" if waited < 3600 else words,
                body=""
                if offer.ended_because == "silence"
                else offer.ended_because.replace("_", " ").capitalize(),
            )


def _ring_entries(lead: Lead) -> Iterator[TimelineEntry]:
    tried = Q(placed_at__isnull=False) | Q(state="failed")
    for ring in Ring.objects.filter(tried, offer__lead=lead).select_related("officer__user"):
        failed = ring.state == "failed"
        yield TimelineEntry(
            key=f"ring:{ring.pk}",
            at=ring.placed_at or ring.ended_at or ring.due_at,
            group=EntryGroup.DECISIONS,
            icon="phone",
            mark=EntryMark.LATE if failed else EntryMark.SYSTEM,
            title=f"{'Could not ring' if failed else 'Rang'} {ring.officer.user.name}",
            detail=ring.problem if failed else _ring_outcome(ring),
        )


def _ring_outcome(ring: Ring) -> str:
    if ring.connected_at:
        return "who pressed 1 and was put through to the borrower"
    if ring.pressed == "1":
        return "who pressed 1"
    if ring.answered_at:
        return "who heard it and pressed nothing" if not ring.pressed else "who passed"
    return "who did not pick up" if ring.ended_at else ""


def _ownership_entries(lead: Lead) -> Iterator[TimelineEntry]:
    given = Ownership.objects.filter(lead=lead, offer=None)
    for ownership in given.select_related("officer__user", "given_by"):
        giver = ownership.given_by.name if ownership.given_by else "Rooftree"
        yield TimelineEntry(
            key=f"ownership:{ownership.pk}",
            at=ownership.from_at,
            group=EntryGroup.DECISIONS,
            icon="user",
            mark=EntryMark.PERSON,
            title=f"Given to {ownership.officer.user.name}",
            detail=f"by {giver}",
        )


def _milestone_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for step in Milestone.objects.filter(loan__lead=lead).select_related("loan"):
        number = step.loan.loan_number
        funded = step.code == "funded"
        yield TimelineEntry(
            key=f"milestone:{step.pk}",
            at=step.reached_at,
            group=EntryGroup.LOAN,
            icon="flag" if funded else "los",
            mark=EntryMark.OK if funded else EntryMark.ACCENT,
            title=milestone_label(step.code),
            detail=f"loan {number}" if number else "",
            cents=step.loan.amount_cents if funded else None,
        )


def _handoff_entries(lead: Lead) -> Iterator[TimelineEntry]:
    words = {
        "pending": "waits to be sent",
        "sending": "is on its way",
        "created": "is in the LOS",
        "uncertain": "may have arrived: it is being looked up, and not sent twice",
        "rejected": "was refused by the LOS",
    }
    for handoff in lead.handoffs.all():
        yield TimelineEntry(
            key=f"handoff:{handoff.pk}",
            at=handoff.asked_at,
            group=EntryGroup.LOAN,
            icon="los",
            mark=EntryMark.LATE if handoff.state == "rejected" else EntryMark.PERSON,
            title=f"Handed to {handoff.connection.name}",
            detail=f"by {handoff.asked_by.name}" if handoff.asked_by else "",
            body=handoff.problem or f"The file {words[handoff.state]}",
        )


def _rate_watch_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for watch in lead.watches.all():
        about = f"{watch.target_pct:.3f}% on {PRODUCTS.get(watch.product, watch.product)}"
        who = watch.set_by.name if watch.set_by else "Rooftree"
        yield TimelineEntry(
            key=f"watch:{watch.pk}",
            at=watch.set_at,
            group=EntryGroup.LOAN,
            icon="rates",
            title="Rate watch set",
            detail=f"by {who}: tell them at {about}",
        )
        if watch.reached_at and watch.reached_by:
            yield TimelineEntry(
                key=f"watch:{watch.pk}:reached",
                at=watch.reached_at,
                group=EntryGroup.LOAN,
                icon="rates",
                mark=EntryMark.ACCENT,
                title="Rate reached",
                detail=f"{watch.reached_by.rate_pct:.3f}%, {watch.reached_by.apr_pct:.3f}% APR",
                body=f"Their target was {about}. Sheet: {watch.reached_by.sheet}",
            )


def _enrollment_entries(lead: Lead) -> Iterator[TimelineEntry]:
    for enrolment in Enrollment.objects.filter(lead=lead).select_related("sequence"):
        yield TimelineEntry(
            key=f"enrolment:{enrolment.pk}",
            at=enrolment.started_at,
            group=EntryGroup.MESSAGES,
            icon="sequence",
            title=f"Sequence “{enrolment.sequence.name}”",
            detail=f"began, by v{enrolment.sequence.version} of its steps",
        )
        if enrolment.ended_at:
            yield TimelineEntry(
                key=f"enrolment:{enrolment.pk}:ended",
                at=enrolment.ended_at,
                group=EntryGroup.MESSAGES,
                icon="sequence",
                title=f"Sequence “{enrolment.sequence.name}”",
                detail=f"ended: {enrolment.ended_because.replace('_', ' ')}",
            )


def _closing_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """How a lead ended that nobody ended by a tap."""
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
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
