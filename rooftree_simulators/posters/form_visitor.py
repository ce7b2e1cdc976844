"""A visitor of a lender's form page, with a browser that runs no script: what the page hides
is sent back as it came, and what it asks is filled in by name."""

import random
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode, urlsplit

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.posters.simulated_borrowers import Borrower

USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)
CONSENT_SHARE = 0.7  # of the visitors tick the box
ABANDON_SHARE = 0.15  # go away after they said who they are
_HIDDEN_INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_CREDIT_BANDS = [(740, "excellent"), (700, "good"), (640, "fair")]
_TIMELINES = [(30, "0_30_days"), (60, "31_60_days"), (90, "61_90_days")]


def submit_form(
    url: str, borrower: Borrower, rng: random.Random, *, pause: Callable[[float], None]
) -> HttpAnswer:
    """Open the page, fill it in and send it, or leave; the last answer.

    Args:
        pause: waits so many seconds, as somebody who types does.
    """
    page = send_request(
        "GET", url, b"", {"User-Agent": USER_AGENT, "Accept-Language": borrower.language}
    )
    if page.status != 200:
        return page
    hidden = dict(_HIDDEN_INPUT.findall(page.body.decode()))
    kept = {name: unescape(said) for name, said in hidden.items()}
    pause(rng.uniform(6, 20))
    if rng.random() < ABANDON_SHARE:
        address, _, query = url.partition("?")
        return _post_form(f"{address}draft/?{query}", kept | _contact_fields(borrower))
    pause(rng.uniform(6, 20))
    agrees = {"consent": "yes"} if rng.random() < CONSENT_SHARE else {}
    return _post_form(url, kept | _contact_fields(borrower) | _property_fields(borrower) | agrees)


def _post_form(url: str, fields: dict[str, str]) -> HttpAnswer:
    parts = urlsplit(url)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"{parts.scheme}://{parts.netloc}",
        "User-Agent": USER_AGENT,
    }
    return send_request("POST", url, urlencode(fields).encode(), headers)


def _contact_fields(borrower: Borrower) -> dict[str, str]:
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


def _property_fields(borrower: Borrower) -> dict[str, str]:
    band = next((name for low, name in _CREDIT_BANDS if borrower.score >= low), "poor")
    soon = next((name for days, name in _TIMELINES if borrower.days <= days), "")
    return {
        "property_value": f"${borrower.price:,}",
        "down_payment": f"${borrower.down_payment:,}" if borrower.down_payment else "",
        "loan_amount": str(borrower.loan),
        "credit": band,
        "timeline": soon,
        "message": "",
    }
