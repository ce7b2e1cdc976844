"""The live sources beyond those of the history, set up as an operator would.

They have no history: the company starts with each when its demo starts.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rooftree.capture.bidding import bid_settings
from rooftree.capture.bidding.bid_rules import BidRules
from rooftree.capture.intake import mailbox_polling
from rooftree.capture.models import CertificateAccount, Mailbox
from rooftree.capture.parsing.field_map import parse_map_table
from rooftree.capture.source_setup import (
    adapter_settings,
    baseline,
    manage_sources,
    publish_field_map,
    vendor_credentials,
)
from rooftree.compliance.consent import source_terms
from rooftree.compliance.numbers import vendor_account
from rooftree.leads.models import Source
from rooftree.money.company_day import company_day
from rooftree.org import mail_setup
from rooftree.org.mail_dns import MailRecord
from rooftree.org.models import MailSetup, User
from rooftree_demo import live_conversations, live_posts
from rooftree_demo.arrivals import VendorContext
from rooftree_demo.demo_company import BRAND, CONSENT_WORDING
from rooftree_demo.live_posts import Send
from rooftree_demo.simulator_addresses import SimulatorAddresses
from rooftree_simulators import imap_mailbox
from rooftree_simulators.ads import linkedin, meta, trustedform
from rooftree_simulators.chats import drift, intercom
from rooftree_simulators.numbers import dncscrub
from rooftree_simulators.posters import (
    google_lead_form,
    lead_email,
    phone_callrail,
    phone_twilio,
    tiktok_lead_gen,
)
from rooftree_simulators.twilio.twilio_account import AUTH_TOKEN

LEADS_PER_SHARE = 20  # agreed inquiries per week for each unit of `share`
CONTACTABLE_PCT = 80
BID_PRICES = ("purchase 46", "refinance 38", "CA purchase 55", "30")  # dollars per lead
FIELD_MAP = parse_map_table("""
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
_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One live source, and the function that sends one inquiry through it."""

    adapter: str
    name: str  # of the source
    send: Send = field(compare=False)  # sends one inquiry
    share: int  # weight among all feeds
    exclusive: str = "ours"
    cost_cents: int | None = None  # per lead, if the vendor charges per lead
    credentials: Mapping[str, str] = field(default=_EMPTY, compare=False)  # from the vendor
    adapter_settings: Mapping[str, Any] = field(default=_EMPTY, compare=False)
    wording: str = ""  # consent wording its consumers see; "" if they see none
    register: Callable[[VendorContext, Source], None] | None = field(default=None, compare=False)


FEEDS = (
    Feed(
        adapter="website_form",
        name="Our website",  # also in the history; here through the hosted form
        send=live_conversations.submit_hosted_form,
        share=3,
    ),
    Feed(
        adapter="meta_lead_ads",
        name="Meta lead ads",
        send=live_posts.submit_meta_lead,
        share=5,
        credentials={
            "secret": meta.APP_SECRET,
            "verify_token": meta.VERIFY_TOKEN,
            "access_token": meta.TOKEN,
        },
        wording=CONSENT_WORDING,
        register=live_conversations.register_callback("meta"),
    ),
    Feed(
        adapter="google_lead_form",
        name="Google lead forms",
        send=live_posts.post_google_lead,
        share=3,
        credentials={"secret": google_lead_form.WEBHOOK_KEY},
        wording=CONSENT_WORDING,
    ),
    Feed(
        adapter="linkedin_lead_sync",
        name="LinkedIn lead forms",
        send=live_posts.submit_linkedin_lead,
        share=1,
        credentials={
            "secret": linkedin.CLIENT_SECRET,
            "access_token": linkedin.TOKEN,
            "account": linkedin.ACCOUNT,
        },
        wording=CONSENT_WORDING,
        register=live_conversations.register_callback("linkedin"),
    ),
    Feed(
        adapter="tiktok_lead_gen",
        name="TikTok lead forms",
        send=live_posts.post_tiktok_lead,
        share=1,
        credentials={"secret": tiktok_lead_gen.APP_SECRET},
        wording=CONSENT_WORDING,
    ),
    Feed(
        adapter="bankrate",
        name="Bankrate",
        send=live_posts.post_bankrate_lead,
        share=3,
        exclusive="shared",
        cost_cents=52_00,
    ),
    Feed(
        adapter="freerateupdate",
        name="FreeRateUpdate",
        send=live_posts.post_freerateupdate_lead,
        share=2,
        exclusive="shared",
        cost_cents=29_00,
    ),
    Feed(
        adapter="leadpoint",
        name="Leadpoint",
        send=live_posts.post_leadpoint_lead,
        share=2,
        exclusive="shared",
        cost_cents=24_00,
    ),
    Feed(
        adapter="leadconduit",
        name="LeadConduit",
        send=live_posts.post_leadconduit_lead,  # each lead carries its price
        share=3,
        wording=CONSENT_WORDING,
    ),
    Feed(
        adapter="aggregator_post",
        name="Rate Scout network",
        send=live_posts.post_numeric_lead,
        share=2,
        exclusive="shared",
        cost_cents=21_00,
        wording=CONSENT_WORDING,
    ),
    Feed(
        adapter="ping_post",
        name="Lead auction",
        send=live_posts.run_auction,  # the price is the bid
        share=3,
        wording=CONSENT_WORDING,
    ),
    Feed(
        adapter="generic",
        name="The Rate Reader",
        send=live_posts.post_mapped_lead,
        share=2,
        cost_cents=18_00,
    ),
    Feed(
        adapter="phone_twilio",
        name="October mailer",
        send=live_conversations.place_tracking_call,
        share=2,
        credentials={"secret": AUTH_TOKEN},
        adapter_settings={
            "ring": live_conversations.DESK_NUMBER,
            "lines": [f"{phone_twilio.TRACKING_NUMBER} = October mailer"],
        },
        register=live_conversations.register_twilio_number,
    ),
    Feed(
        adapter="phone_callrail",
        name="CallRail",
        send=live_conversations.post_callrail_call,
        share=2,
        credentials={"secret": phone_callrail.SIGNING_KEY},
    ),
    Feed(
        adapter="chat_generic",
        name="Builder site chat",
        send=live_conversations.post_chat,
        share=1,
    ),
    Feed(
        adapter="chat_intercom",
        name="Intercom",
        send=live_conversations.write_in_intercom,
        share=2,
        credentials={"secret": intercom.CLIENT_SECRET, "access_token": intercom.TOKEN},
        register=live_conversations.register_callback("intercom"),
    ),
    Feed(
        adapter="chat_drift",
        name="Drift",
        send=live_conversations.write_in_drift,
        share=1,
        credentials={"secret": drift.VERIFICATION_TOKEN, "access_token": drift.TOKEN},
        register=live_conversations.register_callback("drift"),
    ),
    Feed(
        adapter="email_text",
        name="Rate Hub, by email",
        send=live_conversations.mail_text_lead,  # each email carries its price
        share=2,
        exclusive="shared",
        adapter_settings={"senders": [lead_email.VENDOR_DOMAIN]},
    ),
    Feed(
        adapter="email_adf",
        name="AutoMoneyNet, by email",
        send=live_conversations.mail_adf_lead,
        share=1,
        exclusive="aged",
        cost_cents=9_00,
        adapter_settings={"senders": [lead_email.VENDOR_DOMAIN]},
    ),
    Feed(
        adapter="referral_partner",
        name="Summit Realty",
        send=live_posts.post_referral,
        share=2,
    ),
    Feed(
        adapter="mismo_ilad",
        name="Point-of-sale applications",
        send=live_posts.post_application,
        share=1,
    ),
)


def ensure_feeds(*, at: datetime) -> None:
    """Create missing sources and the certificate vendor's key; safe to repeat."""
    key = {"key": trustedform.API_KEY, "changed_at": at}
    CertificateAccount.objects.get_or_create(provider="trustedform", defaults=key)
    existing_names = set(Source.objects.values_list("name", flat=True))
    staff = {user.primary_role: user for user in User.objects.with_role("operations", "compliance")}
    for feed in FEEDS:
        if feed.name not in existing_names:
            source = _create_source(feed, staff["operations"], at)
            _record_terms(feed, source, staff["compliance"], at)
            _launch_source(feed, source, staff["operations"], at)


