"""The whole system of one run: web, worker and a simulated carrier, with posts of both kinds.

The clock of web and worker stands at noon, when texts are lawful; what is measured goes by
the clock on the wall: our own of each post, the carrier's of each request, the database's
of each event.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from load_generator import PostTarget
from measurements import cpu_seconds
from temp_installation import (
    Installation,
    find_free_port,
    open_installation,
    python_command,
    serve_command,
    wait_for_url,
)

STALL_TIMEOUT = 120.0  # seconds in which nothing moves
BROWSER = (
    "Origin: https://www.lindenfield.example\r\nUser-Agent: Mozilla/5.0\r\n"
    "X-Forwarded-For: 203.0.113.10\r\n"
)  # evidence of consent names where it was given
# From the arrival of a delivery to the offer that names an officer, by the database's clock.
SELECT_OWNER_DELAYS = """
select extract(epoch from offered.recorded_at - came.recorded_at)::float8
  from event offered
  join touch on touch.lead_id = offered.lead_id
  join event came on came.kind = 'capture.delivery.received'
                 and came.data ->> 'delivery' = touch.delivery_id::text
 where offered.kind = 'routing.offer.made'
"""


@dataclass(slots=True, kw_only=True)
class MixedTarget(PostTarget):
    """Posts of our own form, with consent to texts, and of Zillow, without; and when each left."""

    consent: int  # percent
    path: str = ""
    left_at: dict[int, float] = field(default_factory=dict)

    def has_consent(self, n: int) -> bool:
        """Whether the `n`th borrower ticks the box."""
        return n * 37 % 100 < self.consent

    def request(self) -> bytes:
        """The whole next request, kept alive."""
        import lender_setup

        n = next(self.numbers)
        self.left_at[n] = time.time()
        if self.has_consent(n):
            return self.written("/in/form/our-site", lender_setup.form_post(n), BROWSER)
        return self.written(f"/in/zillow/{lender_setup.PATH_TOKEN}", lender_setup.zillow_post(n))


@dataclass(frozen=True, slots=True, kw_only=True)
class FullSystem:
    """What runs, and how far it has come."""

    here: Installation
    web: int
    worker: int
    simulators: Any
    target: MixedTarget

    def texts(self) -> dict[int, float]:
        """When the carrier was first asked to text each borrower, by their number."""
        import lender_setup

        account = self.simulators.twilio.account
        with account.lock:
            asked = [
                (message.to, message.created_at.timestamp())
                for message in account.messages.values()
            ]
        whose = {lender_setup.borrower_number(n): n for n in self.target.left_at}
        found: dict[int, float] = {}
        for to, at in sorted(asked, key=lambda one: one[1]):
            if to in whose:
                found.setdefault(whose[to], at)
        return found

    def owned(self) -> list[float]:
        """Seconds from each arrival to its officer."""
        with psycopg.connect(self.here.address, autocommit=True) as connection:
            return [seconds for (seconds,) in connection.execute(SELECT_OWNER_DELAYS)]

    def wait(self) -> None:
        """Until every lead has an officer and every consenting borrower their text."""
        leads = len(self.target.left_at)
        texts = sum(map(self.target.has_consent, self.target.left_at))
        seen, moved_at = (0, 0), time.monotonic()
        while (now := (len(self.texts()), len(self.owned()))) != (texts, leads):
            if now != seen:
                seen, moved_at = now, time.monotonic()
            if time.monotonic() - moved_at > STALL_TIMEOUT:
                raise TimeoutError(f"{now} of {texts} texts and {leads} offers, and no more.")
            time.sleep(0.5)

    def size(self) -> int:
        """Bytes of the database, its indexes included, the log of changes not."""
        with psycopg.connect(self.here.address, autocommit=True) as connection:
            return int(
                connection.execute("select pg_database_size(current_database())").fetchone()[0]
            )

    def cpu_by_part(self) -> dict[str, float]:
        """Processor time used so far, by part."""
        parts = {"web": self.web, "worker": self.worker, "database": self.here.database_pid}
        return {name: cpu_seconds(pid) for name, pid in parts.items()}


@contextmanager
def open_full_system(
    *, people: int, officers: int, consent: int, threads: int
) -> Iterator[FullSystem]:
    """Start everything on a database with people on file; yields it when it takes posts."""
    from rooftree_simulators.start_simulators import start_simulators
    from rooftree_simulators.twilio.twilio_account import (
        ACCOUNT_SID,
        AUTH_TOKEN,
        MAIN_NUMBER,
        CalleeBehavior,
    )

    port = find_free_port()
    with start_simulators() as simulators:
        simulators.twilio.account.usual = CalleeBehavior(voice="no-answer")
        with open_installation(
            PORT=str(port), ROOFTREE_BEHIND_TLS_PROXY="yes", ROOFTREE_THREADS_NOW=str(threads),
            ROOFTREE_CARRIER="twilio",
            TWILIO_BASE_URL=simulators.urls["twilio"], TWILIO_ACCOUNT_SID=ACCOUNT_SID,
            TWILIO_AUTH_TOKEN=AUTH_TOKEN, TWILIO_NUMBERS=MAIN_NUMBER,
        ) as here:  # fmt: skip
            import lender_setup
            import people_loader

            lender_setup.create_company(officers=officers)
            site = lender_setup.create_website_source()
            lender_setup.create_zillow_source()
            people_loader.load_people(people, site)
            people_loader.vacuum_database()
            with (
                here.process(serve_command("fixed_clock_web", port)) as web,
                here.process(python_command("bench/fixed_clock.py")) as worker,
            ):
                wait_for_url(f"http://127.0.0.1:{port}/readyz")
                target = MixedTarget(port=port, consent=consent, body=lender_setup.form_post)
                yield FullSystem(
                    here=here, web=web.pid, worker=worker.pid,
                    simulators=simulators, target=target,
                )  # fmt: skip
