"""A delivery as a vendor sends it, and the faults it can have on the way."""

import random
from dataclasses import dataclass, replace
from enum import StrEnum

from rooftree_simulators.http_sender import HttpAnswer, send_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST: the vendor's bytes and headers."""

    vendor_id: str
    body: bytes
    headers: dict[str, str]


class BadDay(StrEnum):
    """A fault of one delivery."""

    DUPLICATE = "duplicate"  # the same delivery twice in a row
    SLOW = "slow"  # the body arrives in pieces over a second
    MALFORMED = "malformed"  # the body is cut off in the middle
    HTML = "html"  # a proxy's error page instead of the lead
    WRONG_TOKEN = "wrong_token"  # noqa: S105
    WRONG_KEY = "wrong_key"  # in the header


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDelivery:
    """One POST and its answer."""

    delivery: Delivery
    answer: HttpAnswer
    bad_day: str = ""


_ERROR_PAGE = b"<html><body>502 Bad Gateway</body></html>"


def post_delivery(
    delivery: Delivery, to: str, *, bad_day: BadDay | None = None
) -> list[SentDelivery]:
    """POST to `to`, a URL that ends in the source's path token; a duplicate returns two rows."""
    if bad_day is BadDay.WRONG_TOKEN:
        to = f"{to.rstrip('/').rpartition('/')[0]}/not-the-token"
    if bad_day is BadDay.WRONG_KEY:
        delivery = replace(delivery, headers={**delivery.headers, "X-Api-Key": "not-the-key"})
    if bad_day is BadDay.MALFORMED:
        delivery = replace(delivery, body=delivery.body[: len(delivery.body) // 2])
    if bad_day is BadDay.HTML:
        delivery = replace(delivery, body=_ERROR_PAGE)
    pause = 0.1 if bad_day is BadDay.SLOW else 0.0
    times = 2 if bad_day is BadDay.DUPLICATE else 1
    return [
        SentDelivery(
            delivery=delivery,
            answer=send_request("POST", to, delivery.body, delivery.headers, piece_pause_s=pause),
            bad_day=bad_day or "",
        )
        for _ in range(times)
    ]


def choose_bad_day(rng: random.Random, kinds: list[BadDay], rate: float) -> BadDay | None:
    """Choose a fault for the share `rate` of deliveries, evenly among `kinds`; else None."""
    if not kinds or rng.random() >= rate:
        return None
    return rng.choice(kinds)
