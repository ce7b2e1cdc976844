"""Every way leads reach Lindenfield besides those of its history, set up as an operator would.

They are no part of the history: the company begins with each when its demo is started.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rooftree.capture import (
    baseline,
    mailboxes,
    publish_map,
    source_bids,
    source_credentials,
    source_settings,
    source_setup,
)
from rooftree.capture.bidding import Rules
from rooftree.capture.field_map import table
from rooftree.capture.models import CertificateAccount, Mailbox
from rooftree.compliance import source_terms
from rooftree.compliance.numbers import service
from rooftree.leads.models import Source
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree_demo import live_posts, live_talks
from rooftree_demo.company import BRAND, WORDING
from rooftree_demo.live_posts import Send
from rooftree_demo.outside import Addresses
from rooftree_demo.street import Street
from rooftree_simulators import imap
from rooftree_simulators.ads import linkedin, meta, trustedform
from rooftree_simulators.chats import drift, intercom
from rooftree_simulators.numbers import dncscrub
from rooftree_simulators.posters import (
    google_lead_form,
    lead_letter,
    phone_callrail,
    phone_twilio,
    tiktok_lead_gen,
)
from rooftree_simulators.twilio.account import AUTH_TOKEN

PER_WEEK = 20  # inquiries for one share, as agreed with a vendor
CONTACTABLE_PCT = 80
PRICES = ("purchase 46", "refinance 38", "CA purchase 55", "30")  # of a ping, in dollars
MAP = table("""
vendor_lead_id | entry
submitted_at | when
first_name | reader.given
last_name | reader.family
email | reader.mail
mobile | reader.cell
loan_purpose | wants | buy=purchase refinance=refinance
property_state | home.st
property_zip | home.zip5
property_value | home.worth
loan_amount | borrow
credit | credit
message | remark
""")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One way, and who comes by it."""

    adapter: str
    name: str  # of the source
    send: Send = field(compare=False)  # one inquiry
    share: int  # beside the others'
    exclusive: str = "ours"
    cost_cents: int | None = None  # a lead, where the vendor charges by the lead
    given: Mapping[str, str] = field(default=_NOTHING, compare=False)  # by the vendor
    told: Mapping[str, Any] = field(default=_NOTHING, compare=False)  # to the adapter
    wording: str = ""  # what its consumers agree to; "" where they are shown none
    greet: Callable[[Street, Source], None] | None = field(default=None, compare=False)


FEEDS = (
    Feed(
        adapter="website_form",
        name="Our website",  # of the history as well; here by the page that we host
        send=live_talks.our_page,
        share=3,
    ),
    Feed(
        adapter="meta_lead_ads",
        name="Meta lead ads",
        send=live_posts.meta,
        share=5,
        given={
            "secret": meta.APP_SECRET,
            "verify_token": meta.VERIFY,
            "access_token": meta.TOKEN,
        },
        wording=WORDING,
        greet=live_talks.greet("meta"),
    ),
    Feed(
        adapter="google_lead_form",
        name="Google lead forms",
        send=live_posts.google,
        share=3,
        given={"secret": google_lead_form.KEY},
        wording=WORDING,
    ),
    Feed(
        adapter="linkedin_lead_sync",
        name="LinkedIn lead forms",
        send=live_posts.linkedin,
        share=1,
        given={
            "secret": linkedin.CLIENT_SECRET,
            "access_token": linkedin.TOKEN,
            "account": linkedin.ACCOUNT,
        },
        wording=WORDING,
        greet=live_talks.greet("linkedin"),
    ),
    Feed(
        adapter="tiktok_lead_gen",
        name="TikTok lead forms",
        send=live_posts.tiktok,
        share=1,
        given={"secret": tiktok_lead_gen.SECRET},
        wording=WORDING,
    ),
    Feed(
        adapter="bankrate",
        name="Bankrate",
        send=live_posts.bankrate,
        share=3,
        exclusive="shared",
        cost_cents=52_00,
    ),
    Feed(
        adapter="freerateupdate",
        name="FreeRateUpdate",
        send=live_posts.freerateupdate,
        share=2,
        exclusive="shared",
        cost_cents=29_00,
    ),
    Feed(
        adapter="leadpoint",
        name="Leadpoint",
        send=live_posts.leadpoint,
        share=2,
        exclusive="shared",
        cost_cents=24_00,
    ),
    Feed(
        adapter="leadconduit",
        name="LeadConduit",
        send=live_posts.leadconduit,  # its price stands in each lead
        share=3,
        wording=WORDING,
    ),
    Feed(
        adapter="aggregator_post",
        name="Rate Scout network",
        send=live_posts.numeric,
        share=2,
        exclusive="shared",
        cost_cents=21_00,
        wording=WORDING,
    ),
    Feed(
        adapter="ping_post",
        name="Lead auction",
        send=live_posts.auction,  # its price is our bid
        share=3,
        wording=WORDING,
    ),
    Feed(
        adapter="generic",
        name="The Rate Reader",
        send=live_posts.own_words,
        share=2,
        cost_cents=18_00,
    ),
    Feed(
        adapter="phone_twilio",
        name="October mailer",
        send=live_talks.call,
        share=2,
        given={"secret": AUTH_TOKEN},
        told={
            "ring": live_talks.DESK,
            "lines": [f"{phone_twilio.TRACKING} = October mailer"],
        },
        greet=live_talks.greet_twilio,
    ),
    Feed(
        adapter="phone_callrail",
        name="CallRail",
        send=live_talks.tracked_call,
        share=2,
        given={"secret": phone_callrail.SIGNING_KEY},
    ),
    Feed(
        adapter="chat_generic",
        name="Chat of our builders' sites",
        send=live_talks.chat,
        share=1,
    ),
    Feed(
        adapter="chat_intercom",
        name="Intercom",
        send=live_talks.by_intercom,
        share=2,
        given={"secret": intercom.CLIENT_SECRET, "access_token": intercom.TOKEN},
        greet=live_talks.greet("intercom"),
    ),
    Feed(
        adapter="chat_drift",
        name="Drift",
        send=live_talks.by_drift,
        share=1,
        given={"secret": drift.VERIFICATION, "access_token": drift.TOKEN},
        greet=live_talks.greet("drift"),
    ),
    Feed(
        adapter="email_text",
        name="Rate Hub, by e-mail",
        send=live_talks.in_words,  # its price stands in each letter
        share=2,
        exclusive="shared",
        told={"senders": [lead_letter.VENDOR]},
    ),
    Feed(
        adapter="email_adf",
        name="AutoMoneyNet, by e-mail",
        send=live_talks.in_adf,
        share=1,
        exclusive="aged",
        cost_cents=9_00,
        told={"senders": [lead_letter.VENDOR]},
    ),
    Feed(
        adapter="referral_partner",
        name="Summit Realty",
        send=live_posts.partner,
        share=2,
    ),
    Feed(
        adapter="mismo_ilad",
        name="Applications from our point of sale",
        send=live_posts.application,
        share=1,
    ),
)


