"""Arrivals of the live market: the next borrower, the next source, and the way to our server."""

import random
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.capture.source_setup.manage_sources import source_paths
from rooftree.flow import clock
from rooftree.leads.models import Delivery, Source
from rooftree_demo.invented_borrowers import PLACES, invent_borrower
from rooftree_demo.seeded_random import seeded_between, seeded_fraction
from rooftree_demo.simulator_client import SimulatorClient
from rooftree_demo.stories import STORY_COUNT
from rooftree_simulators.posters.lead_delivery import Delivery as Post
from rooftree_simulators.posters.lead_delivery import post_delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

FIRST_LIVE_NUMBER = STORY_COUNT + 10_000  # borrower numbers below belong to the history
WRONG_PHONE_SHARE = 0.03  # share of certificates with another phone number than the lead


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorContext:
    """The addresses a vendor needs: our server's, and the simulators' control API."""

    control: SimulatorClient
    web: str  # base URL at which our server listens
    public: str  # base URL that carriers sign
    rng: random.Random
    partner: str = ""  # slug in the link of a referral partner
    sleep: Callable[[float], None] = time.sleep

    def address(self, source: Source) -> str:
        """Return the URL that a source posts to."""
        return f"{self.web}{source_paths(source, source.token)[0]}"

    def post(self, source: Source, delivery: Post) -> None:
        """Post a vendor's delivery to a source."""
        post_delivery(delivery, self.address(source))

    def certificate(self, borrower: Borrower) -> str:
        """Create a TrustedForm certificate of the borrower's visit; return its URL."""
        phone = borrower.phone if self.rng.random() > WRONG_PHONE_SHARE else "9995550100"
        session = {"phone": phone, "email": borrower.email}
        return str(self.control.call("trustedform/session", session)["url"])


class BorrowerPool:
    """Invented borrowers, mostly from zones in daytime; each answers the phone differently."""

    def __init__(
        self, control: SimulatorClient, rng: random.Random, *, name: str, first: int
    ) -> None:
        self._control, self._rng, self._name, self._first = control, rng, name, first
        self._number = first + Delivery.objects.count()

    def next_borrower(self, *, language: str = "") -> Borrower:
        """Return a new borrower, or in one of twenty cases an earlier one."""
        number = self._next_number()
        borrower = invent_borrower(
            random.Random(f"{self._name}:{number}"), number, language=language
        )
        self._control.set_behavior(
            f"+1{borrower.phone}",
            voice="answer" if seeded_fraction("answers", number) < 0.5 else "no-answer",
            answer_after_s=seeded_between(2, 9, "picks up", number),
            talk_s=seeded_between(20, 90, "talks", number),
        )
        return borrower

    def _next_number(self) -> int:
        if self._number > self._first + 20 and self._rng.random() < 0.05:
            return self._number - self._rng.randint(1, 20)
        for _ in range(len(PLACES)):
            self._number += 1
            place = PLACES[self._number % len(PLACES)]
            hour = clock.now().astimezone(ZoneInfo(place.zone)).hour
            if 8 <= hour < 20 or self._rng.random() < 0.08:
                break
        return self._number


class WeightedTurns[Kind: Hashable]:
    """Turns among kinds: each once, so that all appear soon, then at random by share."""

    def __init__(self, shares: Mapping[Kind, int], rng: random.Random) -> None:
        self._shares, self._rng = shares, rng
        self._first = list(shares)
        rng.shuffle(self._first)

    @property
    def is_first_round(self) -> bool:
        return bool(self._first)

    def next_kind(self) -> Kind:
        """Return the kind whose turn is next."""
        if self._first:
            return self._first.pop()
        return self._rng.choices(list(self._shares), list(self._shares.values()))[0]


class BackgroundJobs:
    """Jobs that run beside the beat, so a slow vendor or a typing visitor delays no one."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="vendor")
        self._running: list[Future[Any]] = []

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Start a job."""
        self._running.append(self._pool.submit(function, *args, **kwargs))

    def collect_finished(self, *, patience: float | None = 0.0) -> None:
        """Forget finished jobs and raise their errors; with `patience` None wait for all jobs."""
        running, self._running = self._running, []
        for job in running:
            if patience is None or job.done():
                job.result()
            else:
                self._running.append(job)
