"""Ping and post: a seller offers a lead without personal data, we bid, it posts the lead.

Wire format: docs/sources/ping-post.md. `capture.bidding` decides the bid; `incoming.market`
supplies its facts and, for a post, the bid we placed.
"""

import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.capture.bidding.bid_rules import (
    AnsweredBid,
    Ping,
    contact_hashes,
    decide_bid,
    parse_bid_rules,
    post_key,
)
from rooftree.capture.parsing.envelope import (
    LEAD_ID_PLACEHOLDER,
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    ignored_envelope,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.field_map import apply_map, parse_map_lines, parse_map_table
from rooftree.capture.parsing.normalize_values import short_text, usps_state, vendor_identifier
from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import (
    PostFormat,
    Tree,
    build_post_envelope,
    json_rejection,
    open_post,
)
from rooftree.capture.parsing.value_paths import find_value
from rooftree.capture.parsing.vendor_words import PURPOSES, match_choice
from rooftree.capture.source_setup.acceptance_limits import LimitFacts, vendor_reason_for
from rooftree.leads.canonical import Cost
from rooftree.leads.vocabulary import Channel, CostBasis, Source

LABEL = "Ping and post"
PATHS = ["pingpost/<token>/ping", "pingpost/<token>/post"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER
TAKES_BIDS = True
UNKNOWN_STANDING = LimitFacts()  # without a market

LINES = parse_map_table("""
vendor_lead_id | ping_id
sub_source | sub_id
campaign | campaign_id
first_name | first_name
last_name | last_name
name | full_name
phone | phone
phone_2 | phone_2
email | email
property_address | address
property_city | city
property_state | state
property_zip | zip
property_type | property_type
property_use | property_use
property_value | property_value
purchase_price | purchase_price
loan_purpose | loan_purpose
loan_type | loan_type
loan_amount | loan_amount
down_payment | down_payment
cash_out | cash_out
ltv | ltv
current_balance | current_balance
current_rate | current_rate
timeline | timeline
credit | credit_rating
credit_score | credit_score
annual_income | annual_income
bankruptcy | bankruptcy
military | military veteran
first_time_buyer | first_time_buyer
found_home | found_home
working_with_agent | working_with_agent
language | language
message | comments
consent_checked | tcpa.optin tcpa_optin
consent_text | tcpa.text tcpa_text
consent_at | tcpa.timestamp tcpa_timestamp
consent_ip | tcpa.ip tcpa_ip
consent_page | tcpa.page_url tcpa_url
user_agent | tcpa.user_agent user_agent
certificate_url | trustedform_cert_url xxTrustedFormCertUrl
leadid_token | universal_leadid
""")
# The fields of a ping we store; none of them identifies a person.
PING_FIELDS = (
    *("vertical", "loan_purpose", "loan_type", "loan_amount", "state", "zip", "property_type"),
    *("property_use", "property_value", "purchase_price", "down_payment", "cash_out", "ltv"),
    *("current_balance", "current_rate", "credit_rating", "timeline", "military", "bankruptcy"),
    *("sub_id", "campaign_id", "exclusive", "trustedform_ping_url"),
)
# Names of the id that ties a post to its ping, as exchanges call it; ours first.
ID_NAMES = (
    *("ping_id", "pingid", "ping_token", "bid_id", "auction_id", "transaction_id"),
    *("lead_id", "leadid"),
)
PERSONAL_FIELDS = (
    *("first_name", "last_name", "full_name", "name", "phone", "phone_1", "phone_2", "mobile"),
    *("email", "address", "address_1", "street", "dob", "ssn", "ip_address"),
)


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one ping or one post. Never raises: an unusable delivery gets its own outcome."""
    address, _, step = incoming.path.split("?")[0].rstrip("/").rpartition("/")
    notes = ReadingNotes()
    tree = open_post(replace(incoming, path=address), notes, json_rejection, default_proof=PROOF)
    if isinstance(tree, Envelope):
        return tree
    ids = (vendor_identifier(find_value(tree, name)[1]) for name in ID_NAMES)
    ping_id = next(filter(None, ids), None)
    if step not in ("ping", "post"):
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, "no_such_step", json_rejection(404, "not_found")
        )
    if ping_id is None and step == "ping":  # our answer names this id, and the post repeats it
        seed = incoming.received_at.isoformat().encode() + incoming.body
        ping_id = f"rt-{hashlib.sha256(seed).hexdigest()[:32]}"
    if ping_id is None:
        answer = json_rejection(400, "ping_id_missing")
        return rejected_envelope(Outcome.REJECTED_MALFORMED, "ping_id_missing", answer)
    act = _answer_ping if step == "ping" else _answer_post
    return act(ping_id, tree, incoming, notes)


def _answer_ping(
    ping_id: str, tree: Tree, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    """Answer a ping with a bid or a reason for no bid; repeat an earlier bid until it expires."""
    if any(as_text(find_value(tree, name)[1]).strip() for name in PERSONAL_FIELDS):
        notes.warn("pii_in_ping_discarded")
    market = incoming.market
    earlier = market.find_bid(ping_id) if market else None
    if earlier and earlier.is_open(incoming.received_at):
        answered_bid = earlier
    else:
        ping = _build_ping(tree)
        rules = parse_bid_rules(incoming.endpoint.setup.get("bids"))
        bid = decide_bid(
            ping, rules, market.load_limit_facts(ping, rules) if market else UNKNOWN_STANDING
        )
        expires_at = incoming.received_at + timedelta(seconds=rules.seconds)
        answered_bid = AnsweredBid(
            ping_id=ping_id, ping=ping, bid=bid, seconds=rules.seconds, expires_at=expires_at
        )
    return Envelope(
        http=_bid_answer(ping_id, answered_bid),
        outcome=Outcome.BID if answered_bid.bid.cents else Outcome.NO_BID,
        reason=answered_bid.bid.no_bid_reason or None,
        idempotency_key=f"pingpost:ping:{ping_id}",
        warnings=tuple(sorted(notes.warnings)),
        placed_bid=answered_bid,
    )


def _bid_answer(ping_id: str, answered_bid: AnsweredBid) -> Answer:
    if not answered_bid.bid.cents:
        reason = vendor_reason_for(answered_bid.bid.no_bid_reason)
        return json_answer(200, outcome="failure", ping_id=ping_id, bid=0, reason=reason)
    bid = answered_bid.bid.cents / 100
    return json_answer(
        200, outcome="success", ping_id=ping_id, bid=bid, expires_in=answered_bid.seconds
    )


def _build_ping(tree: Tree) -> Ping:
    """Build the ping, without personal data."""
    notes = ReadingNotes()
    answers = {name: short_text(find_value(tree, name)[1]) for name in PING_FIELDS}
    purpose = match_choice(answers["loan_purpose"], PURPOSES, "loan.purpose", "loan_purpose", notes)
    return Ping(
        ping_fields={name: value for name, value in answers.items() if value},
        state=usps_state(answers["state"], "state", notes) or "",
        purpose=purpose or "",
        phone_hash=_parse_hash(find_value(tree, "phone_sha256")[1]),
        email_hash=_parse_hash(find_value(tree, "email_sha256")[1]),
    )


def _parse_hash(value: Any) -> str:
    text = as_text(value).strip().lower()
    return text if re.fullmatch(r"[0-9a-f]{64}", text) else ""


def _answer_post(
    ping_id: str, tree: Tree, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    """Buy the posted lead at the price we bid; reject one that differs from its ping."""
    answered_bid = incoming.market.find_bid(ping_id) if incoming.market else None
    lines = parse_map_lines(incoming.endpoint.setup.get("map")) or LINES
    merged = {**answered_bid.ping.ping_fields, **tree} if answered_bid else tree
    reading = apply_map(merged, lines, notes)
    bid_cents = answered_bid.bid.cents if answered_bid else 0
    # The cost is our bid, whatever the post says.
    cost = Cost(amount_cents=bid_cents, basis=CostBasis.BID) if answered_bid else None
    vendor = PostFormat(
        source=Source.PING_POST,
        channel=CHANNEL,
        lines=lines,
        default_proof=PROOF,
        success_answer=lambda *_: json_answer(
            200,
            outcome="success",
            ping_id=ping_id,
            lead_id=LEAD_ID_PLACEHOLDER,
            price=bid_cents / 100 if answered_bid else 0,
        ),
        counts_bare_yes=True,
        finish_lead=lambda lead, *_: replace(lead, cost=cost),
    )
    sale = replace(
        build_post_envelope(merged, reading, incoming, notes, vendor),
        idempotency_key=post_key(ping_id),
    )
    if incoming.is_verified:
        return sale  # bought when it arrived
    problem = _find_sale_problem(tree, sale, answered_bid, incoming)
    if problem is None:
        return sale
    code, seller_reason = problem
    mismatched_bid = answered_bid if code == "ping_mismatch" else None
    differences = _find_differences(tree, sale, mismatched_bid) if mismatched_bid else ()
    answer = json_answer(200, outcome="failure", ping_id=ping_id, reason=seller_reason)
    return replace(
        ignored_envelope(code, answer),
        idempotency_key=sale.idempotency_key,
        warnings=tuple(sorted(f"mismatch:{name}" for name in differences)),
    )


def _find_sale_problem(
    tree: Tree, sale: Envelope, answered_bid: AnsweredBid | None, incoming: IncomingDelivery
) -> tuple[str, str] | None:
    """Return why we don't buy (a reason code and the seller's text), or None."""
    if answered_bid is None:
        return "ping_unknown", "no such ping"
    if answered_bid.is_taken:
        return None  # a duplicate post, answered like the first one
    if not answered_bid.bid.cents:
        return "ping_not_bid", "we did not bid"
    if not answered_bid.is_open(incoming.received_at):
        return "ping_expired", "bid expired"
    if _find_differences(tree, sale, answered_bid):
        return "ping_mismatch", "post does not match ping"
    return None


def _find_differences(tree: Tree, sale: Envelope, answered_bid: AnsweredBid) -> tuple[str, ...]:
    """Name the fields in which the post differs from the ping; a missing field is no difference."""
    ping_values = answered_bid.ping.ping_fields
    names = [
        name
        for name in ping_values
        if not _is_same_value(find_value(tree, name)[1], ping_values[name])
    ]
    lead = sale.leads[0]
    phone = next((phone.e164 for phone in lead.phones if phone.e164), None)
    email = next((email.address for email in lead.emails if email.address), None)
    phone_hashes, email_hashes = contact_hashes(phone, email)
    if answered_bid.ping.phone_hash and phone and answered_bid.ping.phone_hash not in phone_hashes:
        names.append("phone")
    if answered_bid.ping.email_hash and email and answered_bid.ping.email_hash not in email_hashes:
        names.append("email")
    if not _is_same_value(find_value(tree, "price")[1], f"{Decimal(answered_bid.bid.cents) / 100}"):
        names.append("price")
    return tuple(names)


def _is_same_value(value: Any, offered: str) -> bool:
    """Compare two values as texts or numbers; a missing value counts as the same."""
    text = short_text(value)
    if text is None or text.casefold() == offered.casefold():
        return True
    try:
        return Decimal(text) == Decimal(offered)
    except InvalidOperation:
        return False