def configure_mailbox(addresses: SimulatorAddresses, *, at: datetime) -> None:
    """Save the mailbox with this run's port, which differs in every run."""
    mailbox = Mailbox.objects.first()
    mailbox_polling.save_mailbox(
        {
            "host": "127.0.0.1",
            "port": addresses.imap,
            "security": "none",
            "user": imap_mailbox.USER,
            "password": imap_mailbox.PASSWORD,
            "folder": "INBOX",
            "source_id": None,
        },
        mailbox_id=mailbox.pk if mailbox else None,
        by=User.objects.with_role("administrator").earliest("joined_at"),
        at=at,
    )


def configure_number_service(*, at: datetime) -> None:
    """Set up the vendor for reassigned-number queries; the do-not-call lists come as files."""
    if vendor_account.active_service() is None:
        account = vendor_account.AccountSettings(
            key=dncscrub.LOGIN_ID, project="", covers=(), asks_reassigned=True
        )
        vendor_account.save_account(
            account, by=User.objects.with_role("administrator").earliest("joined_at"), at=at
        )


def configure_mail(*, at: datetime) -> None:
    """Try the simulated mail server, and store DNS records of the invented sender's domain."""
    mail_setup.check_active_server(at=at)
    state = mail_setup.read_state()
    texts = {
        "SPF": (state.domain, "v=spf1 include:mail.example ~all"),
        "DKIM": (f"s1._domainkey.{state.domain}", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEF"),
        "DMARC": (f"_dmarc.{state.domain}", "v=DMARC1; p=quarantine"),
    }
    MailSetup.objects.update(
        dkim_selector="s1", looked_up_at=at, looked_up_domain=state.domain,
        records=[
            asdict(MailRecord(name=name, host=host, found=text))
            for name, (host, text) in texts.items()
        ],
    )  # fmt: skip


def _create_source(feed: Feed, by: User, at: datetime) -> Source:
    """Do what operations does on a source's pages before it can send."""
    details = {"cost_cents": feed.cost_cents} if feed.cost_cents else {}
    opened = manage_sources.create_source(
        adapter=feed.adapter, name=feed.name, details=details, by=by, at=at
    )
    common: dict[str, Any] = {"source_id": opened.source.pk, "by": by, "at": at}
    if feed.credentials:
        vendor_credentials.save_credentials(typed=feed.credentials, **common)
    if feed.adapter_settings:
        adapter_settings.save_settings(typed=feed.adapter_settings, **common)
    if feed.adapter == "generic":
        publish_field_map.publish_field_map(FIELD_MAP, summary="First field map", **common)
    if feed.adapter == "ping_post":
        bid_settings.save_bid_rules(
            rules=BidRules(prices=bid_settings.parse_prices(BID_PRICES)), **common
        )
    return opened.source


def _record_terms(feed: Feed, source: Source, by: User, at: datetime) -> None:
    """Record the consent terms of a source, as compliance does."""
    consent = {
        "wording": feed.wording,
        "signature": "button",
        "channels": ["call", "text", "email"],
    }
    source_terms.record_terms(
        source=source,
        from_date=company_day(at),
        facts={"names_us": True, "seller_snapshot": BRAND}
        | (consent if feed.wording else _NO_CONSENT_TERMS),
        by=by,
        at=at,
    )


_NO_CONSENT_TERMS = {"wording": "", "signature": "", "channels": []}


def _launch_source(feed: Feed, source: Source, by: User, at: datetime) -> None:
    """Record the source's baseline, waive its missing parts and launch it."""
    facts = {
        "per_week": feed.share * LEADS_PER_SHARE,
        "contactable_pct": CONTACTABLE_PCT,
        "price_cents": feed.cost_cents,
        "exclusive": feed.exclusive,
        "contact": f"partners@{source.slug}.example",
        "watcher_id": by.pk,
    }
    baseline.save_baseline(source_id=source.pk, facts=facts, by=by, at=at)
    for part in baseline.missing_parts(baseline.get_baseline(source)):
        baseline.waive_part(source_id=source.pk, part=part, why=WAIVER_REASONS[part], by=by, at=at)
    baseline.launch_source(source_id=source.pk, by=by, at=at)


WAIVER_REASONS = {
    "price_cents": "Not priced per lead, or priced lead by lead.",
    "returns": "The vendor accepts no returns.",
}
