"""The life of one installation: rounds of load and kills, each followed by rest and checks.

`python -m tests.chaos.life --seed 7 --rounds 10`; it runs in its own process, because Django is
set up for one home.
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
from tests.chaos.installation import Installation, StartTimeout, wait_until

if TYPE_CHECKING:
    from tests.chaos.load import Load

TARGETS = ["web", "worker", "clock", "postgres", "serve", "all"]
WEIGHTS = [3, 4, 3, 3, 1, 1]
SKEWS = (-420.0, -90.0, 90.0, 420.0)  # seconds by which a second process's clock is wrong
REST = 180.0  # seconds for all due work to finish; a shared machine is slow
LONG_REST = 150.0  # at the end of a life, when stale claims of a crash must be settled too
DISK_MB = 420


@dataclass(slots=True)
class Round:
    """The actions and problems of one round."""

    number: int
    seed: int
    actions: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Life:
    """One installation with its simulated world, from its first start to its end."""

    def __init__(self, installation: Installation, simulators: Simulators, seed: int) -> None:
        from rooftree_demo.simulator_client import SimulatorClient

        self.installation, self.simulators = installation, simulators
        self.addresses = simulator_addresses.SimulatorAddresses(
            ctl=simulators.ports.ctl, enc=simulators.ports.enc,
            twilio=simulators.ports.twilio, smtp=simulators.ports.smtp,
        )  # fmt: skip
        self.control = SimulatorClient(self.addresses)
        self.seed = seed
        self.load: Load

    def start(self) -> None:
        """Start the installation and set up the lender."""
        self.installation.serve()
        self.installation.wait_until_ready()
        os.environ.update(self.installation.environment)
        import django

        django.setup()
        from tests.chaos import world
        from tests.chaos.load import Load

        public = f"http://localhost:{self.installation.ports[0]}"
        world.create_lender(
            self.control, self.addresses, web=self.installation.webs[0], public=public
        )
        self.load = Load(
            simulators=self.simulators,
            control=self.control,
            webs=self.installation.webs,
            seed=self.seed,
        )

    def run_round(self, number: int, seconds: float) -> Round:
        """Run load and kills for some seconds, then rest, then the checks."""
        from tests.chaos import proof, world

        chaos_round = Round(number=number, seed=self.seed)
        rng = random.Random(f"{self.seed}/{number}")
        world.start_faults(self.control)
        enders = self._start_second_processes(rng, chaos_round)
        with self.load.run():
            self._kill_at_random(rng, seconds, chaos_round)
        world.stop_faults(self.simulators)
        for end_process in enders:
            with suppress(ProcessLookupError):
                end_process()
        began = time.monotonic()
        try:
            self._rest(chaos_round, REST)
        except StartTimeout as problem:
            chaos_round.problems.append(str(problem))
        chaos_round.actions.append(f"rest {time.monotonic() - began:.0f} s")
        if not chaos_round.problems:
            chaos_round.problems += proof.find_problems(
                self.load.acknowledged, self.simulators, self.installation
            )
        return chaos_round

    def _start_second_processes(
        self, rng: random.Random, chaos_round: Round
    ) -> list[Callable[[], None]]:
        """Start second processes on the same database, each with even chances; return enders."""
        enders = []
        for part in ("web", "worker", "clock"):
            if rng.random() < 0.5:
                skew = rng.choice(SKEWS) if part == "clock" and rng.random() < 0.7 else 0.0
                enders.append(self.installation.start_second(part, skew=skew).kill)
                chaos_round.actions.append(f"second {part}" + (f" {skew:+.0f} s" if skew else ""))
        return enders

    def _kill_at_random(self, rng: random.Random, seconds: float, chaos_round: Round) -> None:
        ends = time.monotonic() + seconds
        targets, weights = [*TARGETS], [*WEIGHTS]
        if self.installation.has_small_disk:
            targets, weights = [*targets, "disk"], [*weights, 3]
        for _ in range(rng.randint(1, 4)):
            time.sleep(rng.uniform(0.2, 0.4) * seconds)
            if time.monotonic() > ends:
                break
            target = rng.choices(targets, weights)[0]
            chaos_round.actions.append(f"-{target}")
            if target == "disk":
                self._full_disk(rng)
                continue
            self.installation.kill_part(target, rng)
            time.sleep(rng.uniform(0, 0.8))
            self.installation.keep_serving()
        time.sleep(max(0.0, ends - time.monotonic()))

    def _full_disk(self, rng: random.Random) -> None:
        self.installation.fill_disk()
        time.sleep(rng.uniform(1.0, 3.0))
        self.installation.free_disk()

    def _rest(self, chaos_round: Round, seconds: float) -> None:
        """Wait until all parts run, all posts are acknowledged and all due work is done."""
        from django.db import DatabaseError, connections

        from tests.chaos import proof

        self.installation.wait_until_ready()
        self.load.finish_posts()
        if not wait_until(lambda: not self.load.retry_unanswered(), REST):
            chaos_round.problems.append(
                f"{len(self.load.acknowledged.unanswered)} posts were never acknowledged"
            )
        remaining: dict[str, int] = {}

        def is_at_rest() -> bool:
            nonlocal remaining
            try:
                remaining = proof.count_due_work()
            except DatabaseError:
                connections.close_all()
                remaining = {"database": 1}
            return not remaining

        if not wait_until(is_at_rest, seconds, pause=0.5):
            chaos_round.problems.append(f"it does not come to rest: {remaining}")

    def run_final_check(self) -> list[str]:
        """Wait for stale claims to be settled, and check once more; return the problems."""
        from rooftree.outreach.models import Message
        from tests.chaos import proof

        chaos_round = Round(number=0, seed=self.seed)
        self._rest(chaos_round, REST)
        claimed = Message.objects.filter(state="claimed")
        if not wait_until(lambda: not claimed.exists(), LONG_REST, pause=2):
            chaos_round.problems.append(f"{claimed.count()} messages stay claimed")
        return [
            *chaos_round.problems,
            *proof.find_problems(self.load.acknowledged, self.simulators, self.installation),
        ]


def main() -> int:
    """Run the rounds; on a problem return 1 and keep the folder."""
    options = _parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # also ends all child processes
    with ExitStack() as ends:
        simulators = ends.enter_context(start_simulators(ports=Ports(), seed=options.seed))
        addresses = simulator_addresses.SimulatorAddresses(
            ctl=simulators.ports.ctl, enc=simulators.ports.enc,
            twilio=simulators.ports.twilio, smtp=simulators.ports.smtp,
        )  # fmt: skip
        installation = Installation(
            addresses.environment(), disk_mb=DISK_MB if options.small_disk else 0
        )
        life = Life(installation, simulators, options.seed)
        has_problems = True
        try:
            has_problems = _run_life(life, options)
        finally:
            installation.end(keep=has_problems)
            if has_problems:
                print(f"  kept: {installation.home} and {installation.log}", flush=True)
    return int(has_problems)


def _run_life(life: Life, options: argparse.Namespace) -> bool:
    """Run all rounds of a life; return True on a problem."""
    life.start()
    if options.sabotage:
        from tests.chaos.sabotage import break_guard

        break_guard(options.sabotage)
    for number in range(options.first, options.first + options.rounds):
        chaos_round = life.run_round(number, options.seconds)
        _print_round(chaos_round, life)
        if chaos_round.problems:
            return True
    if options.rounds < 3:
        return False
    problems = life.run_final_check()
    for problem in problems:
        print(f"  WRONG at the end of the life: {problem}", flush=True)
    return bool(problems)


def _print_round(chaos_round: Round, life: Life) -> None:
    acknowledged, simulators = life.load.acknowledged, life.simulators
    figures = (
        f"{len(acknowledged.deliveries)} deliveries, {acknowledged.doubles} at once, "
        f"{len(simulators.twilio.account.messages)} texts, {len(simulators.mailbox.messages)} "
        f"emails, {len(acknowledged.stops)} stops, {len(acknowledged.takes)} taken, "
        f"{len(simulators.encompass.instance.loans)} loans"
    )
    verdict = "WRONG" if chaos_round.problems else "clean"
    title = f"round {chaos_round.number} seed {chaos_round.seed} {verdict}"
    print(f"{title}: {', '.join(chaos_round.actions)}; {figures}", flush=True)
    for problem in chaos_round.problems:
        print(f"  {problem}", flush=True)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos.life", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="seconds of load and kills per round"
    )
    parser.add_argument("--small-disk", action="store_true", help="a disk that can be filled")
    parser.add_argument("--sabotage", default="", help="break a guard on purpose")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
