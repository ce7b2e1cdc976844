"""Ping and post: a seller offers a lead without its person, we bid, it sends the person.

Wire format: docs/sources/ping-post.md. The bid is decided in `capture.bidding`; what it
rests on, and for a post the bid that was placed, is known to `incoming.market`.
"""

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
from rooftree.capture.parsing.field_map import apply_map as read_by
from rooftree.capture.parsing.field_map import parse_map_lines, parse_map_table
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
from rooftree.leads.canonical import CanonicalLead, Cost
from rooftree.leads.vocabulary import Channel, CostBasis, Source

LABEL = "Ping and post"
PATHS = ["pingpost/<token>/ping", "pingpost/<token>/post"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER
UNKNOWN_STANDING = LimitFacts()  # where nobody told us more

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
# What a ping may say and is kept of it; nothing of it is about a person that can be found.
PING_FIELDS = (
    *("vertical", "loan_purpose", "loan_type", "loan_amount", "state", "zip", "property_type"),
    *("property_use", "property_value", "purchase_price", "down_payment", "cash_out", "ltv"),
    *("current_balance", "current_rate", "credit_rating", "timeline", "military", "bankruptcy"),
    *("sub_id", "campaign_id", "exclusive", "trustedform_ping_url"),
)
PERSONAL_FIELDS = (
    *("first_name", "last_name", "full_name", "name", "phone", "phone_1", "phone_2", "mobile"),
    *("email", "address", "address_1", "street", "dob", "ssn", "ip_address"),
)


def read(incoming: IncomingDelivery) -> Envelope:
    """One ping, or one post. Never raises: what cannot be used comes back as an outcome."""
    address, _, step = incoming.path.split("?")[0].rstrip("/").rpartition("/")
    notes = ReadingNotes()
    tree = open_post(replace(incoming, path=address), notes, json_rejection, usual=PROOF)
    if isinstance(tree, Envelope):
        return tree
    ping_id = vendor_identifier(find_value(tree, "ping_id")[1])
    if step not in ("ping", "post"):
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, "no_such_step", json_rejection(404, "not_found")
        )
    if ping_id is None:
        answer = json_rejection(400, "ping_id_missing")
        return rejected_envelope(Outcome.REJECTED_MALFORMED, "ping_id_missing", answer)
    act = _answer_ping if step == "ping" else _answer_post
    return act(ping_id, tree, incoming, notes)


