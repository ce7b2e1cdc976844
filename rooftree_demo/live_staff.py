"""The staff of the live market: they answer their phones, take leads, call, write and hand over."""

import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from rooftree.flow import call_events, call_outcomes, lead_offers, los_handoff
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.los import handoff_outbox
from rooftree.org.models import LoanOfficer
from rooftree.outreach.inbound import conversation_inbox
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree.rates import rate_watch
from rooftree.routing import answer_offer
from rooftree.routing.models import Offer, Ownership
from rooftree_demo import sample_messages
from rooftree_demo.rate_sheets import rate_at
from rooftree_demo.seeded_random import seeded_between, seeded_choice, seeded_fraction
from rooftree_demo.simulator_addresses import MAIN_NUMBER
from rooftree_demo.simulator_client import SimulatorClient

OPEN_OFFER = {"taken_at": None, "passed_at": None, "lapsed_at": None}
PHONE_MOOD_SECONDS = 25.0  # seconds until the officers' phones behave otherwise
WORK_WINDOW = timedelta(hours=2)  # leads taken longer ago rest, until a call they are promised
MAX_BUSY_LEADS = 4  # leads that are worked in one beat
LEAD_PLANS = {
    "applies": 0.28,
    "watches": 0.1,
    "talks": 0.17,
    "not_interested": 0.1,
    "wrong_number": 0.03,
    "unreached": 0.32,
}


class OfficerPhones:
    """Officers press 1, let it ring, or are on another line; it changes with the hour."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self.rng = random.Random()
        self.next = 0.0

    def act(self) -> None:
        """Another mood now and then."""
        if time.monotonic() < self.next:
            return
        for number in LoanOfficer.objects.values_list("phone", flat=True):
            luck = self.rng.random()
            if luck < 0.5:
                after = self.rng.uniform(3, 12)
                self.control.set_behavior(
                    number, voice="answer", answer_after_s=after, digits=["1"]
                )
            else:
                self.control.set_behavior(number, voice="no-answer" if luck < 0.9 else "busy")
        self.next = time.monotonic() + PHONE_MOOD_SECONDS


class OfferTakers:
    """Officers who see an offer on their screen and take it there, or pass."""

    def act(self) -> None:
        """Answer the offers whose officer is looking."""
        now = datetime.now(UTC)
        for offer in Offer.objects.filter(**OPEN_OFFER, due_at__gt=now):
            age = (now - offer.offered_at).total_seconds()
            what = seeded_choice(
                {"takes": 0.36, "passes": 0.08, "looks away": 0.56}, "offer", offer.pk
            )
            if what == "looks away" or age < seeded_between(14, 48, "offer waits", offer.pk):
                continue
            verb = lead_offers.take_offer if what == "takes" else lead_offers.decline_offer
            try:
                verb(offer_id=offer.pk, officer_id=offer.officer_id, at=now)
            except answer_offer.CannotTake:
                continue


class OfficerCallers:
    """Officers who call the leads they took, say what came of it, and go on from there."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self._asked: set[object] = set()
        self._rests: dict[UUID, datetime] = {}  # lead: until when there is nothing to do about it

    def act(self) -> None:
        """The next step for a few of the leads taken lately, or whose promised call is due."""
        now = datetime.now(UTC)
        lately = Q(from_at__gt=now - WORK_WINDOW)
        due = Q(lead__first_attempt_at=None, lead__promise_at__range=(now - WORK_WINDOW, now))
        owned = Ownership.objects.filter(
            lately | due, until_at=None, lead__state__in=["new", "working"]
        )
        busy = 0
        for one in owned.select_related("lead__person", "officer__user"):
            if busy < MAX_BUSY_LEADS and self._rests.get(one.lead_id, now) <= now:
                busy += 1
                self._next_step(one, now)

    def _next_step(self, one: Ownership, now: datetime) -> None:
        lead, plan = one.lead, seeded_choice(LEAD_PLANS, "plan", one.lead_id)
        tries = list(
            ContactAttempt.objects.filter(lead=lead, medium="call", direction="out").order_by("at")
        )
        last = max([one.from_at, *(two.at for two in tries)])
        ready = last + timedelta(seconds=seeded_between(20, 100, "pause", lead.pk, len(tries)))
        if now < ready:
            self._rests[lead.pk] = ready
        elif tries and tries[-1].result in ("spoken", "call_back"):
            self._after_talk(lead, plan, now)
            self._rests[lead.pk] = now + WORK_WINDOW
        elif tries and tries[-1].result == "":
            self._record_result(one, _call_result(tries, plan), now)
        elif len(tries) < 4:
            self._place_call(one, plan, now)
        else:
            self._rests[lead.pk] = now + WORK_WINDOW

    def _place_call(self, one: Ownership, plan: str, now: datetime) -> None:
        """Call as the page does; what comes of it is said when the call is over."""
        # The page shows the button only then; a call begun anyway keeps a verdict each time.
        badge = contact_permissions.permissions_of_lead(one.lead_id, at=now)["call"]
        if badge.is_allowed:
            try:
                call_events.start_call(lead_id=one.lead_id, by=one.officer.user, at=now)
            except call_events.CannotCall:
                return
        elif plan == "applies":
            self._request_application_by_text(one.lead, now)
            self._rests[one.lead_id] = now + timedelta(seconds=15)
        else:
            self._rests[one.lead_id] = badge.next_allowed_at or now + WORK_WINDOW

    def _record_result(self, one: Ownership, result: str, now: datetime) -> None:
        call_outcomes.record_outcome(
            lead_id=one.lead_id, result=result, by=one.officer.user, at=now
        )

    def _after_talk(self, lead: Lead, plan: str, now: datetime) -> None:
        if plan == "applies":
            self._hand_off(lead, now)
        elif plan == "watches" and not lead.watches.exists():
            below = Decimal("0.125") * (1 + int(3 * seeded_fraction("target", lead.pk)))
            target = rate_at(now) - below
            by = lead.officer.user if lead.officer else None
            rate_watch.set_watch(lead=lead, product="30yr_fixed", target_pct=target, by=by, at=now)

    def _request_application_by_text(self, lead: Lead, now: datetime) -> None:
        """Nobody may be called at this hour; one who is awake writes, and wants to go on."""
        if Message.objects.filter(lead=lead, direction="in").exists():
            self._hand_off(lead, now)
            return
        number = lead.person.phones.filter(unlinked_at=None).first()
        if number and lead.pk not in self._asked:
            self._asked.add(lead.pk)
            body = "Still up 🙂 I have all my papers here. Could you open my application tonight?"
            self.control.send_text(number.e164, MAIN_NUMBER, body)

    def _hand_off(self, lead: Lead, now: datetime) -> None:
        lead.refresh_from_db()
        if lead.officer is None or lead.handoffs.exists():
            return
        try:
            los_handoff.request_handoff(lead_id=lead.pk, by=lead.officer.user, at=now)
        except handoff_outbox.HandoffNotReady:
            return


