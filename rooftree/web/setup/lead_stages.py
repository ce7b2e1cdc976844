"""The stages of a test lead: what happened to it, and how many seconds after it arrived."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from rooftree.leads.models import Lead, Touch
from rooftree.los.models import Connection, Handoff
from rooftree.org.models import User
from rooftree.outreach.models import Message, Ring
from rooftree.routing.models import Offer, Ownership, RoutingDecision

SENT_STATES = ("sent", "delivered")
PENDING_STATES = ("waiting", "claimed")
CONSOLE = "console"  # the carrier that prints
PRINTED = "Written to the log, not sent: no carrier is connected"
HANDOFF_SENTENCES = {
    "pending": "On its way",
    "sending": "On its way",
    "created": "The loan is in the LOS",
    "uncertain": "The LOS didn’t respond. Checking whether it created the loan",
    "rejected": "The LOS rejected it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStage:
    """One stage. `seconds` after the arrival; None while it has not happened."""

    name: str
    sentence: str
    seconds: float | None = None
    is_failed: bool = False
    href: str = ""


def find_test_touch(user: User, *, since: datetime) -> Touch | None:
    """Return the newest arrival since then from the user's own phone or email; None without one."""
    contact = Q(person__emails__key=user.email.lower())
    if user.phone:
        contact |= Q(person__phones__e164=user.phone)
    touches = Touch.objects.filter(contact, at__gte=since).select_related(
        "lead__officer__user", "lead__person", "delivery", "source"
    )
    return touches.order_by("-at", "-pk").first()


def list_stages(touch: Touch) -> list[LeadStage]:
    """Return every stage of the lead of this arrival, in order."""
    return [*_arrival_stages(touch), *_message_stages(touch), *_officer_stages(touch.lead, touch)]


def _arrival_stages(touch: Touch) -> Iterator[LeadStage]:
    lead = touch.lead
    yield LeadStage(
        name="Stored",
        sentence=f"{touch.source.name}, as it was posted",
        seconds=_seconds(touch, touch.at),
        href=reverse("delivery", args=[touch.delivery_id]),
    )
    matched_by = touch.matched_by or "No one here had this phone or email"
    yield LeadStage(
        name="Matched",
        sentence="New borrower" if touch.is_first else matched_by,
        seconds=_seconds(touch, touch.at),
    )
    is_scored = lead.score is not None
    yield LeadStage(
        name="Scored",
        sentence=f"{lead.score} of 100" if is_scored else "Not yet",
        seconds=_seconds(touch, lead.scored_at) if is_scored else None,
    )
    decision = RoutingDecision.objects.filter(lead=lead, at__gte=touch.at).order_by("at").first()
    yield LeadStage(
        name="Routed",
        sentence=decision.sentence if decision else "Not yet",
        seconds=_seconds(touch, decision.at) if decision else None,
        is_failed=bool(decision and decision.officer_id is None),
        href=reverse("decision", args=[decision.pk]) if decision else "",
    )


def _message_stages(touch: Touch) -> Iterator[LeadStage]:
    messages = {
        message.medium: message
        for message in Message.objects.filter(
            lead=touch.lead, direction="out", created_at__gte=touch.at
        ).order_by("-created_at")
    }
    for medium, name in (("email", "Emailed"), ("text", "Texted")):
        yield _message_stage(name, messages.get(medium), touch)


def _message_stage(name: str, message: Message | None, touch: Touch) -> LeadStage:
    if message is None:
        return LeadStage(name=name, sentence="Not yet")
    href = reverse("verdict", args=[message.verdict_id]) if message.verdict_id else ""
    if message.carrier == CONSOLE:
        return LeadStage(name=name, sentence=PRINTED, is_failed=True, href=href)
    if message.state in SENT_STATES:
        reached_at = message.delivered_at or message.sent_at
        return LeadStage(
            name=name,
            sentence=f"To {message.to_address}",
            seconds=_seconds(touch, reached_at),
            href=href,
        )
    if message.state in PENDING_STATES and not message.problem:
        return LeadStage(name=name, sentence="On its way", href=href)
    return LeadStage(
        name=name,
        sentence=message.problem or "Not sent",
        is_failed=message.state != "held",
        href=href,
    )


def _officer_stages(lead: Lead, touch: Touch) -> Iterator[LeadStage]:
    offer = Offer.objects.filter(lead=lead, offered_at__gte=touch.at).order_by("offered_at").first()
    ring = Ring.objects.filter(offer=offer).first() if offer else None
    is_printed = bool(ring and ring.carrier == CONSOLE)
    sentence = "Not yet"
    if is_printed:
        sentence = PRINTED
    elif ring and ring.problem:
        sentence = ring.problem
    elif ring and ring.placed_at:
        sentence = f"{ring.officer.user.name}’s phone"
    yield LeadStage(
        name="Officer called",
        sentence=sentence,
        seconds=_seconds(touch, ring.placed_at)
        if ring and ring.placed_at and not is_printed
        else None,
        is_failed=is_printed or bool(ring and ring.problem),
    )
    owned = Ownership.objects.filter(lead=lead, until_at=None).select_related("officer__user")
    ownership = owned.first()
    yield LeadStage(
        name="Accepted",
        sentence=f"By {ownership.officer.user.name}" if ownership else "Accept it on Queue",
        seconds=_seconds(touch, ownership.from_at) if ownership else None,
        href=reverse("lead", args=[lead.pk]),
    )
    if not Connection.objects.exclude(enabled_at=None).exists():
        return
    handoff = Handoff.objects.filter(lead=lead).order_by("requested_at").last()
    is_created = bool(handoff and handoff.state == "created")
    yield LeadStage(
        name="Handed off",
        sentence=(handoff.problem or HANDOFF_SENTENCES[handoff.state])
        if handoff
        else "Press Hand off on the lead",
        seconds=_seconds(touch, handoff.sent_at) if handoff and is_created else None,
        is_failed=bool(handoff and handoff.problem and not is_created),
        href=reverse("lead", args=[lead.pk]),
    )


def _seconds(touch: Touch, at: datetime | None) -> float | None:
    """Return the seconds from the arrival to `at`, at least 0; None for None."""
    if at is None:
        return None
    return max(0.0, (at - touch.delivery.received_at) / timedelta(seconds=1))
