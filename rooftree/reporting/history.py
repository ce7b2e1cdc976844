"""The history of one lead: one function per table, each a single query."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db.models import Prefetch, Q, prefetch_related_objects

from rooftree.capture.models import FormCertificate
from rooftree.compliance.models import Consent, Revocation
from rooftree.leads import unfinished
from rooftree.leads.models import Lead, Milestone, Remark, Signal, Touch
from rooftree.los.milestones import in_words
from rooftree.los.models import Handoff
from rooftree.money.models import Entry as MoneyEntry
from rooftree.nurture.models import Enrolment
from rooftree.outreach.known import TOUCHES
from rooftree.outreach.models import Message, Ring
from rooftree.rates.models import RateWatch
from rooftree.rates.observe import PRODUCTS
from rooftree.reporting import call_entries, credit_entries, past_entries, talk_entries
from rooftree.reporting.message_entries import of_message
from rooftree.reporting.timeline import Entry, Group, Mark, Quote, Why, newest_first
from rooftree.routing.models import Offer, Ownership, RoutingDecision

ENDED_BY_CALL = ("not interested", "told they do not qualify")  # the call says it already
SIGNALS = {
    "opened": ("eye", "Opened the message"),
    "clicked": ("eye", "Pressed a link in the message"),
    "visited": ("eye", "Came back to the website"),
}
SHARED = (  # loaded with the lead, so that the rest of its page need not ask again
    TOUCHES,
    Prefetch(
        "messages", Message.objects.select_related("verdict", "template", "by", "officer__user")
    ),
    call_entries.CALLED,
    Prefetch("handoffs", Handoff.objects.select_related("connection", "asked_by", "loan")),
    Prefetch("watches", RateWatch.objects.select_related("set_by", "reached_by")),
)
SHOWN_ITSELF = ("replied", "called")  # signals whose message or call is an entry of its own
MEDIA = {
    "call": "calls",
    "autodial_call": "dialed calls",
    "prerecorded": "recorded messages",
    "text": "texts",
    "email": "e-mail",
    "voicemail": "voicemail",
}


def of_lead(lead: Lead, *, group: Group | None = None) -> list[Entry]:
    """All of it, newest first, or one group of it. Leaves what is `SHARED` loaded on the lead."""
    prefetch_related_objects([lead], *SHARED)
    readers = (
        _touches,
        _messages,
        _signals,
        _remarks,
        _consents,
        _revocations,
        _decisions,
        _offers,
        _rings,
        _ownerships,
        _milestones,
        _handoffs,
        _watches,
        _enrolments,
        _closing,
        call_entries.of_lead,
        credit_entries.of_lead,
        past_entries.of_lead,
    )
    return newest_first((entry for read in readers for entry in read(lead)), group=group)


def _touches(lead: Lead) -> Iterator[Entry]:
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
        about += filter(None, [talk_entries.summary_of(touch)])
        if touch.matched_by:
            known = "Somebody we knew, by" if touch.is_first else "Same person by"
            about.append(f"{known} {touch.matched_by}")
        if touch.pk in certified:
            about.append("The form's certificate is sealed in the ledger")
        yield Entry(
            key=f"touch:{touch.pk}",
            at=touch.at,
            group=Group.OTHER,
            icon="sources",
            title=_arrived(touch),
            cents=costs.get(touch.delivery_id),
            body=". ".join(about),
            quote=talk_entries.quote_of(touch),
            why=talk_entries.taken_from(touch),
            links=(("The delivery as it came", "delivery", touch.delivery_id),),
        )


def _arrived(touch: Touch) -> str:
    if unfinished.is_unfinished(touch):
        return f"Began the form of {touch.source.name} and left it"
    return f"{'Inquiry' if touch.is_first else 'Asked again'} from {touch.source.name}"


def _messages(lead: Lead) -> Iterator[Entry]:
    return (of_message(row) for row in lead.messages.all())


def _signals(lead: Lead) -> Iterator[Entry]:
    for signal in Signal.objects.filter(lead=lead).exclude(kind__in=SHOWN_ITSELF):
        icon, words = SIGNALS.get(signal.kind, ("bolt", signal.kind.replace("_", " ").capitalize()))
        yield Entry(
            key=f"signal:{signal.pk}",
            at=signal.at,
            group=Group.MESSAGES,
            icon=icon,
            title="",
            rest=words,
        )


def _remarks(lead: Lead) -> Iterator[Entry]:
    for remark in Remark.objects.filter(lead=lead).select_related("by"):
        yield Entry(
            key=f"remark:{remark.pk}",
            at=remark.at,
            group=Group.OTHER,
            icon="edit",
            mark=Mark.PERSON,
            title=remark.by.name,
            rest="wrote a note",
            quote=Quote(text=remark.text),
        )


def _consents(lead: Lead) -> Iterator[Entry]:
    together: dict[tuple[UUID, str], list[Consent]] = {}  # a row for each number and address
    for row in Consent.objects.filter(person=lead.person_id).order_by("recorded_at", "id"):
        together.setdefault((row.delivery_id or row.pk, row.status), []).append(row)
    for rows in together.values():
        consent, given = rows[0], rows[0].status == "granted"
        channels = dict.fromkeys(name for row in rows for name in row.channels)
        media = _listed(MEDIA.get(name, name) for name in channels)
        yield Entry(
            key=f"consent:{consent.pk}",
            at=consent.captured_at or consent.recorded_at,
            group=Group.DECISIONS,
            icon="shield",
            mark=Mark.OK if given else Mark.LATE if consent.status == "denied" else Mark.SYSTEM,
            title={
                "granted": "Consent recorded",
                "denied": "Consent refused",
                "not_provided": "No consent came with the inquiry",
            }[consent.status],
            rest=f"for {media}" if given and media else "",
            why=Why(question="What they agreed to", sentence=consent.wording)
            if consent.wording
            else None,
        )


def _revocations(lead: Lead) -> Iterator[Entry]:
    for stop in Revocation.objects.filter(person=lead.person_id):
        yield Entry(
            key=f"revocation:{stop.pk}",
            at=stop.at,
            group=Group.DECISIONS,
            icon="ban",
            mark=Mark.LATE,
            title=f"No more {_listed(MEDIA.get(name, name) for name in stop.media)}",
            rest={
                "stop": "they said stop",
                "unsubscribe": "they unsubscribed",
                "do_not_contact": "they asked not to be contacted",
                "wrong_person": "the number is someone else’s",
                "vendor": "the source told us",
                "review": "held until a person has looked",
            }[stop.kind],
            quote=Quote(text=stop.words) if stop.words else None,
        )


def _decisions(lead: Lead) -> Iterator[Entry]:
    for decision in RoutingDecision.objects.filter(lead=lead).select_related("officer__user"):
        chosen = decision.officer
        yield Entry(
            key=f"decision:{decision.pk}",
            at=decision.at,
            group=Group.DECISIONS,
            icon="routing",
            mark=Mark.SYSTEM if chosen else Mark.LATE,
            title=f"Routed to {chosen.user.name}" if chosen else "Nobody could be chosen",
            rest=f"by the rule “{decision.rule_name}”" if decision.rule_name else "",
            body=decision.sentence,
            links=(("See every candidate", "decision", decision.pk),),
        )


def _offers(lead: Lead) -> Iterator[Entry]:
    for offer in Offer.objects.filter(lead=lead).select_related("officer__user"):
        name = offer.officer.user.name
        for moment, words, mark in (
            (offer.taken_at, "took the lead", Mark.PERSON),
            (offer.passed_at, "passed", Mark.PERSON),
            (offer.lapsed_at, "did not take it in time", Mark.LATE),
        ):
            if moment is None:
                continue
            waited = round((moment - offer.offered_at).total_seconds())
            yield Entry(
                key=f"offer:{offer.pk}",
                at=moment,
                group=Group.DECISIONS,
                icon="clock" if mark is Mark.LATE else "user",
                mark=mark,
                title=name,
                rest=f"{words}, {waited} s after the offer" if waited < 3600 else words,
                body=""
                if offer.ended_because == "silence"
                else offer.ended_because.replace("_", " ").capitalize(),
            )


def _rings(lead: Lead) -> Iterator[Entry]:
    tried = Q(placed_at__isnull=False) | Q(state="failed")
    for ring in Ring.objects.filter(tried, offer__lead=lead).select_related("officer__user"):
        failed = ring.state == "failed"
        yield Entry(
            key=f"ring:{ring.pk}",
            at=ring.placed_at or ring.ended_at or ring.due_at,
            group=Group.DECISIONS,
            icon="phone",
            mark=Mark.LATE if failed else Mark.SYSTEM,
            title=f"{'Could not ring' if failed else 'Rang'} {ring.officer.user.name}",
            rest=ring.problem if failed else _heard(ring),
        )


def _heard(ring: Ring) -> str:
    if ring.connected_at:
        return "who pressed 1 and was put through to the borrower"
    if ring.pressed == "1":
        return "who pressed 1"
    if ring.answered_at:
        return "who heard it and pressed nothing" if not ring.pressed else "who passed"
    return "who did not pick up" if ring.ended_at else ""


def _ownerships(lead: Lead) -> Iterator[Entry]:
    given = Ownership.objects.filter(lead=lead, offer=None)
    for ownership in given.select_related("officer__user", "given_by"):
        giver = ownership.given_by.name if ownership.given_by else "Rooftree"
        yield Entry(
            key=f"ownership:{ownership.pk}",
            at=ownership.from_at,
            group=Group.DECISIONS,
            icon="user",
            mark=Mark.PERSON,
            title=f"Given to {ownership.officer.user.name}",
            rest=f"by {giver}",
        )


def _milestones(lead: Lead) -> Iterator[Entry]:
    for step in Milestone.objects.filter(loan__lead=lead).select_related("loan"):
        number = step.loan.loan_number
        funded = step.code == "funded"
        yield Entry(
            key=f"milestone:{step.pk}",
            at=step.reached_at,
            group=Group.LOAN,
            icon="flag" if funded else "los",
            mark=Mark.OK if funded else Mark.ACCENT,
            title=in_words(step.code),
            rest=f"loan {number}" if number else "",
            cents=step.loan.amount_cents if funded else None,
        )


def _handoffs(lead: Lead) -> Iterator[Entry]:
    words = {
        "pending": "waits to be sent",
        "sending": "is on its way",
        "created": "is in the LOS",
        "uncertain": "may have arrived: it is being looked up, and not sent twice",
        "rejected": "was refused by the LOS",
    }
    for handoff in lead.handoffs.all():
        yield Entry(
            key=f"handoff:{handoff.pk}",
            at=handoff.asked_at,
            group=Group.LOAN,
            icon="los",
            mark=Mark.LATE if handoff.state == "rejected" else Mark.PERSON,
            title=f"Handed to {handoff.connection.name}",
            rest=f"by {handoff.asked_by.name}" if handoff.asked_by else "",
            body=handoff.problem or f"The file {words[handoff.state]}",
        )


def _watches(lead: Lead) -> Iterator[Entry]:
    for watch in lead.watches.all():
        about = f"{watch.target_pct:.3f}% on {PRODUCTS.get(watch.product, watch.product)}"
        who = watch.set_by.name if watch.set_by else "Rooftree"
        yield Entry(
            key=f"watch:{watch.pk}",
            at=watch.set_at,
            group=Group.LOAN,
            icon="rates",
            title="Rate watch set",
            rest=f"by {who}: tell them at {about}",
        )
        if watch.reached_at and watch.reached_by:
            yield Entry(
                key=f"watch:{watch.pk}:reached",
                at=watch.reached_at,
                group=Group.LOAN,
                icon="rates",
                mark=Mark.ACCENT,
                title="Rate reached",
                rest=f"{watch.reached_by.rate_pct:.3f}%, {watch.reached_by.apr_pct:.3f}% APR",
                body=f"Their target was {about}. Sheet: {watch.reached_by.sheet}",
            )


def _enrolments(lead: Lead) -> Iterator[Entry]:
    for enrolment in Enrolment.objects.filter(lead=lead).select_related("sequence"):
        yield Entry(
            key=f"enrolment:{enrolment.pk}",
            at=enrolment.started_at,
            group=Group.MESSAGES,
            icon="sequence",
            title=f"Sequence “{enrolment.sequence.name}”",
            rest=f"began, by v{enrolment.sequence.version} of its steps",
        )
        if enrolment.ended_at:
            yield Entry(
                key=f"enrolment:{enrolment.pk}:ended",
                at=enrolment.ended_at,
                group=Group.MESSAGES,
                icon="sequence",
                title=f"Sequence “{enrolment.sequence.name}”",
                rest=f"ended: {enrolment.ended_because.replace('_', ' ')}",
            )


def _closing(lead: Lead) -> Iterator[Entry]:
    """How a lead ended that nobody ended by a tap."""
    if lead.retired_at and lead.retired_reason not in ENDED_BY_CALL:
        yield Entry(
            key=f"retired:{lead.pk}",
            at=lead.retired_at,
            group=Group.OTHER,
            icon="clock",
            title="Closed",
            rest=lead.retired_reason,
        )


def _listed(words: Iterable[str]) -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
