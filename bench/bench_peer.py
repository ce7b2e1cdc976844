"""Another product's lead endpoint against ours, in turns: `--peer http://127.0.0.1:8001/...`.

The other product must already run on this machine and accept leads. The file `--body` holds
a lead in its format, with `{n}` where each lead differs. Without a peer nothing is measured.
"""

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from load_generator import PostTarget, post_closed_loop
from measurements import report_results
from temp_installation import find_free_port, open_installation, rooftree_command, wait_for_url

NO_PEER_MESSAGE = """beside
  No peer was given, so nothing was measured. Start one, then give its lead endpoint:
  bench/bench_peer.py --peer http://127.0.0.1:8001/its/webhook/ --body lead.json
  docs/performance.md describes BottleCRM (the package django-crm)."""


def main() -> None:
    """Measure both products in turns, if a peer is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    parser.add_argument("--peer", default="", help="URL of its lead endpoint")
    parser.add_argument("--body", type=Path, help="file with a lead in its format, with {n} in it")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    if not options.peer or not options.body:
        print(NO_PEER_MESSAGE)  # noqa: T201
        return
    sizes = {**vars(options), "body": str(options.body)}
    report_results(argparse.Namespace(**sizes), "beside", **_measure(options))


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    url, lead = urlsplit(options.peer), options.body.read_text()
    if url.scheme != "http" or url.hostname != "127.0.0.1":
        raise SystemExit("beside: the peer must answer on http://127.0.0.1, on this machine.")
    path = url.path + (f"?{url.query}" if url.query else "")
    peer = PostTarget(
        port=url.port or 80, path=path, body=lambda n: lead.replace("{n}", str(n)).encode()
    )
    port = find_free_port()
    load = {"connections": options.connections, "seconds": options.seconds}
    with open_installation() as installation:
        import lender_setup

        lender_setup.create_company()
        lender_setup.create_zillow_source()
        product = PostTarget(
            port=port, path=f"/in/zillow/{lender_setup.PATH_TOKEN}", body=lender_setup.zillow_post
        )
        with installation.process(rooftree_command("web"), PORT=str(port)):
            wait_for_url(f"http://127.0.0.1:{port}/readyz")
            turns = [
                (post_closed_loop(peer, **load), post_closed_loop(product, **load))
                for _ in range(options.rounds)
            ]
    best = [max(side, key=lambda result: result["per_s"]) for side in zip(*turns, strict=True)]
    ratio = round(best[1]["per_s"] / best[0]["per_s"], 1) if best[0]["per_s"] else None
    return {"ours_to_the_peers": ratio, "peer": best[0], "ours": best[1]}


if __name__ == "__main__":
    main()
