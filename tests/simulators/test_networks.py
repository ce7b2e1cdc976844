"""Networks as the documents show them: their keys, their words, and nobody's real number."""

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
    ("maker", "exchange", "also"),
    [
        (networks.leadpoint_delivery, "leadpoint.form", {"FHA_BANK_FORECLOSUREl"}),
        (
            networks.numeric_delivery,
            "aggregator_numeric.form",
            {"down_payment", "buy_timeframe", "agent_found"},  # in the table of its purchases
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
def test_a_form_has_only_keys_that_its_network_documents(maker, exchange, also) -> None:
    known = set(form(sample(exchange).strip())) | also
    rng = random.Random(3)
    for person in people(60):
        made = maker(person, rng, at=NOON)
        assert set(form(made.body)) <= known
        assert made.headers["Content-Type"] == networks.FORM_CONTENT_TYPE


def test_freerateupdates_form_and_xml_have_the_elements_of_its_feed() -> None:
    known = {part.tag for part in ElementTree.fromstring(sample("freerateupdate.xml"))}
    rng = random.Random(3)
    for person in people(40):
        root = ElementTree.fromstring(
            networks.freerateupdate_xml_delivery(person, rng, at=NOON).body
        )
        assert root.tag == "lead"
        assert {part.tag for part in root} <= known
        assert set(form(networks.freerateupdate_delivery(person, rng, at=NOON).body)) <= known
        assert root.findtext("FirstName") == person.first_name


def test_the_nested_leadconduit_is_the_form_unfolded() -> None:
    one = random_borrower(random.Random(5))
    flat = form(networks.leadconduit_delivery(one, random.Random(1), at=NOON).body)
    nested = json.loads(networks.leadconduit_json_delivery(one, random.Random(1), at=NOON).body)

    assert {path.lstrip(".") for path in keys_of(nested)} == set(flat)
    assert nested["mortgage"]["property"]["state"] == one.state


def test_numeric_posts_carry_the_first_200_characters_of_the_wording() -> None:
    rng = random.Random(3)
    fields = form(networks.numeric_delivery(random_borrower(rng), rng, at=NOON).body)

    assert fields["tcpa_text"] == networks.CONSENT_WORDING[:200]
    assert fields["datetime_stamp"] == "2026-11-23 12:00:00"  # Eastern, and it does not say so


def test_a_bankrate_lead_has_only_keys_a_receiver_documents() -> None:
    known = keys_of(json.loads(sample("bankrate.json"))) | {".property_state"}
    rng = random.Random(3)
    for person in people(40):
        assert keys_of(json.loads(networks.bankrate_delivery(person, rng, at=NOON).body)) <= known


def test_a_ping_has_the_documented_keys_and_nobody_in_it() -> None:
    known = keys_of(json.loads(sample("ping.json")))
    rng = random.Random(3)
    for person in people(60):
        offer = ping_post.ping_body(person, rng)
        assert keys_of(offer) <= known
        said = json.dumps(offer, ensure_ascii=False)
        assert (
            person.phone not in said and person.email not in said and person.last_name not in said
        )
        assert offer["phone_sha256"] == hashlib.sha256(f"+1{person.phone}".encode()).hexdigest()


def test_the_transcribed_ping_hashes_as_ours_do() -> None:
    content = json.loads(sample("post.json"))
    digits = content["phone"].replace("-", "")

    assert content["phone_sha256"] == hashlib.sha256(f"+1{digits}".encode()).hexdigest()
    assert content["email_sha256"] == hashlib.sha256(content["email"].encode()).hexdigest()


def test_a_post_repeats_its_ping_and_has_the_documented_keys() -> None:
    known = keys_of(json.loads(sample("post.json")))
    rng = random.Random(3)
    one = random_borrower(rng)
    offer = ping_post.ping_body(one, rng)
    sold = ping_post.post_body(offer, one, price=46.0, at=NOON)

    assert sold.items() >= offer.items()
    assert keys_of(sold) <= known
    assert sold["tcpa"]["timestamp"] == "2026-11-23T17:00:00Z"


@pytest.mark.parametrize(
    ("answer", "steps"),
    [
        ('{"outcome":"success","bid":46.0}', ["ping", "post"]),
        ('{"outcome":"failure","bid":0}', ["ping"]),
        ("not json", ["ping"]),
    ],
)
def test_a_seller_posts_only_to_who_bid(receiver: Receiver, answer: str, steps: list[str]) -> None:
    receiver.answers["/in/pingpost/t/ping"] = answer
    seller = ping_post.LeadSeller(to=f"{receiver.url}/in/pingpost/t", secret="k")
    rng = random.Random(3)

    came = seller.run_auction(random_borrower(rng), rng, at=NOON)

    assert [got.path.rpartition("/")[2] for got in receiver.got] == steps
    assert all(got.headers["X-Api-Key"] == "k" for got in receiver.got)
    assert (came.posted is not None) is (len(steps) == 2)
