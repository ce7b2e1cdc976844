"""`python -m rooftree_simulators.posters zillow --to URL`: send sample leads."""

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
from rooftree_simulators.posters.lead_delivery import (
    BadDay,
    Delivery,
    SentDelivery,
    choose_bad_day,
    post_delivery,
)
from rooftree_simulators.posters.simulated_borrowers import random_borrower

_DELIVERY_MAKERS: dict[str, Callable[..., Delivery]] = {
    "zillow": zillow.contact_delivery,
    "lendingtree": lendingtree.lead_delivery,
    "lendingtree_xml": lendingtree.xml_delivery,
    "lendingtree_json": lendingtree.json_delivery,
    "website_form": website_form.browser_delivery,
    "phone_callrail": phone_callrail.call_delivery,
    "chat_generic": chat_generic.conversation_delivery,
    "chat_transcript": chat_generic.transcript_delivery,
    "referral_partner": referral_partner.referral_delivery,
    "mismo_ilad": mismo_ilad.application_delivery,
    "bankrate": networks.bankrate_delivery,
    "freerateupdate": networks.freerateupdate_delivery,
    "freerateupdate_xml": networks.freerateupdate_xml_delivery,
    "leadpoint": networks.leadpoint_delivery,
    "aggregator": networks.numeric_delivery,
    "aggregator_short": networks.short_names_delivery,
    "leadconduit": networks.leadconduit_delivery,
    "leadconduit_json": networks.leadconduit_json_delivery,
}
_SELF_SIGNING = {"phone_callrail", "chat_generic", "chat_transcript"}  # signed when they are built


def _parse_arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rooftree_simulators.posters", description=__doc__)
    parser.add_argument("vendor", choices=sorted(_DELIVERY_MAKERS))
    parser.add_argument("--to", required=True, help="full URL, including the path token")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--per-minute", type=float, default=0.0, help="0 sends without waiting")
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed gives the same borrowers"
    )
    parser.add_argument("--secret", default="", help="sign with this key, or send it as a header")
    parser.add_argument("--bad-day", action="append", type=BadDay, default=[], choices=list(BadDay))
    parser.add_argument("--bad-rate", type=float, default=1.0, help="share of bad deliveries")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Send leads and print one JSON line per POST; return 1 if any POST had no answer."""
    arguments = _parse_arguments(words)
    rng = random.Random(arguments.seed)
    unanswered = 0
    for number in range(arguments.count):
        if number and arguments.per_minute:
            time.sleep(60 / arguments.per_minute)
        at = datetime.now(UTC)
        signs = arguments.secret and arguments.vendor in _SELF_SIGNING
        with_key = {"secret": arguments.secret} if signs else {}
        delivery = _DELIVERY_MAKERS[arguments.vendor](random_borrower(rng), rng, at=at, **with_key)
        if arguments.secret and arguments.vendor == "website_form":
            delivery = website_form.signed_delivery(delivery, arguments.secret, at=at)
        elif arguments.secret and not signs:
            delivery.headers["X-Api-Key"] = arguments.secret
        bad_day = choose_bad_day(rng, arguments.bad_day, arguments.bad_rate)
        for sent in post_delivery(delivery, arguments.to, bad_day=bad_day):
            unanswered += sent.answer.status == 0
            print(json.dumps(_result_line(sent), ensure_ascii=False), flush=True)
    return 1 if unanswered else 0


def _result_line(sent: SentDelivery) -> dict[str, object]:
    return {
        "vendor_id": sent.delivery.vendor_id,
        "status": sent.answer.status,
        "answer": sent.answer.body[:300].decode("utf-8", "replace"),
        "bad_day": sent.bad_day,
        "problem": sent.answer.problem,
    }


if __name__ == "__main__":
    sys.exit(main())
