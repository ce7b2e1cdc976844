"""The officers of the live market: they answer phones, take leads, call, write and hand off."""

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
from rooftree.routing import answer_offer, missed_offers
from rooftree.routing.models import Offer, Ownership
from rooftree_demo import sample_messages
from rooftree_demo.rate_sheets import rate_at
from rooftree_demo.seeded_random import seeded_between, seeded_choice, seeded_fraction
from rooftree_demo.simulator_addresses import MAIN_NUMBER
from rooftree_demo.simulator_client import SimulatorClient

OPEN_OFFER = {"accepted_at": None, "declined_at": None, "expired_at": None}
PHONE_BEHAVIOR_SECONDS = 25.0  # seconds between changes of the officers' phone behavior
WORK_WINDOW = timedelta(hours=2)  # leads taken earlier rest until a promised call is due
BACK_AT_DESK_AFTER = timedelta(minutes=4)  # after two missed offers
MAX_BUSY_LEADS = 4  # leads worked in one beat
LEAD_PLANS = {
    "applies": 0.28,
    "watches": 0.1,
    "talks": 0.17,
    "not_interested": 0.1,
    "wrong_number": 0.03,
    "unreached": 0.32,
}


class OfficerPhones:
    """Officers' phones: they press 1, do not answer, or are busy; this changes over time."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self.rng = random.Random()
        self.next_at = 0.0

    def act(self) -> None:
        """Change the behavior of all phones if it is due."""
        if time.monotonic() < self.next_at:
            return
        for number in LoanOfficer.objects.values_list("phone", flat=True):
            chance = self.rng.random()
            if chance < 0.5:
                after = self.rng.uniform(3, 12)
                self.control.set_behavior(
                    number, voice="answer", answer_after_s=after, digits=["1"]
                )
            else:
                self.control.set_behavior(number, voice="no-answer" if chance < 0.9 else "busy")
        self.next_at = time.monotonic() + PHONE_BEHAVIOR_SECONDS


class OfferTakers:
    """Officers who take or decline an offer on their screen."""

    def act(self) -> None:
        """Answer the offers whose officer has had time to see them."""
        now = datetime.now(UTC)
        for offer in Offer.objects.filter(**OPEN_OFFER, due_at__gt=now):
            age = (now - offer.offered_at).total_seconds()
            reaction = seeded_choice(
                {"takes": 0.36, "passes": 0.08, "looks away": 0.56}, "offer", offer.pk
            )
            if reaction == "looks away" or age < seeded_between(14, 48, "offer waits", offer.pk):
                continue
            answer = lead_offers.take_offer if reaction == "takes" else lead_offers.decline_offer
            try:
                answer(offer_id=offer.pk, officer_id=offer.officer_id, at=now)
            except answer_offer.CannotTake:
                continue
        self._take_leads_again(now)

    def _take_leads_again(self, now: datetime) -> None:
        """Turn on the switch of officers who missed offers, as people back at their desk do."""
        away = LoanOfficer.objects.filter(
            pause_reason=missed_offers.load_rule().phrase, paused_at__lt=now - BACK_AT_DESK_AFTER
        )
        for officer in away.select_related("user"):
            lead_offers.resume_officer(officer_id=officer.pk, by=officer.user, at=now)


class OfficerCallers:
    """Officers who call their leads, record the outcome, and follow up."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self._texted: set[object] = set()
        self._resting_until: dict[UUID, datetime] = {}  # by lead

    def act(self) -> None:
        """Take the next step for a few leads taken recently or with a promised call due."""
        now = datetime.now(UTC)
        recent = Q(from_at__gt=now - WORK_WINDOW)
        due = Q(lead__first_attempt_at=None, lead__response_due_at__range=(now - WORK_WINDOW, now))
        owned = Ownership.objects.filter(
            recent | due, until_at=None, lead__state__in=["new", "working"]
        )
        busy = 0
        for ownership in owned.select_related("lead__person", "officer__user"):
            is_resting = self._resting_until.get(ownership.lead_id, now) > now
            if busy < MAX_BUSY_LEADS and not is_resting:
                busy += 1
                self._take_next_step(ownership, now)

    def _take_next_step(self, ownership: Ownership, now: datetime) -> None:
        lead, plan = ownership.lead, seeded_choice(LEAD_PLANS, "plan", ownership.lead_id)
        calls = list(
            ContactAttempt.objects.filter(lead=lead, medium="call", direction="out").order_by("at")
        )
        last_at = max([ownership.from_at, *(call.at for call in calls)])
        ready_at = last_at + timedelta(
            seconds=seeded_between(20, 100, "pause", lead.pk, len(calls))
        )
        if now < ready_at:
            self._resting_until[lead.pk] = ready_at
        elif calls and calls[-1].result in ("spoken", "call_back"):
            self._follow_up_talk(lead, plan, now)
            self._resting_until[lead.pk] = now + WORK_WINDOW
        elif calls and calls[-1].result == "":
            call_outcomes.record_outcome(
                lead_id=lead.pk,
                result=_choose_call_result(calls, plan),
                by=ownership.officer.user,
                at=now,
            )
        elif len(calls) < 4:
            self._place_call(ownership, plan, now)
        else:
            self._resting_until[lead.pk] = now + WORK_WINDOW

    def _place_call(self, ownership: Ownership, plan: str, now: datetime) -> None:
        """Call as the page does; the outcome is recorded after the call."""
        # The page shows the call button only when a call is allowed; a refused call would
        # store a verdict every time.
        badge = contact_permissions.permissions_of_lead(ownership.lead_id, at=now)["call"]
        if badge.is_allowed:
            try:
                call_events.start_call(lead_id=ownership.lead_id, by=ownership.officer.user, at=now)
            except call_events.CannotCall:
                return
        elif plan == "applies":
            self._request_application_by_text(ownership.lead, now)
            self._resting_until[ownership.lead_id] = now + timedelta(seconds=15)
        else:
            self._resting_until[ownership.lead_id] = badge.next_allowed_at or now + WORK_WINDOW

    def _follow_up_talk(self, lead: Lead, plan: str, now: datetime) -> None:
        if plan == "applies":
            self._hand_off(lead, now)
        elif plan == "watches" and not lead.watches.exists():
            below = Decimal("0.125") * (1 + int(3 * seeded_fraction("target", lead.pk)))
            target = rate_at(now) - below
            by = lead.officer.user if lead.officer else None
            rate_watch.set_watch(lead=lead, product="30yr_fixed", target_pct=target, by=by, at=now)

    def _request_application_by_text(self, lead: Lead, now: datetime) -> None:
        """Outside calling hours, text as a borrower who wants to apply; then hand off."""
        if Message.objects.filter(lead=lead, direction="in").exists():
            self._hand_off(lead, now)
            return
        number = lead.person.phones.filter(unlinked_at=None).first()
        if number and lead.pk not in self._texted:
            self._texted.add(lead.pk)
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


