"""What each source sends Lindenfield about a borrower, byte for byte in its own format."""

import json
import random
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rooftree.leads.models import Source
from rooftree_demo.company import SITE, WORDING, WORDING_ES
from rooftree_simulators.posters import lendingtree, website_form, zillow
from rooftree_simulators.posters.delivery import Delivery
from rooftree_simulators.posters.people import Borrower

ZILLOW, LENDINGTREE, SITE_SLUG = "zillow", "lendingtree", "our-site"
BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One POST as it will be made: to which source, with which bytes."""

    slug: str
    body: bytes
    headers: dict[str, str]


def post(
    source: Source,
    who: Borrower,
    rng: random.Random,
    *,
    at: datetime,
    consents: bool | None = None,
) -> Post:
    """The POST of one inquiry. `consents` is for our own site's box alone."""
    slug = source.slug
    if slug == ZILLOW:
        content = zillow.contact(who, rng, at=at)
        content["recipient"] = {"lenderId": "ZU9c41d07b22e8", "nmlsLicense": "1204417"}
        return _json(slug, content)
    if slug == LENDINGTREE:
        made = lendingtree.delivery(who, rng, at=at)
        body = made.body.replace(b"HarborLight", b"Lindenfield")
        return Post(slug=slug, body=body, headers=made.headers)
    content = website_form.submission(who, rng, at=at, consents=consents)
    is_spanish = who.language == "es"
    content["consent"] |= {
        "text": WORDING_ES if is_spanish else WORDING,
        "version": "site-2026-01-es" if is_spanish else "site-2026-01",
        "prechecked": False,
    }
    content["consent"]["prechecked"] = False
    content["landing_page"] = f"{SITE}/rates?utm_source=google"
    # The lender's own web server sends it on, signed, and says whose browser it was.
    content |= {"ip_address": f"203.0.113.{rng.randint(1, 254)}", "user_agent": BROWSER}
    unsigned = _json(slug, content)
    plain = Delivery(vendor_id="", body=unsigned.body, headers=unsigned.headers)
    return replace(unsigned, headers=website_form.signed(plain, source.secret, at=at).headers)


def path_to(source: Source) -> str:
    """Where this source posts to."""
    return f"/in/{source.adapter}/{source.token}" if source.token else f"/in/form/{source.slug}"


def _json(slug: str, content: dict[str, Any]) -> Post:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return Post(slug=slug, body=body, headers={"Content-Type": "application/json"})
