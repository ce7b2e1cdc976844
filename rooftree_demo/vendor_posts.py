"""The POST that each source of the history sends about a borrower, in its exact format."""

import json
import random
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rooftree.leads.models import Source
from rooftree_demo.demo_company import CONSENT_WORDING, CONSENT_WORDING_ES, WEBSITE
from rooftree_demo.lead_origins import origin_by_slug
from rooftree_simulators.posters import lendingtree, website_form, zillow
from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

USER_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
_PAGES = {"our-site": "rates?utm_source=google", "our-site-es": "es/tasas"}
_FEE = re.compile(rb"<MatchFee>[^<]*</MatchFee>")
_TRACKING = re.compile(rb"<TrackingNumber>[^<]*<")
_NUMBER = re.compile(r"(\d+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPost:
    """One POST: the source it goes to, its body and headers."""

    slug: str
    body: bytes
    headers: dict[str, str]


def build_post(
    source: Source,
    borrower: Borrower,
    rng: random.Random,
    *,
    at: datetime,
    consents: bool | None = None,
    certificate: str = "",
) -> VendorPost:
    """Build the POST of one inquiry; `consents` and `certificate` are only for own forms."""
    slug = source.slug
    if source.adapter == "zillow":
        content = zillow.contact_object(borrower, rng, at=at)
        content["recipient"] = {"lenderId": "ZU9c41d07b22e8", "nmlsLicense": "1204417"}
        return _json_post(slug, content)
    if source.adapter == "lendingtree":
        return _lendingtree_post(source, borrower, rng, at)
    return _form_post(source, borrower, rng, at, consents, certificate)


def has_consent_box(slug: str) -> bool:
    """Decide whether the source is one of the lender's own forms, with a consent box for texts."""
    return origin_by_slug(slug).adapter == "website_form"


def _lendingtree_post(
    source: Source, borrower: Borrower, rng: random.Random, at: datetime
) -> VendorPost:
    delivery = lendingtree.lead_delivery(borrower, rng, at=at)
    fee = f"<MatchFee>{(source.cost_cents or 0) / 100:g}</MatchFee>".encode()
    body = delivery.body.replace(b"HarborLight", b"Lindenfield")
    body = _FEE.sub(fee, body)
    # Random eight-digit numbers would sometimes collide among thousands of leads.
    number = int(_NUMBER.findall(borrower.email)[0]) % 10_000_000
    body = _TRACKING.sub(f"<TrackingNumber>{90_000_000 + number}<".encode(), body)
    return VendorPost(slug=source.slug, body=body, headers=delivery.headers)


def _form_post(
    source: Source,
    borrower: Borrower,
    rng: random.Random,
    at: datetime,
    consents: bool | None,
    certificate: str,
) -> VendorPost:
    content = website_form.form_submission(borrower, rng, at=at, consents=consents)
    is_spanish = borrower.language == "es"
    content["consent"] |= {
        "text": CONSENT_WORDING_ES if is_spanish else CONSENT_WORDING,
        "version": "site-2026-01-es" if is_spanish else "site-2026-01",
        "prechecked": False,
    }
    if certificate:
        content["xxTrustedFormCertUrl"] = certificate
    content["landing_page"] = f"{WEBSITE}/{_PAGES.get(source.slug, source.slug)}"
    # The lender's own web server forwards the form, signed, with the visitor's IP and browser.
    content |= {"ip_address": f"203.0.113.{rng.randint(1, 254)}", "user_agent": USER_AGENT}
    unsigned = _json_post(source.slug, content)
    plain = Delivery(vendor_id="", body=unsigned.body, headers=unsigned.headers)
    return replace(
        unsigned, headers=website_form.signed_delivery(plain, source.secret, at=at).headers
    )


def intake_path(source: Source) -> str:
    """Return the path that this source posts to."""
    return f"/in/{source.adapter}/{source.token}" if source.token else f"/in/form/{source.slug}"


def _json_post(slug: str, content: dict[str, Any]) -> VendorPost:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return VendorPost(slug=slug, body=body, headers={"Content-Type": "application/json"})
