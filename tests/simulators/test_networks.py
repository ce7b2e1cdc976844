"""Simulated lead networks: documented keys and values, and no real phone numbers."""

import hashlib
import json
import random
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from rooftree_simulators.posters import networks, ping_post
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from tests.simulators.conftest import NOON
from tests.simulators.receiver import Receiver
from tests.simulators.test_posters import keys_of, people, sample


def form(body: bytes | str) -> dict[str, str]:
    text = body if isinstance(body, str) else body.decode()
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


@pytest.mark.parametrize(
    ("build", "exchange", "further_keys"),
    [
        (networks.leadpoint_delivery, "leadpoint.form", {"FHA_BANK_FORECLOSUREl"}),
        (
            networks.numeric_delivery,
            "aggregator_numeric.form",
            {"down_payment", "buy_timeframe", "agent_found"},  # documented for purchases
        ),
        (networks.short_names_delivery, "aggregator_short.form", set()),
        (
            networks.leadconduit_delivery,
            "leadconduit.form",
            {
                "mortgage.refi.property_value",
                "mortgage.refi.loan_balance",
                "mortgage.refi.purpose",
                "mortgage.application.is_military",
            },
        ),
    ],
)
def test_network_form_has_only_documented_keys(build, exchange, further_keys) -> None:
    known_keys = set(form(sample(exchange).strip())) | further_keys
    rng = random.Random(3)
    for person in people(60):
        delivery = build(person, rng, at=NOON)
        assert set(form(delivery.body)) <= known_keys
        assert delivery.headers["Content-Type"] == networks.FORM_CONTENT_TYPE


def test_freerateupdate_form_and_xml_have_documented_elements() -> None:
    known_tags = {part.tag for part in ElementTree.fromstring(sample("freerateupdate.xml"))}
    rng = random.Random(3)
    for person in people(40):
        root = ElementTree.fromstring(
            networks.freerateupdate_xml_delivery(person, rng, at=NOON).body
        )
        assert root.tag == "lead"
        assert {part.tag for part in root} <= known_tags
        assert set(form(networks.freerateupdate_delivery(person, rng, at=NOON).body)) <= known_tags
        assert root.findtext("FirstName") == person.first_name


def test_leadconduit_json_has_same_fields_as_form() -> None:
    borrower = random_borrower(random.Random(5))
    flat = form(networks.leadconduit_delivery(borrower, random.Random(1), at=NOON).body)
    nested = json.loads(
        networks.leadconduit_json_delivery(borrower, random.Random(1), at=NOON).body
    )

    assert {path.lstrip(".") for path in keys_of(nested)} == set(flat)
    assert nested["mortgage"]["property"]["state"] == borrower.state


def test_numeric_post_has_first_200_characters_of_consent_wording() -> None:
    rng = random.Random(3)
    fields = form(networks.numeric_delivery(random_borrower(rng), rng, at=NOON).body)

    assert fields["tcpa_text"] == networks.CONSENT_WORDING[:200]
    assert fields["datetime_stamp"] == "2026-11-23 12:00:00"  # Eastern time, without a zone


def test_bankrate_lead_has_only_documented_keys() -> None:
    known_keys = keys_of(json.loads(sample("bankrate.json"))) | {".property_state"}
    rng = random.Random(3)
    for person in people(40):
        assert (
            keys_of(json.loads(networks.bankrate_delivery(person, rng, at=NOON).body)) <= known_keys
        )


def test_ping_has_documented_keys_and_no_contact_details() -> None:
    known_keys = keys_of(json.loads(sample("ping.json")))
    rng = random.Random(3)
    for person in people(60):
        offer = ping_post.ping_body(person, rng)
        assert keys_of(offer) <= known_keys
        text = json.dumps(offer, ensure_ascii=False)
        assert (
            person.phone not in text and person.email not in text and person.last_name not in text
        )
        assert offer["phone_sha256"] == hashlib.sha256(f"+1{person.phone}".encode()).hexdigest()


def test_hashes_match_documented_sample() -> None:
    content = json.loads(sample("post.json"))
    digits = content["phone"].replace("-", "")

    assert content["phone_sha256"] == hashlib.sha256(f"+1{digits}".encode()).hexdigest()
    assert content["email_sha256"] == hashlib.sha256(content["email"].encode()).hexdigest()


def test_post_repeats_ping_and_has_documented_keys() -> None:
    known_keys = keys_of(json.loads(sample("post.json")))
    rng = random.Random(3)
    borrower = random_borrower(rng)
    offer = ping_post.ping_body(borrower, rng)
    sold = ping_post.post_body(offer, borrower, price=46.0, at=NOON)

    assert sold.items() >= offer.items()
    assert keys_of(sold) <= known_keys
    assert sold["tcpa"]["timestamp"] == "2026-11-23T17:00:00Z"


@pytest.mark.parametrize(
    ("answer", "steps"),
    [
        ('{"outcome":"success","bid":46.0}', ["ping", "post"]),
        ('{"outcome":"failure","bid":0}', ["ping"]),
        ("not json", ["ping"]),
    ],
)
def test_seller_posts_only_after_a_bid(receiver: Receiver, answer: str, steps: list[str]) -> None:
    receiver.answers["/in/pingpost/t/ping"] = answer
    seller = ping_post.LeadSeller(to=f"{receiver.url}/in/pingpost/t", secret="k")
    rng = random.Random(3)

    result = seller.run_auction(random_borrower(rng), rng, at=NOON)

    assert [request.path.rpartition("/")[2] for request in receiver.requests] == steps
    assert all(request.headers["X-Api-Key"] == "k" for request in receiver.requests)
    assert (result.posted is not None) is (len(steps) == 2)
