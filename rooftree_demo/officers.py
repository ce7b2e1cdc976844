"""What loan officers and their managers do in a story: take, pass, call, hand over."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from rooftree.compliance.verdict import Decision
from rooftree.flow import attempts, calls, handoff, milestones, moment, offers
from rooftree.leads.models import ContactAttempt, Loan
from rooftree.los import inbox, outbox
from rooftree.org import hours
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach import may
from rooftree.outreach.models import Ring
from rooftree.rates import watch
from rooftree.routing import acknowledge, own
from rooftree.routing.models import Offer
from rooftree_demo import notices
from rooftree_demo.control import Control
from rooftree_demo.life import DAY, HOUR, MINUTE, REACHED, SECOND, Life
from rooftree_demo.rate_sheets import rate_at
from rooftree_demo.stories import APPLIES, Fate

LIVE = {"taken_at": None, "passed_at": None, "lapsed_at": None}
MAX_OFFERS = 12
ASKED_AGAIN = ("zillow", "our-site")  # where people ask who have asked elsewhere
# (days after the step before, what the processor does)
_TO_DECISION = (
    (1.5, "Application"),
    (1.0, "Loan Estimate sent"),
    (1.0, "Processing"),
    (5.0, "Submittal"),
)
PATHS: dict[Fate, tuple[tuple[float, str], ...]] = {
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


class Desk:
    """Everybody at Lindenfield as one lead meets them."""

    def __init__(self, life: Life, control: Control) -> None:
        self.life = life
        self.rng = life.rng
        self.fate = life.story.fate
        self.control = control
        self.tries_left = self.rng.randint(1, 3) if self.fate in REACHED else self.rng.randint(2, 3)
        self.deferrals = 4

    def work(self) -> None:
        """From the first offer on."""
        life = self.life
        if self._begin() and self.rng.random() < 0.06:
            slugs = [one for one in ASKED_AGAIN if one != life.story.slug]
            wait = life.within(4 * HOUR, 9 * DAY)
            life.later(life.at + wait, self._asks_again(self.rng.choice(slugs)))
        life.run()

    def _begin(self) -> bool:
        """Somebody takes the lead and calls; whether anybody did."""
        life = self.life
        has_owner = self._find_owner()
        if has_owner and not self._was_connected():
            wait = life.within(MINUTE, 20 * MINUTE)
            life.later(self._in_hours(life.at + wait), self._call)
        return has_owner

    def _asks_again(self, slug: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            if self.life.asks_again(slug, at):
                self._begin()

        return act

    def _find_owner(self) -> bool:
        """Offers go round until somebody takes the lead or a manager gives it; False if the
        story ends before."""
        life = self.life
        for _ in range(MAX_OFFERS):
            offer = Offer.objects.filter(lead=life.lead, **LIVE).first()
            if offer is None:
                return life.fresh().officer_id is not None or self._given()
            if offer.due_at > life.until:
                return False
            self._answer(offer)
        return life.fresh().officer_id is not None

    def _answer(self, offer: Offer) -> None:
        life, drawn = self.life, self.rng.random()
        if drawn < 0.48:
            self._press_one(offer, offer.offered_at + life.within(9 * SECOND, 32 * SECOND))
        elif drawn < 0.74:
            soon = life.within(10 * SECOND, offer.due_at - offer.offered_at - 4 * SECOND)
            self._with(
                offer.offered_at + soon,
                lambda at: offers.take(offer_id=offer.pk, officer_id=offer.officer_id, at=at),
            )
        elif drawn < 0.81:
            self._with(
                offer.offered_at + life.within(8 * SECOND, 35 * SECOND),
                lambda at: offers.decline(offer_id=offer.pk, officer_id=offer.officer_id, at=at),
            )
        else:
            life.pass_time(offer.due_at)

    def _press_one(self, offer: Offer, at: datetime) -> None:
        ring = Ring.objects.get(offer=offer)
        self._with(at, lambda at: calls.answered(ring_id=ring.pk, at=at))
        self._with(at + 4 * SECOND, lambda at: calls.pressed(ring_id=ring.pk, digits="1", at=at))

    def _with(self, at: datetime, act: Callable[[datetime], object]) -> None:
        with moment.at(at):
            try:
                act(at)
            except acknowledge.CannotTake:
                return
            finally:
                self.life.settle(at)

    def _given(self) -> bool:
        """Nobody took it: the manager who was alarmed finds somebody."""
        life = self.life
        at = life.at + life.within(4 * MINUTE, 40 * MINUTE)
        if at > life.until:
            return False
        life.pass_time(at)
        manager = User.objects.filter(role="manager").earliest("pk")
        state = life.lead.property_state or "FL"
        licensed = list(LoanOfficer.objects.filter(licenses__state=state).order_by("nmls_id"))
        for officer in self.rng.sample(licensed, len(licensed)):
            try:
                offers.give(lead_id=life.lead.pk, officer_id=officer.pk, by=manager, at=at)
            except own.CannotOwn:
                continue
            life.settle(at)
            return True
        return False

    def _was_connected(self) -> bool:
        """The ring put them through: how that talk went is written down when it is over."""
        life = self.life
        waits = ContactAttempt.objects.filter(
            lead=life.lead, cause__startswith="ring:", result=""
        ).first()
        if waits is None:
            return False
        ring_id = waits.cause.removeprefix("ring:")
        lasts = life.within(40 * SECOND, 9 * MINUTE)
        over = life.at + lasts
        life.later(over, self._end_of(ring_id, int(lasts.total_seconds())))
        life.later(over + 10 * SECOND, self._dispose)
        return True

    def _end_of(self, ring_id: str, seconds: int) -> Callable[[datetime], None]:
        """The carrier tells of both ends: the borrower's, who may not have answered, and ours."""
        talked = self.fate in REACHED and self.tries_left <= 1

        def act(at: datetime) -> None:
            calls.after_borrower(
                ring_id=ring_id,  # type: ignore[arg-type]
                dial_status="completed" if talked else "no-answer",
                seconds=seconds if talked else None,
                at=at,
            )
            calls.status(ring_id=ring_id, said="completed", at=at)  # type: ignore[arg-type]

        return act

    def _call(self, at: datetime) -> None:
        """One try, if the borrower may be called at this hour."""
        lead = self.life.fresh()
        if lead.officer is None or lead.state in ("retired", "funded"):
            return
        verdict = may.call(lead_id=lead.pk, cause=f"page:call:{at.timestamp():.0f}", at=at)
        if verdict.decision == Decision.ALLOW:
            self._dispose(at)
        elif verdict.next_allowed_at and self.deferrals:
            self.deferrals -= 1
            # On duty or not: whoever took a lead at night calls when the borrower may be called.
            opens = verdict.next_allowed_at + self.life.within(MINUTE, 40 * MINUTE)
            self.life.later(opens, self._call)

    def _dispose(self, at: datetime) -> None:
        """Write down what came of a call, and what follows from it."""
        lead = self.life.fresh()
        if lead.officer is None or lead.state in ("retired", "funded"):
            return
        self.tries_left -= 1
        result = self._result()
        # A day or two later at this hour, at which they may be called.
        agreed = self._in_hours(at + self.rng.randint(1, 2) * DAY)
        attempts.record(
            lead_id=lead.pk,
            result=result,
            by=lead.officer.user,
            at=at,
            call_back_at=agreed if result == "call_back" else None,
        )
        if result == "call_back":
            self.life.later(agreed, self._call)
        elif result == "spoken":
            self._after_talk(at)
        elif result in ("no_answer", "voicemail") and self.tries_left > 0:
            pause = self.life.within(3 * HOUR, 30 * HOUR)
            self.life.later(self._in_hours(at + pause), self._call)

    def _result(self) -> str:
        last = self.tries_left <= 0
        if self.fate is Fate.WRONG_NUMBER:
            return "wrong_number"
        if self.fate in REACHED and last:
            if self.fate is Fate.NOT_INTERESTED:
                return "not_interested"
            return "call_back" if self.rng.random() < 0.15 else "spoken"
        return self.rng.choice(("no_answer", "voicemail", "no_answer"))

    def _after_talk(self, at: datetime) -> None:
        life = self.life
        if self.fate in APPLIES:
            life.later(at + life.within(10 * MINUTE, 6 * DAY), self._hand_off)
        if self.fate is Fate.WATCHES:
            life.later(at + 4 * MINUTE, self._watch)

    def _watch(self, at: datetime) -> None:
        lead = self.life.fresh()
        below = Decimal("0.125") * self.rng.randint(1, 5)
        watch.set_watch(
            lead=lead,
            product="30yr_fixed",
            target_pct=rate_at(at) - below,
            by=lead.officer.user if lead.officer else None,
            at=at,
        )

    def _hand_off(self, at: datetime) -> None:
        """To the LOS, where the processors' work begins."""
        lead = self.life.fresh()
        if lead.officer is None or lead.state == "retired":
            return
        try:
            handoff.ask(lead_id=lead.pk, by=lead.officer.user, at=at)
        except outbox.CannotHandOff:
            return
        self.life.settle(at)
        loan = Loan.objects.filter(lead=lead).first()
        pace, when = self.rng.uniform(0.75, 1.5), at
        if loan is None:
            return
        for days, status in PATHS[self.fate]:
            when += DAY * days * pace
            self.life.later(when, self._move(loan, status))
            if status in notices.OWED:
                seen = when + self.life.within(2 * DAY, 9 * DAY)
                self.life.later(seen, lambda at, so=status: notices.seen(loan, so, at))

    def _move(self, loan: Loan, status: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            # At a desk, which raises no webhook: the loan is read at that moment instead.
            self.control.move_loan(loan.los_loan_id, status, on=at.date().isoformat(), by="desktop")
            milestones.follow(inbox.read_loan(loan=loan, at=at), at=at)

        return act

    def _in_hours(self, at: datetime) -> datetime:
        """The owner's next working moment."""
        officer = self.life.fresh().officer
        if officer is None:
            return at
        return hours.next_opening(officer.hours, zone=officer.zone, at=at) or at
