"""A visitor of a lender's form page whose browser runs no script.

Hidden fields are sent back unchanged; visible fields are filled in by name.
"""

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
CONSENT_SHARE = 0.7  # share of visitors who tick the box
ABANDON_SHARE = 0.15  # share of visitors who leave after the contact fields
_HIDDEN_INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_CREDIT_BANDS = [(740, "excellent"), (700, "good"), (640, "fair")]
_TIMELINES = [(30, "0_30_days"), (60, "31_60_days"), (90, "61_90_days")]


def submit_form(
    url: str, borrower: Borrower, rng: random.Random, *, pause: Callable[[float], None]
) -> HttpAnswer:
    """Open the page, then fill in and send the form or leave; return the last answer.

    Args:
        pause: waits the given number of seconds, like a person typing.
    """
    page = send_request(
        "GET", url, b"", {"User-Agent": USER_AGENT, "Accept-Language": borrower.language}
    )
    if page.status != 200:
        return page
    inputs = dict(_HIDDEN_INPUT.findall(page.body.decode()))
    hidden = {name: unescape(value) for name, value in inputs.items()}
    pause(rng.uniform(6, 20))
    if rng.random() < ABANDON_SHARE:
        address, _, query = url.partition("?")
        return _post_form(f"{address}draft/?{query}", hidden | _contact_fields(borrower))
    pause(rng.uniform(6, 20))
    consent = {"consent": "yes"} if rng.random() < CONSENT_SHARE else {}
    return _post_form(
        url, hidden | _contact_fields(borrower) | _property_fields(borrower) | consent
    )


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
    timeline = next((name for days, name in _TIMELINES if borrower.days <= days), "")
    return {
        "property_value": f"${borrower.price:,}",
        "down_payment": f"${borrower.down_payment:,}" if borrower.down_payment else "",
        "loan_amount": str(borrower.loan),
        "credit": band,
        "timeline": timeline,
        "message": "",
    }
