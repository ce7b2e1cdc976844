"""Requests to the LOSes other than Encompass, compared with samples."""

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.los.handoff_record import MalformedHandoff
from rooftree.los.los_payload import build_payload
from tests.los import make

ALL = ["encompass", "lendingpad", "lqb", "byte", "calyx", "mismo"]


def canonicalize(text: str) -> str:
    return ElementTree.canonicalize(text, strip_text=True)


def drop_nulls(tree):
    if isinstance(tree, dict):
        kept = {name: drop_nulls(value) for name, value in tree.items()}
        return {name: value for name, value in kept.items() if value is not None}
    return [drop_nulls(value) for value in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize(
    ("los", "file"),
    [("lendingpad", "lendingpad_import_loan.json"), ("byte", "byte_newfile.json")],
)
def test_json_request_matches_the_sample(los, file):
    payload = build_payload(make.handoff(los), los)

    assert payload.body == drop_nulls(make.sample(file))
    assert payload.needs == ()


@pytest.mark.parametrize(
    ("los", "name", "file"),
    [
        ("mismo", "purchase", "preapp_purchase_mismo34.xml"),
        ("mismo", "refi_cashout", "preapp_refi_cashout_mismo34.xml"),
        ("calyx", "purchase", "preapp_purchase_mismo34.xml"),
        ("lqb", "purchase", "lqb_create_lead.xml"),
    ],
)
def test_xml_request_matches_the_sample(los, name, file):
    payload = build_payload(make.handoff(los, name), los)

    expected = (make.SAMPLES / file).read_text(encoding="utf-8")
    assert canonicalize(payload.body) == canonicalize(expected)


def test_lendingpad_lists_every_missing_required_field():
    payload = build_payload(
        make.handoff(
            "lendingpad",
            canonical__property={"state": "TX"},
            canonical__loan={},
            connection__campaign_id=None,
        ),
        "lendingpad",
    )

    assert {need.field for need in payload.missing} == {
        "appraisalValue",
        "loanAmount",
        "units",
        "purpose",
        "loanType",
        "propertyType",
        "occupancy",
        "branch or campaign",
    }


def test_lendingpad_heloc_takes_the_officers_purpose():
    payload = build_payload(
        make.handoff(
            "lendingpad",
            canonical__loan__purpose="heloc",
            canonical__loan__type=None,
            answers__los_purpose="refinance_cash_out",
        ),
        "lendingpad",
    )

    assert (payload.body["loanType"], payload.body["purpose"]) == (7, 2)
    assert payload.missing == ()


def test_byte_uses_the_branch_code_when_the_connection_has_none():
    payload = build_payload(
        make.handoff("byte", connection__organization_code=None, branch__los_code="AUS"), "byte"
    )

    assert payload.body["OrganizationCode"] == "AUS"


def test_meridianlink_carries_the_mismo_file_when_configured():
    payload = build_payload(make.handoff("lqb", connection__mismo_in_create=True), "lqb")

    inner = ElementTree.fromstring(payload.body).find(".//{*}optionsXml").text
    fields = {row.get("id"): row.text for row in ElementTree.fromstring(inner).iter("field")}
    expected = (make.SAMPLES / "preapp_purchase_mismo34.xml").read_text(encoding="utf-8")
    assert fields["Format"] == "12"
    assert canonicalize(fields["ImportFileContent"]) == canonicalize(expected)


def test_mismo_counts_and_numbers_two_borrowers():
    payload = build_payload(
        make.handoff(
            "mismo",
            canonical__co_borrower={"first_name": "Luis", "last_name": "Sample"},
            answers__joint_intent=True,
        ),
        "mismo",
    )

    root = ElementTree.fromstring(payload.body)
    assert root.find(".//{*}BorrowerCount").text == "2"
    kinds = [node.text for node in root.findall(".//{*}BorrowerClassificationType")]
    assert kinds == ["Primary", "Secondary"]
    assert [party.get("SequenceNumber") for party in root.findall(".//{*}PARTY")] == list("1234")


@pytest.mark.parametrize("los", ALL)
def test_social_security_number_is_in_no_request(los):
    payload = build_payload(make.handoff(los, canonical__extras={"ssn": "900-12-3456"}), los)

    assert "900-12-3456" not in str(payload.body)


@pytest.mark.parametrize("los", ALL)
def test_same_handoff_gives_the_same_request(los):
    first, second = (build_payload(make.handoff(los), los).body for _ in range(2))

    assert json.dumps(first) == json.dumps(second)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PLACES = ["borrower", "phones", "emails", "property", "loan", "co_borrower", "military"]


@given(st.sampled_from(ALL), st.sampled_from(PLACES), anything, st.text(max_size=5))
def test_any_source_value_becomes_a_request_or_a_refusal(los, place, value, name):
    handoff = make.handoff(
        los,
        **{f"canonical__{place}": value},
        canonical__mailing_address={"line1": name, "line2": value},
        answers__joint_intent=True,
    )

    try:
        payload = build_payload(handoff, los)
    except MalformedHandoff:
        return
    if isinstance(payload.body, str):
        ElementTree.fromstring(payload.body)
