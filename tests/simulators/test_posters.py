"""Leads in the vendors' formats: documented keys, and no real phone numbers."""

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import phonenumbers
import pytest

from rooftree_simulators.posters import lendingtree, website_form, zillow
from rooftree_simulators.posters.__main__ import main
from rooftree_simulators.posters.lead_delivery import BadDay, post_delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower, random_borrower
from tests.simulators.conftest import EXCHANGES, NOON
from tests.simulators.receiver import Receiver


def people(count: int = 400, seed: int = 1) -> list[Borrower]:
    rng = random.Random(seed)
    return [random_borrower(rng) for _ in range(count)]


def sample(name: str) -> str:
    return (EXCHANGES / name).read_text()


def test_same_seed_gives_same_borrowers() -> None:
    assert people(seed=5) == people(seed=5)
    assert people(seed=5) != people(seed=6)


def test_phone_numbers_are_valid_and_reserved_for_fiction() -> None:
    for person in people():
        assert re.fullmatch(r"\d{3}55501\d\d", person.phone)
        assert phonenumbers.is_valid_number(phonenumbers.parse(person.phone, "US")), person.phone
        assert re.fullmatch(r"[a-z0-9.]+@example\.(com|org|net)", person.email), person.email


def test_borrowers_differ_in_name_state_language_and_purpose() -> None:
    borrowers = people()
    assert len({borrower.phone for borrower in borrowers}) > 300
    assert len({borrower.state for borrower in borrowers}) >= 15
    assert {borrower.language for borrower in borrowers} == {"en", "es", "vi"}
    assert {borrower.purpose for borrower in borrowers} == {"purchase", "refinance", "cash_out"}
    assert any(not borrower.first_name.isascii() for borrower in borrowers)
    assert any(ord(letter) > 0xFFFF for borrower in borrowers for letter in borrower.first_name)


def test_loan_amounts_are_consistent() -> None:
    for person in people():
        assert 0 < person.loan <= person.price
        if person.purpose == "purchase":
            assert person.down_payment + person.loan == person.price
        else:
            assert person.balance + person.cash_out == person.loan


def keys_of(content: Any, at: str = "") -> set[str]:
    """Return all paths of a JSON object, without list items."""
    if not isinstance(content, dict):
        return {at}
    return {path for name, value in content.items() for path in keys_of(value, f"{at}.{name}")}


def test_zillow_contact_has_only_documented_keys() -> None:
    known_keys = keys_of(json.loads(sample("zillow_purchase.json")))
    known_keys |= keys_of(json.loads(sample("zillow_quote_refinance.json")))
    known_keys |= {".details.cashOut"}
    rng = random.Random(3)
    for person in people(200):
        content = zillow.contact_object(person, rng, at=NOON)
        assert keys_of(content) <= known_keys
        assert content["id"].startswith("LC-")
        assert content["created"] == "2026-11-23T09:00:00-08:00"


def test_lendingtree_xml_has_documented_elements_in_order() -> None:
    documented = ElementTree.fromstring(sample("lendingtree_flat.xml"))
    order = [element.tag for element in documented[0]]
    rng = random.Random(3)
    for person in people(100):
        delivery = lendingtree.xml_delivery(person, rng, at=NOON)
        root = ElementTree.fromstring(delivery.body)
        assert (root.tag, root[0].tag) == ("LeadInformation", "LeadApplication")
        assert [element.tag for element in root[0]] == order
        assert root.findtext("LeadApplication/TrackingNumber") == delivery.vendor_id
        assert root.findtext("LeadApplication/FirstName") == person.first_name
        assert root.findtext("LeadApplication/ApplicationDate") == "11/23/2026"
        assert root.findtext("LeadApplication/SSN") == ""