def _choose_call_result(calls: list[ContactAttempt], plan: str) -> str:
    """Choose the result of the last of an officer's calls to a borrower."""
    last = calls[-1]
    if last.idempotency_key.startswith("ring:"):  # the ring connected officer and borrower
        return "spoken" if plan != "unreached" else "voicemail"
    earlier = len(calls) - 1
    if seeded_fraction("reached", last.lead_id, earlier) >= 0.6 and earlier < 2:
        return "no_answer"
    if plan == "unreached":
        is_voicemail = seeded_fraction("machine", last.lead_id, earlier) < 0.4
        return "voicemail" if is_voicemail else "no_answer"
    return plan if plan in ("wrong_number", "not_interested") else "spoken"


class OfficerRepliers:
    """Officers who read borrowers' texts and answer most of them."""

    def act(self) -> None:
        """Answer the texts whose officer has had time to read them."""
        now = datetime.now(UTC)
        unread = Message.objects.filter(
            direction="in",
            read_at=None,
            lead__officer__isnull=False,
            created_at__gt=now - WORK_WINDOW,
        )
        for text in unread.select_related("lead__officer__user"):
            age = (now - text.created_at).total_seconds()
            if age < seeded_between(25, 110, "reads after", text.pk):
                continue
            officer = text.lead.officer
            if officer is None:
                continue
            conversation_inbox.mark_read(lead_id=text.lead_id, by=officer.user_id, at=now)
            if text.problem or seeded_fraction("answers", text.pk) < 0.25:
                continue
            body = sample_messages.officer_answer(random.Random(str(text.pk)), text.language)
            try:
                typed_messages.send_typed_message(
                    lead_id=text.lead_id, medium="text", body=body,
                    by=officer.user, at=now,
                )  # fmt: skip
            except typed_messages.CannotSend:
                continue
