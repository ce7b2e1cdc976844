"""The street outside: who walks by, when the next one asks, and how they reach our server."""

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

FIRST_LIVE_NUMBER = (
    STORY_COUNT + 10_000
)  # number of the first live borrower; those of history are below
WRONG_PHONE_SHARE = 0.03  # of the numbers: another than was typed in the session


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorContext:
    """Where vendors stand: our server's address, and the simulated ones that act for them."""

    control: SimulatorClient
    web: str  # where our server listens
    public: str  # the address carriers sign
    rng: random.Random
    partner: str = ""  # in the link of somebody who introduces people
    sleep: Callable[[float], None] = time.sleep

    def address(self, source: Source) -> str:
        """Where a source posts to."""
        return f"{self.web}{source_paths(source, source.token)[0]}"

    def post(self, source: Source, made: Post) -> None:
        """A vendor posts what it has."""
        post_delivery(made, self.address(source))

    def certificate(self, who: Borrower) -> str:
        """TrustedForm's, of the visit in which somebody typed who they are."""
        phone = who.phone if self.rng.random() > WRONG_PHONE_SHARE else "9995550100"
        said = self.control.call("trustedform/session", {"phone": phone, "email": who.email})
        return str(said["url"])


class BorrowerPool:
    """Invented people, mostly from where it is day; each answers their phone in their own way."""

    def __init__(
        self, control: SimulatorClient, rng: random.Random, *, name: str, first: int
    ) -> None:
        self._control, self._rng, self._name, self._first = control, rng, name, first
        self._number = first + Delivery.objects.count()

    def next_borrower(self, *, language: str = "") -> Borrower:
        """Somebody new, and one in twenty who asked before, whichever way."""
        number = self._next_number()
        who = invent_borrower(random.Random(f"{self._name}:{number}"), number, language=language)
        self._control.set_behavior(
            f"+1{who.phone}",
            voice="answer" if seeded_fraction("answers", number) < 0.5 else "no-answer",
            answer_after_s=seeded_between(2, 9, "picks up", number),
            talk_s=seeded_between(20, 90, "talks", number),
        )
        return who

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
    """Whose turn it is: everybody's once, so that all are soon heard of, then by their shares."""

    def __init__(self, shares: Mapping[Kind, int], rng: random.Random) -> None:
        self._shares, self._rng = shares, rng
        self._first = list(shares)
        rng.shuffle(self._first)

    @property
    def is_first_round(self) -> bool:
        return bool(self._first)

    def next_kind(self) -> Kind:
        """The next."""
        if self._first:
            return self._first.pop()
        return self._rng.choices(list(self._shares), list(self._shares.values()))[0]


class BackgroundJobs:
    """What is done beside the beat: a vendor that is slow, or types, holds up nobody."""

    def __init__(self) -> None:
        self._build_pool = ThreadPoolExecutor(3, thread_name_prefix="vendor")
        self._under_way: list[Future[Any]] = []

    def run(self, do: Callable[..., Any], *args: Any, **more: Any) -> None:
        """Begin one."""
        self._under_way.append(self._build_pool.submit(do, *args, **more))

    def collect_finished(self, *, patience: float | None = 0.0) -> None:
        """Let go what is done; its trouble is raised here. With None all is waited for."""
        under_way, self._under_way = self._under_way, []
        for one in under_way:
            if patience is None or one.done():
                one.result()
            else:
                self._under_way.append(one)