def _answer_ping(
    ping_id: str, tree: Tree, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    """A bid, or why there is none; the same one while it holds."""
    if any(as_text(find_value(tree, name)[1]).strip() for name in PERSONAL_FIELDS):
        notes.warn("pii_in_ping_discarded")
    market = incoming.market
    before = market.find_bid(ping_id) if market else None
    if before and before.is_open(incoming.received_at):
        offer = before
    else:
        ask = _build_ask(tree)
        rules = parse_bid_rules(incoming.endpoint.setup.get("bids"))
        bid = decide_bid(
            ask, rules, market.load_limit_facts(ask, rules) if market else UNKNOWN_STANDING
        )
        until = incoming.received_at + timedelta(seconds=rules.seconds)
        offer = AnsweredBid(
            ping_id=ping_id, ask=ask, bid=bid, seconds=rules.seconds, expires_at=until
        )
    return Envelope(
        http=_bid_answer(ping_id, offer),
        outcome=Outcome.BID if offer.bid.cents else Outcome.NO_BID,
        reason=offer.bid.why or None,
        idempotency_key=f"pingpost:ping:{ping_id}",
        warnings=tuple(sorted(notes.warnings)),
        offer=offer,
    )


def _bid_answer(ping_id: str, offer: AnsweredBid) -> Answer:
    if not offer.bid.cents:
        why = vendor_reason_for(offer.bid.why)
        return json_answer(200, outcome="failure", ping_id=ping_id, bid=0, reason=why)
    bid = offer.bid.cents / 100
    return json_answer(200, outcome="success", ping_id=ping_id, bid=bid, expires_in=offer.seconds)


def _build_ask(tree: Tree) -> Ping:
    """It is a ping without whatever is about a person."""
    doubts = ReadingNotes()
    told = {name: short_text(find_value(tree, name)[1]) for name in PING_FIELDS}
    purpose = match_choice(told["loan_purpose"], PURPOSES, "loan.purpose", "loan_purpose", doubts)
    return Ping(
        told={name: said for name, said in told.items() if said},
        state=usps_state(told["state"], "state", doubts) or "",
        purpose=purpose or "",
        phone_hash=_parse_hash(find_value(tree, "phone_sha256")[1]),
        email_hash=_parse_hash(find_value(tree, "email_sha256")[1]),
    )


def _parse_hash(value: Any) -> str:
    found = as_text(value).strip().lower()
    return found if re.fullmatch(r"[0-9a-f]{64}", found) else ""


def _answer_post(
    ping_id: str, tree: Tree, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    """The lead itself, for the price that was bid; anything else than was offered is not bought."""
    offer = incoming.market.find_bid(ping_id) if incoming.market else None
    lines = parse_map_lines(incoming.endpoint.setup.get("map")) or LINES
    whole = {**offer.ask.told, **tree} if offer else tree
    found = read_by(whole, lines, notes)
    vendor = PostFormat(
        source=Source.PING_POST,
        channel=CHANNEL,
        lines=lines,
        usual=PROOF,
        success=lambda tree, incoming: _sold_answer(ping_id, offer),
        counts_bare_yes=True,
        settle=lambda lead, tree, notes: _set_bid_cost(lead, offer),
    )
    sale = replace(
        build_post_envelope(whole, found, incoming, notes, vendor),
        idempotency_key=post_key(ping_id),
    )
    if incoming.is_verified:
        return sale  # it was bought when it came
    problem = _find_sale_problem(tree, sale, offer, incoming)
    if problem is None:
        return sale
    code, said = problem
    differs = _find_differences(tree, sale, offer) if offer and code == "ping_mismatch" else ()
    answer = json_answer(200, outcome="failure", ping_id=ping_id, reason=said)
    return replace(
        ignored_envelope(code, answer),
        idempotency_key=sale.idempotency_key,
        warnings=tuple(sorted(f"mismatch:{name}" for name in differs)),
    )


def _find_sale_problem(
    tree: Tree, sale: Envelope, offer: AnsweredBid | None, incoming: IncomingDelivery
) -> tuple[str, str] | None:
    """Why we do not buy: a machine's reason, and what the seller is told."""
    if offer is None:
        return "ping_unknown", "no such ping"
    if offer.is_taken:
        return None  # sent again, and answered as the first time
    if not offer.bid.cents:
        return "ping_not_bid", "we did not bid"
    if not offer.is_open(incoming.received_at):
        return "ping_expired", "bid expired"
    if _find_differences(tree, sale, offer):
        return "ping_mismatch", "post does not match ping"
    return None


def _find_differences(tree: Tree, sale: Envelope, offer: AnsweredBid) -> tuple[str, ...]:
    """What the post says otherwise than the ping; what it leaves out stands as offered."""
    told = offer.ask.told
    names = [one for one in told if not _is_same_value(find_value(tree, one)[1], told[one])]
    lead = sale.leads[0]
    phone = next((phone.e164 for phone in lead.phones if phone.e164), None)
    email = next((email.address for email in lead.emails if email.address), None)
    numbers, addresses = contact_hashes(phone, email)
    if offer.ask.phone_hash and phone and offer.ask.phone_hash not in numbers:
        names.append("phone")
    if offer.ask.email_hash and email and offer.ask.email_hash not in addresses:
        names.append("email")
    if not _is_same_value(find_value(tree, "price")[1], f"{Decimal(offer.bid.cents) / 100}"):
        names.append("price")
    return tuple(names)


def _is_same_value(said: Any, offered: str) -> bool:
    """Whether two texts, or two numbers, are the same; nothing said contradicts nothing."""
    written = short_text(said)
    if written is None or written.casefold() == offered.casefold():
        return True
    try:
        return Decimal(written) == Decimal(offered)
    except InvalidOperation:
        return False


def _sold_answer(ping_id: str, offer: AnsweredBid | None) -> Answer:
    price = offer.bid.cents / 100 if offer else 0
    return json_answer(
        200, outcome="success", ping_id=ping_id, lead_id=LEAD_ID_PLACEHOLDER, price=price
    )


def _set_bid_cost(lead: CanonicalLead, offer: AnsweredBid | None) -> CanonicalLead:
    """A lead costs what we bid, whatever its post says."""
    cost = Cost(amount_cents=offer.bid.cents, basis=CostBasis.BID) if offer else None
    return replace(lead, cost=cost)
