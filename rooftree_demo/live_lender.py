"""The lender's back office in the live market: processors, the rate desk, the watchman."""

import logging
import time
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from rooftree.core.vendor_errors import VendorError
from rooftree.flow import rate_alerts
from rooftree.los import adapter_pool, loan_milestones
from rooftree.los.models import Connection, Handoff
from rooftree.org.models import User
from rooftree_demo import demo_company, simulator_addresses
from rooftree_demo.load_history import Journal
from rooftree_demo.rate_sheets import RATE_OFFSETS, RATE_STEP, SHEET_NAME, rate_at, sheet_line
from rooftree_demo.seeded_random import seeded_between, seeded_choice
from rooftree_demo.simulator_client import SimulatorClient, SimulatorUnreachable

log = logging.getLogger("rooftree.demo")
LOAN_PATHS = {
    "happy": 0.62,
    "denied": 0.12,
    "withdrawn": 0.1,
    "suspend_resume": 0.1,
    "ctc_rollback": 0.06,
}
LIVE_LOAN_MINUTES = (3.0, 7.0)  # from application to the end of a loan, where life takes a month
HISTORY_LOAN_DAYS = (
    2.0,
    32.0,
)  # that the files of history still take, which are in life's own time
SHEET_SECONDS = 420.0  # seconds
FILES_SECONDS = 5.0
FUNDED_RANK = loan_milestones.all_milestones()["funded"].rank
HOUR_SECONDS = 3600.0


class LosSubscriber:
    """Sees that the LOS knows where to call us, and that the day's notices were read."""

    def __init__(self, control: SimulatorClient, *, web: str) -> None:
        self.control = control
        self.web = web
        self.next_opening = time.monotonic() + HOUR_SECONDS
        self._is_subscribed = False

    def act(self) -> None:
        """Subscribe once; open anew every hour."""
        if not self._is_subscribed:
            connection = Connection.objects.get(slug="encompass")
            try:
                adapter_pool.get_adapter(connection).subscribe(
                    f"{self.web}/in/encompass/{connection.slug}/", demo_company.LOS_SIGNING_KEY
                )
            except VendorError:
                return
            self._is_subscribed = True
        if time.monotonic() > self.next_opening:
            self.next_opening = time.monotonic() + HOUR_SECONDS
            demo_company.prepare_run(simulator_addresses.read_addresses(), at=datetime.now(UTC))


class LoanProcessors:
    """They work every new file to its end, good or bad, in minutes."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self._begun: set[UUID] = set()
        self._history_ends = Journal.of_this_home().plan.began
        self._next_page = 0.0

    def act(self) -> None:
        """Begin with the files that came in, and go on with those an earlier run left."""
        if time.monotonic() < self._next_page:
            return
        self._next_page = time.monotonic() + FILES_SECONDS
        open_ones = Handoff.objects.filter(
            state="created", loan__ended_as="", loan__rank__lt=FUNDED_RANK
        )
        for handoff in open_ones.exclude(pk__in=self._begun).select_related("loan"):
            self._begun.add(handoff.pk)
            if handoff.loan is None:
                continue
            minutes = seeded_between(*LIVE_LOAN_MINUTES, "pace", handoff.loan_id)
            if handoff.sent_at and handoff.sent_at < self._history_ends:
                minutes = 24 * 60 * seeded_between(*HISTORY_LOAN_DAYS, "pace", handoff.loan_id)
            try:
                self.control.call(
                    "enc/scenario",
                    {
                        "loan_id": handoff.loan.los_loan_id,
                        "path": seeded_choice(LOAN_PATHS, "path", handoff.loan_id),
                        "days": minutes / (24 * 60),
                    },
                )
            except SimulatorUnreachable as problem:
                log.debug("no scenario: %s", problem)


class RateDesk:
    """The rate desk: a new sheet every few minutes, an eighth up or down from the day's line."""

    def __init__(self) -> None:
        self.next = time.monotonic() + SHEET_SECONDS / 4

    def act(self) -> None:
        """Publish the next sheet when it is time."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + SHEET_SECONDS
        now = datetime.now(UTC)
        drift = Decimal(
            round(seeded_between(-3, 2, "sheet", int(now.timestamp() // SHEET_SECONDS)))
        )
        by = User.objects.filter(role="marketing").first()
        for product in RATE_OFFSETS:
            sheet = sheet_line(product, rate_at(now) + drift * RATE_STEP, now)
            rate_alerts.record_rate(
                product=product,
                rate_pct=sheet.rate_pct,
                apr_pct=sheet.apr_pct,
                points=sheet.points,
                sheet=SHEET_NAME,
                by=by,
                at=now,
            )