def ensure(*, at: datetime) -> None:
    """Every source and the certificates' key, unless they are there."""
    key = {"key": trustedform.KEY, "changed_at": at}
    CertificateAccount.objects.get_or_create(provider="trustedform", defaults=key)
    there = set(Source.objects.values_list("name", flat=True))
    staff = {one.role: one for one in User.objects.filter(role__in=["operations", "compliance"])}
    for feed in FEEDS:
        if feed.name not in there:
            source = _open(feed, staff["operations"], at)
            _review(feed, source, staff["compliance"], at)
            _launch(feed, source, staff["operations"], at)


def read_mail(addresses: Addresses, *, at: datetime) -> None:
    """Read the mailbox at its address of this run; it is another in each."""
    kept = Mailbox.objects.first()
    mailboxes.keep(
        {
            "host": "127.0.0.1",
            "port": addresses.imap,
            "security": "none",
            "user": imap.USER,
            "password": imap.PASSWORD,
            "folder": "INBOX",
            "source_id": None,
        },
        mailbox_id=kept.pk if kept else None,
        by=User.objects.filter(role="administrator").earliest("joined_at"),
        at=at,
    )


def ask_about_numbers(*, at: datetime) -> None:
    """Have the vendor asked whether numbers changed hands; the lists come as files."""
    if service.the_service() is None:
        wanted = service.Wanted(key=dncscrub.KEY, project="", covers=(), asks_reassigned=True)
        service.keep(
            wanted, by=User.objects.filter(role="administrator").earliest("joined_at"), at=at
        )


def _open(feed: Feed, by: User, at: datetime) -> Source:
    """What somebody does on the pages of a source before it may send."""
    details = {"cost_cents": feed.cost_cents} if feed.cost_cents else {}
    opened = source_setup.create(
        adapter=feed.adapter, name=feed.name, details=details, by=by, at=at
    )
    named: dict[str, Any] = {"source_id": opened.source.pk, "by": by, "at": at}
    if feed.given:
        source_credentials.give(typed=feed.given, **named)
    if feed.told:
        source_settings.tell(typed=feed.told, **named)
    if feed.adapter == "generic":
        publish_map.publish(MAP, summary="As the author explained it", **named)
    if feed.adapter == "ping_post":
        source_bids.set_rules(rules=Rules(prices=source_bids.prices_of(PRICES)), **named)
    return opened.source


def _review(feed: Feed, source: Source, by: User, at: datetime) -> None:
    """What compliance found its consumers to agree to."""
    agreed = {
        "wording": feed.wording,
        "signature": "button",
        "channels": ["call", "text", "email"],
    }
    source_terms.record(
        source=source,
        from_date=company_day(at),
        facts={"names_us": True, "seller_snapshot": BRAND} | (agreed if feed.wording else _SILENT),
        by=by,
        at=at,
    )


_SILENT = {"wording": "", "signature": "", "channels": []}


def _launch(feed: Feed, source: Source, by: User, at: datetime) -> None:
    """Its baseline: what is agreed, and what the company does without, in somebody's name."""
    facts = {
        "per_week": feed.share * PER_WEEK,
        "contactable_pct": CONTACTABLE_PCT,
        "price_cents": feed.cost_cents,
        "exclusive": feed.exclusive,
        "contact": f"partners@{source.slug}.example",
        "watcher_id": by.pk,
    }
    baseline.agree(source_id=source.pk, facts=facts, by=by, at=at)
    for part in baseline.missing(baseline.of(source)):
        baseline.waive(source_id=source.pk, part=part, why=WHY_NOT[part], by=by, at=at)
    baseline.launch(source_id=source.pk, by=by, at=at)


WHY_NOT = {
    "price_cents": "Not sold by the lead, or priced lead by lead.",
    "returns": "Nothing can be given back.",
}
