"""Another product's lead address beside ours, posted to in turns: `--peer http://127.0.0.1:8001/...`.

The other product must be running on this machine already, set up to take leads; a lead of
its own shape is in the file that `--body` names, with `{n}` where each differs. Without a
peer it says so and measures nothing.
"""

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from load_generator import PostTarget, post_closed_loop
from measurements import report_results
from temp_installation import find_free_port, open_installation, rooftree_command, wait_for_url

NO_PEER_MESSAGE = """beside
  no peer is named, so nothing was measured. Start one, then say where it takes leads:
  bench/bench_peer.py --peer http://127.0.0.1:8001/its/webhook/ --body lead.json
  docs/performance.md describes BottleCRM (the package django-crm)."""


def main() -> None:
    """Take turns, where there is somebody to take turns with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    parser.add_argument("--peer", default="", help="the address its leads are posted to")
    parser.add_argument("--body", type=Path, help="a lead as it takes them, {n} in it")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    if not asked.peer or not asked.body:
        print(NO_PEER_MESSAGE)  # noqa: T201
        return
    named = {**vars(asked), "body": str(asked.body)}
    report_results(argparse.Namespace(**named), "beside", **_measure(asked))


def _measure(asked: argparse.Namespace) -> dict[str, Any]:
    where, lead = urlsplit(asked.peer), asked.body.read_text()
    if where.scheme != "http" or where.hostname != "127.0.0.1":
        raise SystemExit("beside: the peer must answer on http://127.0.0.1, on this machine.")
    path = where.path + (f"?{where.query}" if where.query else "")
    peer = PostTarget(
        port=where.port or 80, path=path, body=lambda n: lead.replace("{n}", str(n)).encode()
    )
    port = find_free_port()
    many = {"connections": asked.connections, "seconds": asked.seconds}
    with open_installation() as here:
        import lender_setup

        lender_setup.create_company()
        lender_setup.create_zillow_source()
        ours = PostTarget(
            port=port, path=f"/in/zillow/{lender_setup.PATH_TOKEN}", body=lender_setup.zillow_post
        )
        with here.process(rooftree_command("web"), PORT=str(port)):
            wait_for_url(f"http://127.0.0.1:{port}/readyz")
            turns = [
                (post_closed_loop(peer, **many), post_closed_loop(ours, **many))
                for _ in range(asked.rounds)
            ]
    best = [max(side, key=lambda one: one["per_s"]) for side in zip(*turns, strict=True)]
    ratio = round(best[1]["per_s"] / best[0]["per_s"], 1) if best[0]["per_s"] else None
    return {"ours_to_the_peers": ratio, "peer": best[0], "ours": best[1]}


if __name__ == "__main__":
    main()
