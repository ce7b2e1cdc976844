"""The lender's back office in the live market: processors, the rate desk, the LOS webhook."""

import logging
import time
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from rooftree.core.vendor_errors import VendorError
from rooftree.flow import rate_alerts
from rooftree.los import adapter_pool, connection_check, loan_milestones, los_connections
from rooftree.los.los_adapter import Subscribes
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
LIVE_LOAN_MINUTES = (3.0, 7.0)  # from application to the end of a loan; a month in real life
HISTORY_LOAN_DAYS = (2.0, 32.0)  # the same for open loans of the history, in real time
SHEET_SECONDS = 420.0  # between two rate sheets
FILES_SECONDS = 5.0  # between two looks for new loan files
FUNDED_RANK = loan_milestones.all_milestones()["funded"].rank
HOUR_SECONDS = 3600.0


class LosSubscriber:
    """Subscribes our webhook at the LOS, and renews the day's data every hour."""

    def __init__(self, control: SimulatorClient, *, web: str) -> None:
        self.control = control
        self.web = web
        self.next_renewal_at = time.monotonic() + HOUR_SECONDS
        self._is_subscribed = False

    def act(self) -> None:
        """Subscribe once; renew the day's data every hour."""
        if not self._is_subscribed:
            connection = Connection.objects.get(slug="encompass")
            endpoint = los_connections.webhook_endpoint(connection, self.web)
            try:
                adapter = adapter_pool.get_adapter(connection)
                assert isinstance(adapter, Subscribes)
                adapter.subscribe(endpoint, demo_company.LOS_SIGNING_KEY)
            except VendorError:
                return
            self._is_subscribed = True
            administrator = User.objects.with_role("administrator").earliest("joined_at")
            connection_check.run_go_live_check(
                connection_id=connection.pk, site=self.web, by=administrator, at=datetime.now(UTC)
            )
        if time.monotonic() > self.next_renewal_at:
            self.next_renewal_at = time.monotonic() + HOUR_SECONDS
            demo_company.prepare_run(simulator_addresses.read_addresses(), at=datetime.now(UTC))


class LoanProcessors:
    """Processors who work every loan file to its end, good or bad, within minutes."""

    def __init__(self, control: SimulatorClient) -> None:
        self.control = control
        self._started: set[UUID] = set()
        self._history_end = Journal.open_for_home().plan.began
        self._next_at = 0.0

    def act(self) -> None:
        """Start the scenarios of new files and of files that an earlier run left open."""
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + FILES_SECONDS
        open_handoffs = Handoff.objects.filter(
            state="created", loan__final_outcome="", loan__rank__lt=FUNDED_RANK
        )
        for handoff in open_handoffs.exclude(pk__in=self._started).select_related("loan"):
            self._started.add(handoff.pk)
            if handoff.loan is None:
                continue
            minutes = seeded_between(*LIVE_LOAN_MINUTES, "pace", handoff.loan_id)
            if handoff.sent_at and handoff.sent_at < self._history_end:
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
                log.debug("the scenario could not be started: %s", problem)


class RateDesk:
    """The rate desk: a new sheet every few minutes, some eighths above or below the day's rate."""

    def __init__(self) -> None:
        self.next_at = time.monotonic() + SHEET_SECONDS / 4

    def act(self) -> None:
        """Publish the next sheet if it is due."""
        if time.monotonic() < self.next_at:
            return
        self.next_at = time.monotonic() + SHEET_SECONDS
        now = datetime.now(UTC)
        drift = Decimal(
            round(seeded_between(-3, 2, "sheet", int(now.timestamp() // SHEET_SECONDS)))
        )
        by = User.objects.with_role("marketing").first()
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
