"""`make chaos`: rounds of load, SIGKILL and rest with checks; exits with 1 on any problem.

After twenty rounds a new installation is created. Every round prints a line. A life with a
problem keeps its folder and log, and prints the command that repeats it.
"""

import argparse
import random
import subprocess
import sys
import time

from tests.chaos.installation import ROOT

ROUNDS_PER_LIFE = 20


def main() -> int:
    """Run lives until all rounds are done; return 1 if any life failed."""
    options, extra = _parse_arguments()
    seeds = random.Random(options.seed)
    done, started_at, failed = 0, time.monotonic(), 0
    print(f"chaos: {options.rounds} rounds, seed {options.seed}", flush=True)
    while done < options.rounds:
        rounds, seed = min(ROUNDS_PER_LIFE, options.rounds - done), seeds.randrange(1, 10**6)
        words = ["--seed", str(seed), "--first", str(done + 1), "--rounds", str(rounds), *extra]
        ended = subprocess.run(
            [sys.executable, "-m", "tests.chaos.life", *words], cwd=ROOT, check=False
        )
        done += rounds
        if ended.returncode:
            failed += 1
            print(f"  again: python -m tests.chaos.life {' '.join(words)}", flush=True)
    minutes = (time.monotonic() - started_at) / 60
    verdict = f"{failed} lives failed" if failed else "all clean"
    print(f"chaos: {done} rounds in {minutes:.0f} minutes, {verdict}", flush=True)
    return int(failed > 0)


def _parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="tests.chaos", description=__doc__, epilog="Further arguments go to tests.chaos.life."
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6))
    return parser.parse_known_args()


if __name__ == "__main__":
    sys.exit(main())
