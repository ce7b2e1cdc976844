"""The whole system of one run: web, worker and a simulated carrier, with two kinds of posts.

The clock of web and worker stands at noon, when texts are lawful. Measurements use the
wall clock: ours for each post, the carrier's for each request, the database's for each event.
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

STALL_TIMEOUT = 120.0  # seconds without progress
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
    """Posts of our own form, with consent to texts, and of Zillow, without, with their times."""

    consent: int  # percent
    path: str = ""
    sent_at: dict[int, float] = field(default_factory=dict)

    def has_consent(self, n: int) -> bool:
        """Decide whether the `n`th borrower ticks the box."""
        return n * 37 % 100 < self.consent

    def request(self) -> bytes:
        """Build the next request, with a keep-alive connection."""
        import lender_setup

        n = next(self.numbers)
        self.sent_at[n] = time.time()
        if self.has_consent(n):
            body = lender_setup.form_post(n)
            proof = "".join(
                f"{name}: {value}\r\n" for name, value in lender_setup.form_headers(body).items()
            )
            return self.build_request("/in/form/our-site", body, proof)
        return self.build_request(
            f"/in/zillow/{lender_setup.PATH_TOKEN}", lender_setup.zillow_post(n)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FullSystem:
    """The running processes, and their progress."""

    installation: Installation
    web: int
    worker: int
    simulators: Any
    target: MixedTarget

    def texts(self) -> dict[int, float]:
        """Return the time of the first carrier request for each borrower, by borrower number."""
        import lender_setup

        account = self.simulators.twilio.account
        with account.lock:
            requests = [
                (message.to, message.created_at.timestamp())
                for message in account.messages.values()
            ]
        borrowers = {lender_setup.borrower_number(n): n for n in self.target.sent_at}
        first_at: dict[int, float] = {}
        for to, at in sorted(requests, key=lambda request: request[1]):
            if to in borrowers:
                first_at.setdefault(borrowers[to], at)
        return first_at

    def owner_delays(self) -> list[float]:
        """Return the seconds from each arrival to its officer's offer."""
        with psycopg.connect(self.installation.address, autocommit=True) as connection:
            return [seconds for (seconds,) in connection.execute(SELECT_OWNER_DELAYS)]

    def wait(self) -> None:
        """Wait until every lead has an officer and every consenting borrower a text."""
        leads = len(self.target.sent_at)
        texts = sum(map(self.target.has_consent, self.target.sent_at))
        last, moved_at = (0, 0), time.monotonic()
        while (now := (len(self.texts()), len(self.owner_delays()))) != (texts, leads):
            if now != last:
                last, moved_at = now, time.monotonic()
            if time.monotonic() - moved_at > STALL_TIMEOUT:
                raise TimeoutError(f"Stalled at {now} of {texts} texts and {leads} offers.")
            time.sleep(0.5)

    def size(self) -> int:
        """Return the bytes of the database, with indexes, without the write-ahead log."""
        with psycopg.connect(self.installation.address, autocommit=True) as connection:
            return int(
                connection.execute("select pg_database_size(current_database())").fetchone()[0]
            )

    def cpu_by_part(self) -> dict[str, float]:
        """Return the CPU seconds used so far, by part."""
        database_pid = self.installation.database_pid
        parts = {"web": self.web, "worker": self.worker, "database": database_pid}
        return {name: cpu_seconds(pid) for name, pid in parts.items()}


@contextmanager
def open_full_system(
    *, people: int, officers: int, consent: int, threads: int
) -> Iterator[FullSystem]:
    """Start everything on a database with people on file; yield it when it accepts posts."""
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
        ) as installation:  # fmt: skip
            import lender_setup
            import people_loader

            lender_setup.create_company(officers=officers)
            site = lender_setup.create_website_source()
            lender_setup.create_zillow_source()
            people_loader.load_people(people, site)
            people_loader.vacuum_database()
            with (
                installation.process(serve_command("fixed_clock_web", port)) as web,
                installation.process(python_command("bench/fixed_clock.py")) as worker,
            ):
                wait_for_url(f"http://127.0.0.1:{port}/readyz")
                target = MixedTarget(port=port, consent=consent, body=lender_setup.form_post)
                yield FullSystem(
                    installation=installation, web=web.pid, worker=worker.pid,
                    simulators=simulators, target=target,
                )  # fmt: skip
