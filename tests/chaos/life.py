"""The life of one installation: some rounds of load and strikes, each ending at rest and proved.

`python -m tests.chaos.life --seed 7 --rounds 10`; a process of its own, because Django is set up
for one home.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rooftree_demo import simulator_addresses
from rooftree_simulators.start_simulators import Ports, Simulators, start_simulators
from tests.chaos.place import NeverReady, Place, until

if TYPE_CHECKING:
    from tests.chaos.load import Load

TARGETS = ["web", "worker", "clock", "postgres", "serve", "all"]
WEIGHTS = [3, 4, 3, 3, 1, 1]
SKEWS = (-420.0, -90.0, 90.0, 420.0)  # seconds by which the clock of a second process is wrong
REST = 180.0  # seconds at most for everything due to be done; a shared machine is slow
LONG_REST = 150.0  # at the end of a life: claims a crash left behind are settled too
DISK_MB = 420


@dataclass(slots=True)
class Round:
    """What was done to the installation in one round."""

    number: int
    seed: int
    did: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Life:
    """One installation with its world, from its first start to its end."""

    def __init__(self, place: Place, simulators: Simulators, seed: int) -> None:
        from rooftree_demo.simulator_client import SimulatorClient

        self.place, self.simulators = place, simulators
        self.addresses = simulator_addresses.SimulatorAddresses(
            ctl=simulators.ports.ctl, enc=simulators.ports.enc,
            twilio=simulators.ports.twilio, smtp=simulators.ports.smtp,
        )  # fmt: skip
        self.control = SimulatorClient(self.addresses)
        self.seed = seed
        self.load: Load

    def begin(self) -> None:
        """First start, and the lender is set up."""
        self.place.serve()
        self.place.be_ready()
        os.environ.update(self.place.environment)
        import django

        django.setup()
        from tests.chaos import world
        from tests.chaos.load import Load

        public = f"http://localhost:{self.place.ports[0]}"
        world.found(self.control, self.addresses, web=self.place.webs[0], public=public)
        self.load = Load(
            simulators=self.simulators,
            control=self.control,
            webs=self.place.webs,
            seed=self.seed,
        )

    def round(self, number: int, seconds: float) -> Round:
        """Load and strikes for some seconds, then rest, then the proofs."""
        from tests.chaos import proof, world

        this = Round(number=number, seed=self.seed)
        rng = random.Random(f"{self.seed}/{number}")
        world.worst_day(self.control)
        beside = self._beside(rng, this)
        with self.load.on():
            self._strikes(rng, seconds, this)
        world.good_day(self.simulators)
        for one in beside:
            with suppress(ProcessLookupError):
                one()
        began = time.monotonic()
        try:
            self._rest(this, REST)
        except NeverReady as problem:
            this.wrong.append(str(problem))
        this.did.append(f"rest {time.monotonic() - began:.0f} s")
        if not this.wrong:
            this.wrong += proof.everything(self.load.told, self.simulators, self.place)
        return this

    def _beside(self, rng: random.Random, this: Round) -> list[Callable[[], None]]:
        """Second processes on the same database, each with even chances; how to end them."""
        ends = []
        for part in ("web", "worker", "clock"):
            if rng.random() < 0.5:
                skew = rng.choice(SKEWS) if part == "clock" and rng.random() < 0.7 else 0.0
                ends.append(self.place.beside(part, skew=skew).kill)
                this.did.append(f"second {part}" + (f" {skew:+.0f} s" if skew else ""))
        return ends

    def _strikes(self, rng: random.Random, seconds: float, this: Round) -> None:
        ends = time.monotonic() + seconds
        targets, weights = [*TARGETS], [*WEIGHTS]
        if self.place.has_small_disk:
            targets, weights = [*targets, "disk"], [*weights, 3]
        for _ in range(rng.randint(1, 4)):
            time.sleep(rng.uniform(0.2, 0.4) * seconds)
            if time.monotonic() > ends:
                break
            what = rng.choices(targets, weights)[0]
            this.did.append(f"-{what}")
            if what == "disk":
                self._full_disk(rng)
                continue
            self.place.kill(what, rng)
            time.sleep(rng.uniform(0, 0.8))
            self.place.keep_serving()
        time.sleep(max(0.0, ends - time.monotonic()))

    def _full_disk(self, rng: random.Random) -> None:
        self.place.fill_disk()
        time.sleep(rng.uniform(1.0, 3.0))
        self.place.make_room()

    def _rest(self, this: Round, seconds: float) -> None:
        """All parts up, all posts acknowledged, nothing due that is not done."""
        from django.db import DatabaseError, connections

        from tests.chaos import proof

        self.place.be_ready()
        self.load.settle()
        if not until(lambda: not self.load.try_again(), REST):
            this.wrong.append(f"{len(self.load.told.unanswered)} posts are never acknowledged")
        left: dict[str, int] = {}

        def at_rest() -> bool:
            nonlocal left
            try:
                left = proof.still_waiting()
            except DatabaseError:
                connections.close_all()
                left = {"database": 1}
            return not left

        if not until(at_rest, seconds, pause=0.5):
            this.wrong.append(f"it does not come to rest: {left}")

    def last_rest(self) -> list[str]:
        """Wait for what takes minutes, and prove once more; what is wrong."""
        from rooftree.outreach.models import Message
        from tests.chaos import proof

        this = Round(number=0, seed=self.seed)
        self._rest(this, REST)
        claimed = Message.objects.filter(state="claimed")
        if not until(lambda: not claimed.exists(), LONG_REST, pause=2):
            this.wrong.append(f"{claimed.count()} messages stay claimed")
        return [*this.wrong, *proof.everything(self.load.told, self.simulators, self.place)]


def main() -> int:
    """Live through the rounds; 1 when something is wrong, and the folder stays."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what it started ends with it
    with ExitStack() as ends:
        simulators = ends.enter_context(start_simulators(ports=Ports(), seed=asked.seed))
        addresses = simulator_addresses.SimulatorAddresses(
            ctl=simulators.ports.ctl, enc=simulators.ports.enc,
            twilio=simulators.ports.twilio, smtp=simulators.ports.smtp,
        )  # fmt: skip
        place = Place(addresses.environment(), disk_mb=DISK_MB if asked.small_disk else 0)
        life = Life(place, simulators, asked.seed)
        wrong = True
        try:
            wrong = _live(life, asked)
        finally:
            place.end(keep=wrong)
            if wrong:
                print(f"  kept: {place.home} and {place.log}", flush=True)
    return int(wrong)


