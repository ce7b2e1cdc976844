"""`make chaos`: rounds of load, SIGKILL and rest, each proved; exit 1 when one is not clean.

Twenty rounds are one installation's life; then a new one is made. Every round prints a line. What
goes wrong leaves its folder and log behind and prints how to live the same life again.
"""

import argparse
import random
import subprocess
import sys
import time

from tests.chaos.place import ROOT

A_LIFE = 20  # rounds


def main() -> int:
    """Life after life until the rounds are done."""
    asked, extra = _arguments()
    seeds = random.Random(asked.seed)
    done, began, failed = 0, time.monotonic(), 0
    print(f"chaos: {asked.rounds} rounds, seed {asked.seed}", flush=True)
    while done < asked.rounds:
        rounds, seed = min(A_LIFE, asked.rounds - done), seeds.randrange(1, 10**6)
        words = ["--seed", str(seed), "--first", str(done + 1), "--rounds", str(rounds), *extra]
        ended = subprocess.run(
            [sys.executable, "-m", "tests.chaos.life", *words], cwd=ROOT, check=False
        )
        done += rounds
        if ended.returncode:
            failed += 1
            print(f"  again: python -m tests.chaos.life {' '.join(words)}", flush=True)
    minutes = (time.monotonic() - began) / 60
    verdict = f"{failed} lives went wrong" if failed else "all clean"
    print(f"chaos: {done} rounds in {minutes:.0f} minutes, {verdict}", flush=True)
    return int(failed > 0)


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="tests.chaos", description=__doc__, epilog="The rest goes to tests.chaos.life."
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6))
    return parser.parse_known_args()


if __name__ == "__main__":
    sys.exit(main())
