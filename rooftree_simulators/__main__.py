"""`python -m rooftree_simulators`: run all vendors in one process until Ctrl-C."""

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict, fields
from datetime import datetime

from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import Ports, start_simulators


def _parse_arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rooftree_simulators", description=__doc__)
    parser.add_argument("--ctl", type=int, default=9100, help="control API; 0 takes a free port")
    parser.add_argument("--enc", type=int, default=9101, help="Encompass")
    parser.add_argument("--lp", type=int, default=9102, help="LendingPad")
    parser.add_argument("--byte", type=int, default=9104, help="Byte")
    parser.add_argument("--twilio", type=int, default=9110, help="Twilio messages and voice")
    parser.add_argument("--smtp", type=int, default=9125, help="SMTP mailbox")
    parser.add_argument("--meta", type=int, default=9131, help="Meta's Graph API, lead ads")
    parser.add_argument("--linkedin", type=int, default=9132, help="LinkedIn Lead Sync")
    parser.add_argument("--trustedform", type=int, default=9133, help="TrustedForm certificates")
    parser.add_argument("--intercom", type=int, default=9134, help="Intercom's chats")
    parser.add_argument("--drift", type=int, default=9135, help="Drift's chats")
    parser.add_argument("--salesforce", type=int, default=9141, help="Salesforce's records")
    parser.add_argument("--hubspot", type=int, default=9142, help="HubSpot's records")
    parser.add_argument("--zoho", type=int, default=9143, help="Zoho CRM's records")
    parser.add_argument("--pipedrive", type=int, default=9144, help="Pipedrive's records")
    parser.add_argument("--monday", type=int, default=9145, help="monday.com's records")
    parser.add_argument("--dncscrub", type=int, default=9151, help="DNCScrub's answers")
    parser.add_argument("--imap", type=int, default=9126, help="IMAP mailbox")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--latency-scale", type=float, default=0.0)
    parser.add_argument(
        "--speed", type=float, default=1.0, help="simulated seconds per real second"
    )
    parser.add_argument("--at", type=datetime.fromisoformat, help="start time, with its time zone")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Start all simulators, print one JSON line with ports and URLs, and wait for a signal."""
    arguments = _parse_arguments(words)
    clock = SimulatedClock(at=arguments.at, speed=arguments.speed)
    ports = Ports(**{field.name: getattr(arguments, field.name) for field in fields(Ports)})
    try:
        running = start_simulators(
            ports=ports, clock=clock, seed=arguments.seed, latency_scale=arguments.latency_scale
        )
    except OSError as problem:
        print(f"A port is taken: {problem}", file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(json.dumps({"ports": asdict(running.ports), "urls": running.urls}), flush=True)
    ended.wait()
    running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