def _call_result(tries: list[ContactAttempt], plan: str) -> str:
    """What comes of the last of an officer's calls to a borrower."""
    last = tries[-1]
    if last.cause.startswith("ring:"):  # the ring had put them through
        return "spoken" if plan != "unreached" else "voicemail"
    tried = len(tries) - 1
    if seeded_fraction("reached", last.lead_id, tried) >= 0.6 and tried < 2:
        return "no_answer"
    if plan == "unreached":
        return "voicemail" if seeded_fraction("machine", last.lead_id, tried) < 0.4 else "no_answer"
    return plan if plan in ("wrong_number", "not_interested") else "spoken"


class OfficerRepliers:
    """Officers who read what borrowers wrote and answer most of it."""

    def act(self) -> None:
        """Answer what came in a while ago."""
        now = datetime.now(UTC)
        unread = Message.objects.filter(
            direction="in",
            read_at=None,
            lead__officer__isnull=False,
            created_at__gt=now - WORK_WINDOW,
        )
        for came in unread.select_related("lead__officer__user"):
            age = (now - came.created_at).total_seconds()
            if age < seeded_between(25, 110, "reads after", came.pk):
                continue
            officer = came.lead.officer
            if officer is None:
                continue
            conversation_inbox.mark_read(lead_id=came.lead_id, by=officer.user_id, at=now)
            if came.problem or seeded_fraction("answers", came.pk) < 0.25:
                continue
            body = sample_messages.officer_answer(random.Random(str(came.pk)), came.language)
            try:
                typed_messages.send_typed_message(
                    lead_id=came.lead_id, medium="text", body=body,
                    by=officer.user, at=now,
                )  # fmt: skip
            except typed_messages.CannotSend:
                continue