def test_lendingtree_json_has_product_of_its_vertical() -> None:
    rng = random.Random(3)
    for person in people(50):
        lead = json.loads(lendingtree.json_delivery(person, rng, at=NOON).body)["lead"]
        buying = person.purpose == "purchase"
        assert ("mortgagePurchase" in lead) is buying
        assert ("mortgageRefinance" in lead) is not buying
        assert lead["consumer"]["contact"]["primaryPhone"] == person.phone
        product = lead["mortgagePurchase" if buying else "mortgageRefinance"]
        assert product["property"]["state"] == person.state


def test_website_form_has_only_documented_keys() -> None:
    documented = json.loads(sample("website_form.json"))
    known_keys = keys_of(documented)
    rng = random.Random(3)
    ticked = 0
    for person in people(200):
        content = website_form.form_submission(person, rng, at=NOON)
        assert keys_of(content) <= known_keys
        assert content["submitted_at"] == "2026-11-23T17:00:00Z"
        assert content["rendered_at"] < content["submitted_at"]
        assert content["hp_company"] == ""
        ticked += content["consent"]["checked"]
    assert 100 < ticked < 200
    assert (
        website_form.form_submission(person, rng, at=NOON, consents=False)["consent"]["checked"]
        is False
    )


def test_signed_form_has_hmac_of_its_body() -> None:
    rng = random.Random(3)
    delivery = website_form.browser_delivery(random_borrower(rng), rng, at=NOON)
    signed = website_form.signed_delivery(delivery, "s3cret", at=NOON)
    key = b"s3cret".ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + delivery.body).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    assert signed.headers["X-Rooftree-Signature"] == f"sha256={outer}"
    assert signed.headers["X-Rooftree-Timestamp"] == str(int(NOON.timestamp()))
    assert "Origin" not in signed.headers


@pytest.mark.parametrize(
    ("bad_day", "arrivals"),
    [(None, 1), (BadDay.DUPLICATE, 2), (BadDay.SLOW, 1), (BadDay.WRONG_TOKEN, 0)],
)
def test_bad_day_changes_how_delivery_arrives(
    receiver: Receiver, bad_day: BadDay | None, arrivals: int
) -> None:
    rng = random.Random(3)
    delivery = zillow.contact_delivery(random_borrower(rng), rng, at=NOON)
    sent = post_delivery(delivery, f"{receiver.url}/in/zillow/the-token", bad_day=bad_day)
    arrived = receiver.at("/in/zillow/the-token")
    assert [request.body for request in arrived] == [delivery.body] * arrivals
    assert [row.answer.status for row in sent] == [200] * max(1, arrivals)
    assert len(receiver.requests) == max(1, arrivals)


@pytest.mark.parametrize("bad_day", [BadDay.MALFORMED, BadDay.HTML])
def test_malformed_delivery_is_not_json(receiver: Receiver, bad_day: BadDay) -> None:
    rng = random.Random(3)
    delivery = zillow.contact_delivery(random_borrower(rng), rng, at=NOON)
    post_delivery(delivery, f"{receiver.url}/in/zillow/t", bad_day=bad_day)
    with pytest.raises(ValueError):
        json.loads(receiver.requests[0].body)


def test_command_sends_leads_and_prints_answers(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["website_form", "--to", f"{receiver.url}/in/form/site", "--count", "3", "--seed", "4"]
    assert main([*words, "--secret", "k", "--bad-day", "duplicate"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == [200] * 6
    assert len({request.body for request in receiver.requests}) == 3
    assert all("X-Rooftree-Signature" in request.headers for request in receiver.requests)


def test_command_fails_without_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zillow", "--to", "http://127.0.0.1:9/in/zillow/t"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == 0


def test_simulators_import_no_product_code() -> None:
    root = Path(__file__).parents[2] / "rooftree_simulators"
    importing = re.compile(r"^\s*(from|import) rooftree(?!_simulators)", re.MULTILINE)
    files = list(root.rglob("*.py"))
    assert len(files) > 20
    assert [path.name for path in files if importing.search(path.read_text())] == []
