"""Ping and post: a seller offers a lead without its person, we bid, it sends the person.

Wire format: docs/sources/ping-post.md. The bid is decided in `capture.bidding`; what it
rests on, and for a post the bid that was placed, is known to `incoming.market`.
"""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.capture.acceptance import Standing, said_of
from rooftree.capture.bidding import Ask, Placed, bid_on, hashes_of, post_key, rules_of
from rooftree.capture.envelope import (
    LEAD_ID,
    Answer,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    json_answer,
    refused,
)
from rooftree.capture.field_map import lines_of, table
from rooftree.capture.field_map import read as read_by
from rooftree.capture.normalise import identifier, state, text
from rooftree.capture.notes import Notes, as_text
from rooftree.capture.paths import find
from rooftree.capture.posts import Tree, Vendor, concluded, json_refusal, opened
from rooftree.capture.proof import Proof
from rooftree.capture.words import PURPOSES, choice
from rooftree.leads.canonical import CanonicalLead, Cost
from rooftree.leads.vocabulary import Channel, CostBasis, Source

LABEL = "Ping and post"
PATHS = ["pingpost/<token>/ping", "pingpost/<token>/post"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER
NOBODY = Standing()  # where nobody told us more

LINES = table("""
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
TOLD = (
    *("vertical", "loan_purpose", "loan_type", "loan_amount", "state", "zip", "property_type"),
    *("property_use", "property_value", "purchase_price", "down_payment", "cash_out", "ltv"),
    *("current_balance", "current_rate", "credit_rating", "timeline", "military", "bankruptcy"),
    *("sub_id", "campaign_id", "exclusive", "trustedform_ping_url"),
)
PERSONAL = (
    *("first_name", "last_name", "full_name", "name", "phone", "phone_1", "phone_2", "mobile"),
    *("email", "address", "address_1", "street", "dob", "ssn", "ip_address"),
)


def read(incoming: Incoming) -> Envelope:
    """One ping, or one post. Never raises: what cannot be used comes back as an outcome."""
    address, _, step = incoming.path.split("?")[0].rstrip("/").rpartition("/")
    notes = Notes()
    tree = opened(replace(incoming, path=address), notes, json_refusal, usual=PROOF)
    if isinstance(tree, Envelope):
        return tree
    ping_id = identifier(find(tree, "ping_id")[1])
    if step not in ("ping", "post"):
        return refused(Outcome.REJECTED_MALFORMED, "no_such_step", json_refusal(404, "not_found"))
    if ping_id is None:
        answer = json_refusal(400, "ping_id_missing")
        return refused(Outcome.REJECTED_MALFORMED, "ping_id_missing", answer)
    act = _ping if step == "ping" else _post
    return act(ping_id, tree, incoming, notes)


def _ping(ping_id: str, tree: Tree, incoming: Incoming, notes: Notes) -> Envelope:
    """A bid, or why there is none; the same one while it holds."""
    if any(as_text(find(tree, name)[1]).strip() for name in PERSONAL):
        notes.warn("pii_in_ping_discarded")
    market = incoming.market
    before = market.placed(ping_id) if market else None
    if before and before.is_open(incoming.received_at):
        offer = before
    else:
        ask = _ask(tree)
        rules = rules_of(incoming.endpoint.setup.get("bids"))
        bid = bid_on(ask, rules, market.standing(ask, rules) if market else NOBODY)
        until = incoming.received_at + timedelta(seconds=rules.seconds)
        offer = Placed(ping_id=ping_id, ask=ask, bid=bid, seconds=rules.seconds, expires_at=until)
    return Envelope(
        http=_bid_answer(ping_id, offer),
        outcome=Outcome.BID if offer.bid.cents else Outcome.NO_BID,
        reason=offer.bid.why or None,
        idempotency_key=f"pingpost:ping:{ping_id}",
        warnings=tuple(sorted(notes.warnings)),
        offer=offer,
    )


def _bid_answer(ping_id: str, offer: Placed) -> Answer:
    if not offer.bid.cents:
        why = said_of(offer.bid.why)
        return json_answer(200, outcome="failure", ping_id=ping_id, bid=0, reason=why)
    bid = offer.bid.cents / 100
    return json_answer(200, outcome="success", ping_id=ping_id, bid=bid, expires_in=offer.seconds)


def _ask(tree: Tree) -> Ask:
    """It is a ping without whatever is about a person."""
    doubts = Notes()
    told = {name: text(find(tree, name)[1]) for name in TOLD}
    purpose = choice(told["loan_purpose"], PURPOSES, "loan.purpose", "loan_purpose", doubts)
    return Ask(
        told={name: said for name, said in told.items() if said},
        state=state(told["state"], "state", doubts) or "",
        purpose=purpose or "",
        phone_hash=_hash(find(tree, "phone_sha256")[1]),
        email_hash=_hash(find(tree, "email_sha256")[1]),
    )


def _hash(value: Any) -> str:
    found = as_text(value).strip().lower()
    return found if re.fullmatch(r"[0-9a-f]{64}", found) else ""


def _post(ping_id: str, tree: Tree, incoming: Incoming, notes: Notes) -> Envelope:
    """The lead itself, for the price that was bid; anything else than was offered is not bought."""
    offer = incoming.market.placed(ping_id) if incoming.market else None
    lines = lines_of(incoming.endpoint.setup.get("map")) or LINES
    whole = {**offer.ask.told, **tree} if offer else tree
    found = read_by(whole, lines, notes)
    vendor = Vendor(
        source=Source.PING_POST,
        channel=CHANNEL,
        lines=lines,
        usual=PROOF,
        success=lambda tree, incoming: _sold(ping_id, offer),
        counts_bare_yes=True,
        settle=lambda lead, tree, notes: _priced(lead, offer),
    )
    sale = replace(
        concluded(whole, found, incoming, notes, vendor),
        idempotency_key=post_key(ping_id),
    )
    if incoming.is_verified:
        return sale  # it was bought when it came
    problem = _problem(tree, sale, offer, incoming)
    if problem is None:
        return sale
    code, said = problem
    differs = _differences(tree, sale, offer) if offer and code == "ping_mismatch" else ()
    answer = json_answer(200, outcome="failure", ping_id=ping_id, reason=said)
    return replace(
        ignored(code, answer),
        idempotency_key=sale.idempotency_key,
        warnings=tuple(sorted(f"mismatch:{name}" for name in differs)),
    )


def _problem(
    tree: Tree, sale: Envelope, offer: Placed | None, incoming: Incoming
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
    if _differences(tree, sale, offer):
        return "ping_mismatch", "post does not match ping"
    return None


def _differences(tree: Tree, sale: Envelope, offer: Placed) -> tuple[str, ...]:
    """What the post says otherwise than the ping; what it leaves out stands as offered."""
    told = offer.ask.told
    names = [one for one in told if not _same(find(tree, one)[1], told[one])]
    lead = sale.leads[0]
    phone = next((one.e164 for one in lead.phones if one.e164), None)
    email = next((one.address for one in lead.emails if one.address), None)
    numbers, addresses = hashes_of(phone, email)
    if offer.ask.phone_hash and phone and offer.ask.phone_hash not in numbers:
        names.append("phone")
    if offer.ask.email_hash and email and offer.ask.email_hash not in addresses:
        names.append("email")
    if not _same(find(tree, "price")[1], f"{Decimal(offer.bid.cents) / 100}"):
        names.append("price")
    return tuple(names)


def _same(said: Any, offered: str) -> bool:
    """Whether two texts, or two numbers, are the same; nothing said contradicts nothing."""
    written = text(said)
    if written is None or written.casefold() == offered.casefold():
        return True
    try:
        return Decimal(written) == Decimal(offered)
    except InvalidOperation:
        return False


def _sold(ping_id: str, offer: Placed | None) -> Answer:
    price = offer.bid.cents / 100 if offer else 0
    return json_answer(200, outcome="success", ping_id=ping_id, lead_id=LEAD_ID, price=price)


def _priced(lead: CanonicalLead, offer: Placed | None) -> CanonicalLead:
    """A lead costs what we bid, whatever its post says."""
    cost = Cost(amount_cents=offer.bid.cents, basis=CostBasis.BID) if offer else None
    return replace(lead, cost=cost)
