"""`python -m rooftree_simulators.posters zillow --to URL`: send invented leads."""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from rooftree_simulators.posters import (
    chat_generic,
    lendingtree,
    mismo_ilad,
    networks,
    phone_callrail,
    referral_partner,
    website_form,
    zillow,
)
from rooftree_simulators.posters.delivery import BadDay, Delivery, Sent, deliver, todays_luck
from rooftree_simulators.posters.people import borrower

_MAKERS: dict[str, Callable[..., Delivery]] = {
    "zillow": zillow.delivery,
    "lendingtree": lendingtree.delivery,
    "lendingtree_xml": lendingtree.delivery_a,
    "lendingtree_json": lendingtree.delivery_c,
    "website_form": website_form.delivery,
    "phone_callrail": phone_callrail.delivery,
    "chat_generic": chat_generic.delivery,
    "chat_transcript": chat_generic.transcript,
    "referral_partner": referral_partner.delivery,
    "mismo_ilad": mismo_ilad.delivery,
    "bankrate": networks.bankrate,
    "freerateupdate": networks.freerateupdate,
    "freerateupdate_xml": networks.freerateupdate_xml,
    "leadpoint": networks.leadpoint,
    "aggregator": networks.numeric,
    "aggregator_short": networks.short_names,
    "leadconduit": networks.leadconduit,
    "leadconduit_json": networks.leadconduit_json,
}
_SIGNERS = {"phone_callrail", "chat_generic", "chat_transcript"}  # sign as they are made


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rooftree_simulators.posters", description=__doc__)
    parser.add_argument("vendor", choices=sorted(_MAKERS))
    parser.add_argument("--to", required=True, help="full URL, path token included")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--per-minute", type=float, default=0.0, help="0 sends without waiting")
    parser.add_argument("--seed", type=int, default=None, help="the same seed, the same people")
    parser.add_argument("--secret", default="", help="sign with this key, or send it")
    parser.add_argument("--bad-day", action="append", type=BadDay, default=[], choices=list(BadDay))
    parser.add_argument("--bad-rate", type=float, default=1.0, help="share of bad deliveries")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Send; one JSON line for every POST made. Returns 1 when one had no answer."""
    asked = _arguments(words)
    rng = random.Random(asked.seed)
    unanswered = 0
    for number in range(asked.count):
        if number and asked.per_minute:
            time.sleep(60 / asked.per_minute)
        at = datetime.now(UTC)
        signs = asked.secret and asked.vendor in _SIGNERS
        with_key = {"secret": asked.secret} if signs else {}
        made = _MAKERS[asked.vendor](borrower(rng), rng, at=at, **with_key)
        if asked.secret and asked.vendor == "website_form":
            made = website_form.signed(made, asked.secret, at=at)
        elif asked.secret and not signs:
            made.headers["X-Api-Key"] = asked.secret
        luck = todays_luck(rng, asked.bad_day, asked.bad_rate)
        for sent in deliver(made, asked.to, bad_day=luck):
            unanswered += sent.answer.status == 0
            print(json.dumps(_line(sent), ensure_ascii=False), flush=True)
    return 1 if unanswered else 0


def _line(sent: Sent) -> dict[str, object]:
    return {
        "vendor_id": sent.delivery.vendor_id,
        "status": sent.answer.status,
        "answer": sent.answer.body[:300].decode("utf-8", "replace"),
        "bad_day": sent.bad_day,
        "problem": sent.answer.problem,
    }


if __name__ == "__main__":
    sys.exit(main())
