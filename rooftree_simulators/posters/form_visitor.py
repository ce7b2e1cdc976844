"""A visitor of a lender's form page, with a browser that runs no script: what the page hides
is sent back as it came, and what it asks is filled in by name."""

import random
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode, urlsplit

from rooftree_simulators.outgoing import Answer, send
from rooftree_simulators.posters.people import Borrower

BROWSER = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)
AGREES = 0.7  # of the visitors tick the box
LEAVES = 0.15  # go away after they said who they are
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_BANDS = [(740, "excellent"), (700, "good"), (640, "fair")]
_TIMELINES = [(30, "0_30_days"), (60, "31_60_days"), (90, "61_90_days")]


def visit(
    url: str, borrower: Borrower, rng: random.Random, *, pause: Callable[[float], None]
) -> Answer:
    """Open the page, fill it in and send it, or leave; the last answer.

    Args:
        pause: waits so many seconds, as somebody who types does.
    """
    page = send("GET", url, b"", {"User-Agent": BROWSER, "Accept-Language": borrower.language})
    if page.status != 200:
        return page
    hidden = dict(_HIDDEN.findall(page.body.decode()))
    kept = {name: unescape(said) for name, said in hidden.items()}
    pause(rng.uniform(6, 20))
    if rng.random() < LEAVES:
        address, _, query = url.partition("?")
        return _post(f"{address}draft/?{query}", kept | _who(borrower))
    pause(rng.uniform(6, 20))
    agrees = {"consent": "yes"} if rng.random() < AGREES else {}
    return _post(url, kept | _who(borrower) | _home(borrower) | agrees)


def _post(url: str, fields: dict[str, str]) -> Answer:
    parts = urlsplit(url)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"{parts.scheme}://{parts.netloc}",
        "User-Agent": BROWSER,
    }
    return send("POST", url, urlencode(fields).encode(), headers)


def _who(borrower: Borrower) -> dict[str, str]:
    return {
        "loan_purpose": "purchase" if borrower.purpose == "purchase" else "refinance",
        "property_state": borrower.state,
        "property_zip": borrower.zip,
        "first_name": borrower.first_name,
        "last_name": borrower.last_name,
        "email": borrower.email,
        "phone": f"({borrower.phone[:3]}) {borrower.phone[3:6]}-{borrower.phone[6:]}",
        "language": borrower.language if borrower.language in ("en", "es") else "",
    }


def _home(borrower: Borrower) -> dict[str, str]:
    band = next((name for low, name in _BANDS if borrower.score >= low), "poor")
    soon = next((name for days, name in _TIMELINES if borrower.days <= days), "")
    return {
        "property_value": f"${borrower.price:,}",
        "down_payment": f"${borrower.down_payment:,}" if borrower.down_payment else "",
        "loan_amount": str(borrower.loan),
        "credit": band,
        "timeline": soon,
        "message": "",
    }
