"""The lender's back office in the live market: processors, the rate desk, the watchman."""

import logging
import time
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from rooftree.core.failures import Failure
from rooftree.flow import rate_alerts
from rooftree.los import connect, milestones
from rooftree.los.models import Connection, Handoff
from rooftree.org.models import User
from rooftree_demo import company, outside
from rooftree_demo.chance import between, one_of
from rooftree_demo.control import CannotReach, Control
from rooftree_demo.history import Journal
from rooftree_demo.rate_sheets import OFFSETS, SHEET, STEP, line, rate_at

log = logging.getLogger("rooftree.demo")
PATHS = {
    "happy": 0.62,
    "denied": 0.12,
    "withdrawn": 0.1,
    "suspend_resume": 0.1,
    "ctc_rollback": 0.06,
}
MINUTES = (3.0, 7.0)  # from application to the end of a loan, where life takes a month
DAYS = (2.0, 32.0)  # that the files of history still take, which are in life's own time
SHEET_EVERY = 420.0  # seconds
FILES_EVERY = 5.0
FUNDED = milestones.milestones()["funded"].rank
HOUR = 3600.0


class Watchman:
    """Sees that the LOS knows where to call us, and that the day's notices were read."""

    def __init__(self, control: Control, *, web: str) -> None:
        self.control = control
        self.web = web
        self.next_opening = time.monotonic() + HOUR
        self._is_subscribed = False

    def beat(self) -> None:
        """Subscribe once; open anew every hour."""
        if not self._is_subscribed:
            connection = Connection.objects.get(slug="encompass")
            try:
                connect.adapter(connection).subscribe(
                    f"{self.web}/in/encompass/{connection.slug}/", company.SIGNING_KEY
                )
            except Failure:
                return
            self._is_subscribed = True
        if time.monotonic() > self.next_opening:
            self.next_opening = time.monotonic() + HOUR
            company.open_today(outside.of_environment(), at=datetime.now(UTC))


class Processors:
    """They work every new file to its end, good or bad, in minutes."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self._begun: set[UUID] = set()
        self._history_ends = Journal.of_this_home().plan.began
        self._next = 0.0

    def beat(self) -> None:
        """Begin with the files that came in, and go on with those an earlier run left."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + FILES_EVERY
        open_ones = Handoff.objects.filter(
            state="created", loan__ended_as="", loan__rank__lt=FUNDED
        )
        for handoff in open_ones.exclude(pk__in=self._begun).select_related("loan"):
            self._begun.add(handoff.pk)
            if handoff.loan is None:
                continue
            minutes = between(*MINUTES, "pace", handoff.loan_id)
            if handoff.sent_at and handoff.sent_at < self._history_ends:
                minutes = 24 * 60 * between(*DAYS, "pace", handoff.loan_id)
            try:
                self.control.say(
                    "enc/scenario",
                    {
                        "loan_id": handoff.loan.los_loan_id,
                        "path": one_of(PATHS, "path", handoff.loan_id),
                        "days": minutes / (24 * 60),
                    },
                )
            except CannotReach as problem:
                log.debug("no scenario: %s", problem)


class Capital:
    """The rate desk: a new sheet every few minutes, an eighth up or down from the day's line."""

    def __init__(self) -> None:
        self.next = time.monotonic() + SHEET_EVERY / 4

    def beat(self) -> None:
        """Publish the next sheet when it is time."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + SHEET_EVERY
        now = datetime.now(UTC)
        drift = Decimal(round(between(-3, 2, "sheet", int(now.timestamp() // SHEET_EVERY))))
        by = User.objects.filter(role="marketing").first()
        for product in OFFSETS:
            sheet = line(product, rate_at(now) + drift * STEP, now)
            rate_alerts.record(
                product=product,
                rate_pct=sheet.rate_pct,
                apr_pct=sheet.apr_pct,
                points=sheet.points,
                sheet=SHEET,
                by=by,
                at=now,
            )
