"""Actions of loan officers and managers in a lead's story: take, decline, call, hand off."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

from rooftree.compliance.gate.verdict import Decision
from rooftree.flow import (
    call_events,
    call_outcomes,
    clock,
    lead_offers,
    loan_milestones,
    los_handoff,
)
from rooftree.leads.models import ContactAttempt, Loan
from rooftree.los import handoff_outbox, loan_updates
from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import Ring
from rooftree.rates import rate_watch
from rooftree.routing import answer_offer, lead_ownership
from rooftree.routing.models import Offer
from rooftree_demo import adverse_action_notices
from rooftree_demo.lead_story import DAY, HOUR, MINUTE, REACHED_FATES, SECOND, LeadStory
from rooftree_demo.rate_sheets import rate_at
from rooftree_demo.simulator_client import SimulatorClient
from rooftree_demo.stories import APPLYING_FATES, Fate

OPEN_OFFER = {"accepted_at": None, "declined_at": None, "expired_at": None}
MAX_OFFERS = 12
REPEAT_SOURCES = ("zillow", "our-site")  # sources of second inquiries
# (days after the previous step, status the processor sets)
_TO_DECISION = (
    (1.5, "Application"),
    (1.0, "Loan Estimate sent"),
    (1.0, "Processing"),
    (5.0, "Submittal"),
)
LOAN_PATHS: dict[Fate, tuple[tuple[float, str], ...]] = {
    Fate.FUNDED: (
        *_TO_DECISION,
        (4.0, "Cond. Approval"),
        (8.0, "Clear to Close"),
        (2.0, "Doc Preparation"),
        (3.0, "Docs Signing"),
        (0.1, "Closed"),
        (2.0, "Funding"),
    ),
    Fate.DENIED: (*_TO_DECISION, (3.0, "1393=Application denied")),
    Fate.WITHDRAWN: (*_TO_DECISION, (6.0, "1393=Application withdrawn")),
    Fate.INCOMPLETE: (*_TO_DECISION[:3], (20.0, "1393=File Closed for incompleteness")),
}


class OfficerDesk:
    """The officers and managers who work one lead."""

    def __init__(self, lead_story: LeadStory, control: SimulatorClient) -> None:
        self.lead_story = lead_story
        self.rng = lead_story.rng
        self.fate = lead_story.story.fate
        self.control = control
        self.tries_left = (
            self.rng.randint(1, 3) if self.fate in REACHED_FATES else self.rng.randint(2, 3)
        )
        self.deferrals = 4

    def play(self) -> None:
        """Play the story from the first offer to its end."""
        lead_story = self.lead_story
        if self._assign_and_call() and self.rng.random() < 0.06:
            slugs = [
                repeat_source
                for repeat_source in REPEAT_SOURCES
                if repeat_source != lead_story.story.slug
            ]
            wait = lead_story.random_delay(4 * HOUR, 9 * DAY)
            lead_story.schedule(lead_story.at + wait, self._repeat_inquiry(self.rng.choice(slugs)))
        lead_story.play()

    def _assign_and_call(self) -> bool:
        """Find an owner and schedule the first call; return False if no one takes the lead."""
        lead_story = self.lead_story
        has_owner = self._find_owner()
        if has_owner and not self._schedule_ring_result():
            wait = lead_story.random_delay(MINUTE, 20 * MINUTE)
            lead_story.schedule(
                self._next_working_moment(lead_story.at + wait), self._call_borrower
            )
        return has_owner

    def _repeat_inquiry(self, slug: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            if self.lead_story.inquire_again(slug, at):
                self._assign_and_call()

        return act

    def _find_owner(self) -> bool:
        """Pass offers on until an officer takes the lead or a manager assigns it.

        Return False if the story ends before that.
        """
        lead_story = self.lead_story
        for _ in range(MAX_OFFERS):
            offer = Offer.objects.filter(lead=lead_story.lead, **OPEN_OFFER).first()
            if offer is None:
                return lead_story.current_lead().officer_id is not None or self._assign_by_manager()
            if offer.due_at > lead_story.until:
                return False
            self._answer_offer(offer)
        return lead_story.current_lead().officer_id is not None

    def _answer_offer(self, offer: Offer) -> None:
        lead_story, drawn = self.lead_story, self.rng.random()
        if drawn < 0.48:
            self._press_one(
                offer, offer.offered_at + lead_story.random_delay(9 * SECOND, 32 * SECOND)
            )
        elif drawn < 0.74:
            delay = lead_story.random_delay(
                10 * SECOND, offer.due_at - offer.offered_at - 4 * SECOND
            )
            self._act_at(
                offer.offered_at + delay,
                lambda at: lead_offers.take_offer(
                    offer_id=offer.pk, officer_id=offer.officer_id, at=at
                ),
            )
        elif drawn < 0.81:
            self._act_at(
                offer.offered_at + lead_story.random_delay(8 * SECOND, 35 * SECOND),
                lambda at: lead_offers.decline_offer(
                    offer_id=offer.pk, officer_id=offer.officer_id, at=at
                ),
            )
        else:
            lead_story.pass_time(offer.due_at)

    def _press_one(self, offer: Offer, at: datetime) -> None:
        ring = Ring.objects.get(offer=offer)
        self._act_at(at, lambda at: call_events.on_officer_answered(ring_id=ring.pk, at=at))
        self._act_at(
            at + 4 * SECOND,
            lambda at: call_events.on_officer_pressed(ring_id=ring.pk, digits="1", at=at),
        )

    def _act_at(self, at: datetime, act: Callable[[datetime], object]) -> None:
        with clock.freeze(at):
            try:
                act(at)
            except answer_offer.CannotTake:
                return
            finally:
                self.lead_story.run_queue(at)

    def _assign_by_manager(self) -> bool:
        """Assign a lead that no officer took, as the alerted manager does."""
        lead_story = self.lead_story
        at = lead_story.at + lead_story.random_delay(4 * MINUTE, 40 * MINUTE)
        if at > lead_story.until:
            return False
        lead_story.pass_time(at)
        manager = User.objects.with_role("manager").earliest("pk")
        state = lead_story.lead.property_state or "FL"
        licensed = list(LoanOfficer.objects.filter(licenses__state=state).order_by("nmls_id"))
        for officer in self.rng.sample(licensed, len(licensed)):
            try:
                lead_offers.reassign_lead(
                    lead_id=lead_story.lead.pk, officer_id=officer.pk, by=manager, at=at
                )
            except lead_ownership.CannotOwn:
                continue
            lead_story.run_queue(at)
            return True
        return False

    def _schedule_ring_result(self) -> bool:
        """Schedule the outcome of a call that the ring connected; return False if none did."""
        lead_story = self.lead_story
        attempt = ContactAttempt.objects.filter(
            lead=lead_story.lead, idempotency_key__startswith="ring:", result=""
        ).first()
        if attempt is None:
            return False
        ring_id = attempt.idempotency_key.removeprefix("ring:")
        duration = lead_story.random_delay(40 * SECOND, 9 * MINUTE)
        ended_at = lead_story.at + duration
        lead_story.schedule(ended_at, self._end_ring(ring_id, int(duration.total_seconds())))
        lead_story.schedule(ended_at + 10 * SECOND, self._record_result)
        return True

    def _end_ring(self, ring_id: str, seconds: int) -> Callable[[datetime], None]:
        """Build the carrier's reports for both legs; the borrower has not always answered."""
        is_answered = self.fate in REACHED_FATES and self.tries_left <= 1

        def act(at: datetime) -> None:
            call_events.on_borrower_call_ended(
                ring_id=ring_id,  # type: ignore[arg-type]
                dial_status="completed" if is_answered else "no-answer",
                seconds=seconds if is_answered else None,
                at=at,
            )
            call_events.on_officer_call_status(ring_id=ring_id, carrier_status="completed", at=at)  # type: ignore[arg-type]

        return act

    def _call_borrower(self, at: datetime) -> None:
        """Call once if calling is allowed now; else schedule the call for the next allowed time."""
        lead = self.lead_story.current_lead()
        if lead.officer is None or lead.state in ("retired", "funded"):
            return
        verdict = contact_permissions.decide_call(
            lead_id=lead.pk, cause=f"page:call:{at.timestamp():.0f}", at=at
        )
        if verdict.decision == Decision.ALLOW:
            self._record_result(at)
        elif verdict.next_allowed_at and self.deferrals:
            self.deferrals -= 1
            # An officer who took a lead at night calls when calling is allowed, on duty or not.
            allowed_at = verdict.next_allowed_at + self.lead_story.random_delay(MINUTE, 40 * MINUTE)
            self.lead_story.schedule(allowed_at, self._call_borrower)

    def _record_result(self, at: datetime) -> None:
        """Record the result of a call, and schedule the next step."""
        lead = self.lead_story.current_lead()
        if lead.officer is None or lead.state in ("retired", "funded"):
            return
        self.tries_left -= 1
        result = self._choose_result()
        # A day or two later at the same hour, because calling is allowed at this hour.
        call_back_at = self._next_working_moment(at + self.rng.randint(1, 2) * DAY)
        call_outcomes.record_outcome(
            lead_id=lead.pk,
            result=result,
            by=lead.officer.user,
            at=at,
            call_back_at=call_back_at if result == "call_back" else None,
        )
        if result == "call_back":
            self.lead_story.schedule(call_back_at, self._call_borrower)
        elif result == "spoken":
            self._follow_up_talk(at)
        elif result in ("no_answer", "voicemail") and self.tries_left > 0:
            pause = self.lead_story.random_delay(3 * HOUR, 30 * HOUR)
            self.lead_story.schedule(self._next_working_moment(at + pause), self._call_borrower)

    def _choose_result(self) -> str:
        is_last = self.tries_left <= 0
        if self.fate is Fate.WRONG_NUMBER:
            return "wrong_number"
        if self.fate in REACHED_FATES and is_last:
            if self.fate is Fate.NOT_INTERESTED:
                return "not_interested"
            return "call_back" if self.rng.random() < 0.15 else "spoken"
        return self.rng.choice(("no_answer", "voicemail", "no_answer"))

    def _follow_up_talk(self, at: datetime) -> None:
        lead_story = self.lead_story
        if self.fate in APPLYING_FATES:
            lead_story.schedule(at + lead_story.random_delay(10 * MINUTE, 6 * DAY), self._hand_off)
        if self.fate is Fate.WATCHES:
            lead_story.schedule(at + 4 * MINUTE, self._set_rate_watch)

    def _set_rate_watch(self, at: datetime) -> None:
        lead = self.lead_story.current_lead()
        below = Decimal("0.125") * self.rng.randint(1, 5)
        rate_watch.set_watch(
            lead=lead,
            product="30yr_fixed",
            target_pct=rate_at(at) - below,
            by=lead.officer.user if lead.officer else None,
            at=at,
        )

    def _hand_off(self, at: datetime) -> None:
        """Hand the lead off to the LOS, and schedule the processors' steps."""
        lead = self.lead_story.current_lead()
        if lead.officer is None or lead.state == "retired":
            return
        try:
            los_handoff.request_handoff(lead_id=lead.pk, by=lead.officer.user, at=at)
        except handoff_outbox.HandoffNotReady:
            return
        self.lead_story.run_queue(at)
        loan = Loan.objects.filter(lead=lead).first()
        pace, when = self.rng.uniform(0.75, 1.5), at
        if loan is None:
            return
        for days, status in LOAN_PATHS[self.fate]:
            when += DAY * days * pace
            self.lead_story.schedule(when, self._move_loan(loan, status))
            if status in adverse_action_notices.NOTICES_BY_STATUS:
                noticed_at = when + self.lead_story.random_delay(2 * DAY, 9 * DAY)
                self.lead_story.schedule(
                    noticed_at,
                    partial(adverse_action_notices.record_notice, loan, status),
                )

    def _move_loan(self, loan: Loan, status: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            # Moves in the desktop client raise no webhook, so the loan is read directly.
            self.control.move_loan(loan.los_loan_id, status, on=at.date().isoformat(), by="desktop")
            loan_milestones.follow_loan_news(loan_updates.refresh_loan(loan=loan, at=at), at=at)

        return act

    def _next_working_moment(self, at: datetime) -> datetime:
        """Return the owner's next working time at or after `at`."""
        officer = self.lead_story.current_lead().officer
        if officer is None:
            return at
        return working_hours.next_opening(officer.hours, zone=officer.zone, at=at) or at
