"""What loan officers and their managers do in a story: take, pass, call, hand over."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

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

OPEN_OFFER = {"taken_at": None, "passed_at": None, "lapsed_at": None}
MAX_OFFERS = 12
REPEAT_SOURCES = ("zillow", "our-site")  # where people ask who have asked elsewhere
# (days after the step before, what the processor does)
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
    """Everybody at Lindenfield as one lead meets them."""

    def __init__(self, life: LeadStory, control: SimulatorClient) -> None:
        self.life = life
        self.rng = life.rng
        self.fate = life.story.fate
        self.control = control
        self.tries_left = (
            self.rng.randint(1, 3) if self.fate in REACHED_FATES else self.rng.randint(2, 3)
        )
        self.deferrals = 4

    def play(self) -> None:
        """From the first offer on."""
        life = self.life
        if self._assign_and_call() and self.rng.random() < 0.06:
            slugs = [
                repeat_source
                for repeat_source in REPEAT_SOURCES
                if repeat_source != life.story.slug
            ]
            wait = life.random_delay(4 * HOUR, 9 * DAY)
            life.schedule(life.at + wait, self._repeat_inquiry(self.rng.choice(slugs)))
        life.play()

    def _assign_and_call(self) -> bool:
        """Somebody takes the lead and calls; whether anybody did."""
        life = self.life
        has_owner = self._find_owner()
        if has_owner and not self._schedule_ring_result():
            wait = life.random_delay(MINUTE, 20 * MINUTE)
            life.schedule(self._next_working_moment(life.at + wait), self._call_borrower)
        return has_owner

    def _repeat_inquiry(self, slug: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            if self.life.inquire_again(slug, at):
                self._assign_and_call()

        return act

    def _find_owner(self) -> bool:
        """Offers go round until somebody takes the lead or a manager gives it; False if the
        story ends before."""
        life = self.life
        for _ in range(MAX_OFFERS):
            offer = Offer.objects.filter(lead=life.lead, **OPEN_OFFER).first()
            if offer is None:
                return life.current_lead().officer_id is not None or self._assign_by_manager()
            if offer.due_at > life.until:
                return False
            self._answer_offer(offer)
        return life.current_lead().officer_id is not None

    def _answer_offer(self, offer: Offer) -> None:
        life, drawn = self.life, self.rng.random()
        if drawn < 0.48:
            self._press_one(offer, offer.offered_at + life.random_delay(9 * SECOND, 32 * SECOND))
        elif drawn < 0.74:
            soon = life.random_delay(10 * SECOND, offer.due_at - offer.offered_at - 4 * SECOND)
            self._act_at(
                offer.offered_at + soon,
                lambda at: lead_offers.take_offer(
                    offer_id=offer.pk, officer_id=offer.officer_id, at=at
                ),
            )
        elif drawn < 0.81:
            self._act_at(
                offer.offered_at + life.random_delay(8 * SECOND, 35 * SECOND),
                lambda at: lead_offers.decline_offer(
                    offer_id=offer.pk, officer_id=offer.officer_id, at=at
                ),
            )
        else:
            life.pass_time(offer.due_at)

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
                self.life.run_queue(at)

    def _assign_by_manager(self) -> bool:
        """Nobody took it: the manager who was alarmed finds somebody."""
        life = self.life
        at = life.at + life.random_delay(4 * MINUTE, 40 * MINUTE)
        if at > life.until:
            return False
        life.pass_time(at)
        manager = User.objects.filter(role="manager").earliest("pk")
        state = life.lead.property_state or "FL"
        licensed = list(LoanOfficer.objects.filter(licenses__state=state).order_by("nmls_id"))
        for officer in self.rng.sample(licensed, len(licensed)):
            try:
                lead_offers.reassign_lead(
                    lead_id=life.lead.pk, officer_id=officer.pk, by=manager, at=at
                )
            except lead_ownership.CannotOwn:
                continue
            life.run_queue(at)
            return True
        return False

    def _schedule_ring_result(self) -> bool:
        """The ring put them through: how that talk went is written down when it is over."""
        life = self.life
        waits = ContactAttempt.objects.filter(
            lead=life.lead, cause__startswith="ring:", result=""
        ).first()
        if waits is None:
            return False
        ring_id = waits.cause.removeprefix("ring:")
        lasts = life.random_delay(40 * SECOND, 9 * MINUTE)
        over = life.at + lasts
        life.schedule(over, self._end_ring(ring_id, int(lasts.total_seconds())))
        life.schedule(over + 10 * SECOND, self._record_result)
        return True

    def _end_ring(self, ring_id: str, seconds: int) -> Callable[[datetime], None]:
        """The carrier tells of both ends: the borrower's, who may not have answered, and ours."""
        talked = self.fate in REACHED_FATES and self.tries_left <= 1

        def act(at: datetime) -> None:
            call_events.on_borrower_call_ended(
                ring_id=ring_id,  # type: ignore[arg-type]
                dial_status="completed" if talked else "no-answer",
                seconds=seconds if talked else None,
                at=at,
            )
            call_events.on_officer_call_status(ring_id=ring_id, carrier_status="completed", at=at)  # type: ignore[arg-type]

        return act

    def _call_borrower(self, at: datetime) -> None:
        """One try, if the borrower may be called at this hour."""
        lead = self.life.current_lead()
        if lead.officer is None or lead.state in ("retired", "funded"):
            return
        verdict = contact_permissions.decide_call(
            lead_id=lead.pk, cause=f"page:call:{at.timestamp():.0f}", at=at
        )
        if verdict.decision == Decision.ALLOW:
            self._record_result(at)
        elif verdict.next_allowed_at and self.deferrals:
            self.deferrals -= 1
            # On duty or not: whoever took a lead at night calls when the borrower may be called.
            opens = verdict.next_allowed_at + self.life.random_delay(MINUTE, 40 * MINUTE)
            self.life.schedule(opens, self._call_borrower)

    def _record_result(self, at: datetime) -> None:
        """Write down what came of a call, and what follows from it."""
        lead = self.life.current_lead()
        if lead.officer is None or lead.state in ("retired", "funded"):
            return
        self.tries_left -= 1
        result = self._choose_result()
        # A day or two later at this hour, at which they may be called.
        agreed = self._next_working_moment(at + self.rng.randint(1, 2) * DAY)
        call_outcomes.record_outcome(
            lead_id=lead.pk,
            result=result,
            by=lead.officer.user,
            at=at,
            call_back_at=agreed if result == "call_back" else None,
        )
        if result == "call_back":
            self.life.schedule(agreed, self._call_borrower)
        elif result == "spoken":
            self._after_talk(at)
        elif result in ("no_answer", "voicemail") and self.tries_left > 0:
            pause = self.life.random_delay(3 * HOUR, 30 * HOUR)
            self.life.schedule(self._next_working_moment(at + pause), self._call_borrower)

    def _choose_result(self) -> str:
        last = self.tries_left <= 0
        if self.fate is Fate.WRONG_NUMBER:
            return "wrong_number"
        if self.fate in REACHED_FATES and last:
            if self.fate is Fate.NOT_INTERESTED:
                return "not_interested"
            return "call_back" if self.rng.random() < 0.15 else "spoken"
        return self.rng.choice(("no_answer", "voicemail", "no_answer"))

    def _after_talk(self, at: datetime) -> None:
        life = self.life
        if self.fate in APPLYING_FATES:
            life.schedule(at + life.random_delay(10 * MINUTE, 6 * DAY), self._hand_off)
        if self.fate is Fate.WATCHES:
            life.schedule(at + 4 * MINUTE, self._set_rate_watch)

    def _set_rate_watch(self, at: datetime) -> None:
        lead = self.life.current_lead()
        below = Decimal("0.125") * self.rng.randint(1, 5)
        rate_watch.set_watch(
            lead=lead,
            product="30yr_fixed",
            target_pct=rate_at(at) - below,
            by=lead.officer.user if lead.officer else None,
            at=at,
        )

    def _hand_off(self, at: datetime) -> None:
        """To the LOS, where the processors' work begins."""
        lead = self.life.current_lead()
        if lead.officer is None or lead.state == "retired":
            return
        try:
            los_handoff.request_handoff(lead_id=lead.pk, by=lead.officer.user, at=at)
        except handoff_outbox.HandoffNotReady:
            return
        self.life.run_queue(at)
        loan = Loan.objects.filter(lead=lead).first()
        pace, when = self.rng.uniform(0.75, 1.5), at
        if loan is None:
            return
        for days, status in LOAN_PATHS[self.fate]:
            when += DAY * days * pace
            self.life.schedule(when, self._move_loan(loan, status))
            if status in adverse_action_notices.NOTICES_BY_STATUS:
                seen = when + self.life.random_delay(2 * DAY, 9 * DAY)
                self.life.schedule(
                    seen, lambda at, so=status: adverse_action_notices.record_notice(loan, so, at)
                )

    def _move_loan(self, loan: Loan, status: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            # At a desk, which raises no webhook: the loan is read at that moment instead.
            self.control.move_loan(loan.los_loan_id, status, on=at.date().isoformat(), by="desktop")
            loan_milestones.follow_loan_news(loan_updates.refresh_loan(loan=loan, at=at), at=at)

        return act

    def _next_working_moment(self, at: datetime) -> datetime:
        """The owner's next working moment."""
        officer = self.life.current_lead().officer
        if officer is None:
            return at
        return working_hours.next_opening(officer.hours, zone=officer.zone, at=at) or at
