"""Advertised leads of the live market: forms inside Facebook, LinkedIn, Google and TikTok.

They are no part of the history: a company begins to advertise when its demo is started.
"""

import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rooftree.capture.models import CertificateAccount
from rooftree.compliance.models import SourceTerms
from rooftree.leads.models import Delivery, Source
from rooftree_demo import company
from rooftree_demo.borrowers import someone
from rooftree_demo.chance import between
from rooftree_demo.control import Control
from rooftree_demo.live_borrowers import FIRST
from rooftree_demo.vendors import path_to
from rooftree_simulators.ads import linkedin, meta, trustedform
from rooftree_simulators.posters import google_lead_form, tiktok_lead_gen
from rooftree_simulators.posters.delivery import deliver
from rooftree_simulators.posters.people import Borrower

GAP = 45.0  # seconds between two of them, on average
UNTOLD = 0.1  # of Meta's leads: its notice is lost, and only its list has them
OTHERS = 1_000_000  # apart from the borrowers who come through the other sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertiser:
    """One platform the company advertises on."""

    adapter: str
    name: str
    secret: str
    credentials: dict[str, str]
    share: int


ADVERTISERS = (
    Advertiser(
        adapter="meta_lead_ads",
        name="Meta lead ads",
        secret=meta.APP_SECRET,
        credentials={"verify_token": meta.VERIFY, "access_token": meta.TOKEN},
        share=5,
    ),
    Advertiser(
        adapter="google_lead_form",
        name="Google lead forms",
        secret=google_lead_form.KEY,
        credentials={},
        share=3,
    ),
    Advertiser(
        adapter="linkedin_lead_sync",
        name="LinkedIn lead forms",
        secret=linkedin.CLIENT_SECRET,
        credentials={"access_token": linkedin.TOKEN},
        share=1,
    ),
    Advertiser(
        adapter="tiktok_lead_gen",
        name="TikTok lead forms",
        secret=tiktok_lead_gen.SECRET,
        credentials={},
        share=1,
    ),
)


def ensure(*, at: datetime) -> None:
    """The sources and the certificates' key, unless they are there."""
    key = {"key": trustedform.KEY, "changed_at": at}
    CertificateAccount.objects.get_or_create(provider="trustedform", defaults=key)
    for one in ADVERTISERS:
        if not Source.objects.filter(adapter=one.adapter).exists():
            _open(one, at)


class Advertisers:
    """People who fill in a form inside an ad."""

    def __init__(self, control: Control, *, web: str) -> None:
        self.control, self.web = control, web
        self.rng = random.Random()
        self.next = time.monotonic() + 12
        self._has_greeted = False

    def beat(self) -> None:
        """Somebody fills in a form when it is time."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + min(self.rng.expovariate(1 / GAP), 4 * GAP)
        self._greet()
        chosen = self.rng.choices(ADVERTISERS, [one.share for one in ADVERTISERS])[0]
        source = Source.objects.get(adapter=chosen.adapter)
        number = FIRST + OTHERS + Delivery.objects.filter(source=source).count()
        who = someone(random.Random(f"ads:{source.slug}:{number}"), number, language="")
        voice = "answer" if self.rng.random() < 0.5 else "no-answer"
        wait = between(2, 9, "picks up", number)
        self.control.behave(f"+1{who.phone}", voice=voice, answer_after_s=wait)
        self._submit(source, who)

    def _greet(self) -> None:
        """The platforms ask whether our address is ours, once."""
        if self._has_greeted:
            return
        told = []
        for vendor, adapter in (("meta", "meta_lead_ads"), ("linkedin", "linkedin_lead_sync")):
            url = self._address(Source.objects.get(adapter=adapter))
            told.append(self.control.say(f"{vendor}/callback", {"url": url})["verified"])
        self._has_greeted = all(told)

    def _submit(self, source: Source, who: Borrower) -> None:
        at = datetime.now(UTC)
        if source.adapter == "meta_lead_ads":
            is_told = self.rng.random() > UNTOLD
            boxes = {"tcpa_sms_calls": self.rng.random() < 0.8}
            said = {"answers": _answers(who), "boxes": boxes, "notify": is_told}
            self.control.say("meta/lead", said)
        elif source.adapter == "linkedin_lead_sync":
            answers = {"1": who.first_name, "2": who.last_name, "3": who.email, "4": who.phone}
            choice = 1 if who.purpose == "purchase" else 2
            self.control.say("linkedin/lead", {"answers": answers, "choice": choice})
        elif source.adapter == "google_lead_form":
            deliver(google_lead_form.delivery(who, self.rng, at=at), self._address(source))
        else:
            deliver(tiktok_lead_gen.delivery(who, self.rng, at=at), self._address(source))

    def _address(self, source: Source) -> str:
        return f"{self.web}{path_to(source)}"


def _answers(who: Borrower) -> dict[str, Any]:
    buying = who.purpose == "purchase"
    return {
        "full_name": f"{who.first_name} {who.last_name}",
        "email": who.email,
        "phone_number": f"+1{who.phone}",
        "zip_code": who.zip,
        "are_you_buying_or_refinancing?": "buying" if buying else "refinancing",
        "which_state_is_the_property_in?": who.state,
        "estimated_home_value": f"${who.price:,}",
        "are_you_a_veteran?": "yes" if who.military else "no",
    }


def _open(one: Advertiser, at: datetime) -> None:
    source = company.vendor(
        one.adapter,
        one.name,
        one.adapter.replace("_", "-"),
        at,
        secret=one.secret,
        credentials=json.dumps(one.credentials),
    )
    reviewed = SourceTerms.objects.exclude(reviewed_by=None).first()
    company.terms(source, reviewed and reviewed.reviewed_by, at, wording=company.WORDING)