def _live(life: Life, asked: argparse.Namespace) -> bool:
    life.begin()
    if asked.sabotage:
        from tests.chaos.sabotage import commit

        commit(asked.sabotage)
    for number in range(asked.first, asked.first + asked.rounds):
        this = life.round(number, asked.seconds)
        _say(this, life)
        if this.wrong:
            return True
    if asked.rounds < 3:
        return False
    wrong = life.last_rest()
    for one in wrong:
        print(f"  WRONG at the end of the life: {one}", flush=True)
    return bool(wrong)


def _say(this: Round, life: Life) -> None:
    told, simulators = life.load.told, life.simulators
    figures = (
        f"{len(told.deliveries)} deliveries, {told.doubles} at once, "
        f"{len(simulators.twilio.account.messages)} texts, {len(simulators.mailbox.messages)} "
        f"letters, {len(told.stops)} stops, {len(told.takes)} taken, "
        f"{len(simulators.encompass.office.loans)} loans"
    )
    verdict = "WRONG" if this.wrong else "clean"
    print(f"round {this.number} seed {this.seed} {verdict}: {', '.join(this.did)}; {figures}",
          flush=True)  # fmt: skip
    for one in this.wrong:
        print(f"  {one}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos.life", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8.0, help="load and strikes, each round")
    parser.add_argument("--small-disk", action="store_true", help="a disk that can be filled")
    parser.add_argument("--sabotage", default="", help="break a guard on purpose")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
