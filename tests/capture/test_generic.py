"""Posts read by a field map: conversions, proof, answers, and hostile senders."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.capture.parsing.envelope import Endpoint, IncomingDelivery
from rooftree.capture.parsing.field_map import BadMap, MapLine, check_map, parse_map_lines
from rooftree.capture.parsing.target_fields import TARGET_FIELDS
from rooftree.capture.parsing.value_formats import CONVERSIONS
from rooftree.capture.sources import csv_import, generic
from tests.capture.test_hostile import JUNK, VALIDATOR

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
SECRET = "s3cret"
BODY = b'{"name":"Lena Brooks","email":"lena@example.com","v":"x"}'
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PLACES = st.sampled_from(["a", "a.b", "a[0]", "b", "b[1].c", "x.@y", "#text", ""]) | st.text(
    max_size=12
)
LINES = st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from(sorted(TARGET_FIELDS)), "path": PLACES},
        optional={
            "constant": st.text(max_size=12),
            "convert": st.sampled_from(sorted({w for ways in CONVERSIONS.values() for w in ways})),
            "words": st.dictionaries(st.text(max_size=4), st.text(max_size=6), max_size=3),
            "is_required": st.booleans(),
        },
    ),
    max_size=12,
)


def post(body=BODY, *, setup=None, headers=None, path="/in/generic/tok", **more):
    incoming = IncomingDelivery(
        path=path,
        body=body,
        headers={"Content-Type": "application/json", **(headers or {})},
        received_at=NOON,
        endpoint=Endpoint(token="tok", secret=SECRET, setup=setup or {}),
        **more,
    )
    envelope = generic.read(incoming).to_json()
    VALIDATOR.validate(envelope)
    return envelope


def lead_of(value, line):
    body = {"n": "Ana Diaz", "e": "ana@example.com", "v": value}
    lines = [{"field": "name", "path": "n"}, {"field": "email", "path": "e"}, {"path": "v"} | line]
    return post(json.dumps(body).encode(), setup={"map": lines})["leads"][0]


@pytest.mark.parametrize(
    ("field", "convert", "value", "where", "expected"),
    [
        ("loan_amount", "cents", "35000000", ("loan", "amount_cents"), 35_000_000),
        ("loan_amount", "thousands", 350, ("loan", "amount_cents"), 35_000_000),
        ("annual_income", "monthly", "$8,000", ("income", "annual_cents"), 9_600_000),
        ("current_rate", "fraction", 0.06875, ("loan", "current_rate_pct"), 6.875),
        ("term_years", "months", 360, ("loan", "term_months"), 360),
        ("submitted_at", "day_first", "03/04/2026", ("submitted_at",), "2026-04-03T00:00:00Z"),
        ("submitted_at", "month_first", "03/04/26", ("submitted_at",), "2026-03-04T00:00:00Z"),
        ("submitted_at", "unix", "1795453500", ("submitted_at",), "2026-11-23T17:05:00Z"),
        ("submitted_at", "unix_ms", 1795453500000, ("submitted_at",), "2026-11-23T17:05:00Z"),
        ("submitted_at", "excel", "46349", ("submitted_at",), "2026-11-23T00:00:00Z"),
        ("property_state", "", "new york", ("property", "state"), "NY"),
        ("mobile", "", "(212) 555-0142", ("phones", 0, "e164"), "+12125550142"),
        ("found_home", "", "si", ("found_home",), True),
        ("do_not_call", "not", "no", ("suppression", "do_not_call"), True),
    ],
)
def test_value_is_read_as_map_line_says(field, convert, value, where, expected):
    value_read = lead_of(value, {"field": field, "convert": convert})
    for part in where:
        value_read = value_read[part]

    assert value_read == expected


def test_unconvertible_value_is_kept_with_warning():
    lead = lead_of("soon", {"field": "submitted_at", "convert": "unix"})

    assert "submitted_at" not in lead
    assert lead["extras"]["submitted_at"] == "soon"


def test_word_list_matches_any_spelling():
    line = {"field": "loan_purpose", "words": {"P": "purchase", "re-fi": "refinance"}}

    assert lead_of("p", line)["loan"]["purpose"] == "purchase"
    assert lead_of("REFI", line)["loan"]["purpose"] == "refinance"


def test_first_map_line_with_value_fills_field():
    body = b'{"n":"Ana Diaz","a":"","b":"2125550142"}'
    lines = [{"field": "name", "path": "n"}, *({"field": "phone", "path": name} for name in "ab")]

    assert post(body, setup={"map": lines})["leads"][0]["phones"][0]["e164"] == "+12125550142"


HMAC = hmac.new(SECRET.encode(), BODY, hashlib.sha256).digest()
BASIC = base64.b64encode(f"vendor:{SECRET}".encode()).decode()


@pytest.mark.parametrize(
    ("setup", "headers", "is_in"),
    [
        ({}, {}, True),
        ({"proof": "header"}, {"X-Api-Key": SECRET}, True),
        ({"proof": "header"}, {"x-api-key": "wrong"}, False),
        ({"proof": "header"}, {}, False),
        ({"proof": "basic"}, {"Authorization": f"Basic {BASIC}"}, True),
        ({"proof": "basic", "user": "other"}, {"Authorization": f"Basic {BASIC}"}, False),
        ({"proof": "basic"}, {"Authorization": "Basic ???"}, False),
        ({"proof": "hmac"}, {"X-Signature": HMAC.hex().upper()}, True),
        ({"proof": "hmac"}, {"X-Signature": base64.b64encode(HMAC).decode()}, True),
        ({"proof": "hmac"}, {"X-Signature": ""}, False),
        ({"proof": "hmac", "header": "X-Own"}, {"X-Own": HMAC.hex()}, True),
        ({"networks": ["203.0.113.0/24"]}, {}, False),
        ({"networks": ["nonsense"]}, {}, False),
        ({"proof": "unheard of"}, {}, False),
    ],
)
def test_sender_must_give_required_proof(setup, headers, is_in):
    assert (post(setup=setup, headers=headers)["outcome"] == "accepted") is is_in


def test_signature_of_empty_body_proves_nothing():
    empty = hmac.new(SECRET.encode(), b"", hashlib.sha256).hexdigest()
    envelope = post(b"", setup={"proof": "hmac"}, headers={"X-Signature": empty}, query={"n": "A"})

    assert envelope["outcome"] == "rejected_auth"


def test_custom_answer_contains_our_id_and_no_sender_text():
    answer_setup = {"answer": "xml", "success": "<ok id='{id}'/>", "status": 201}

    assert post(setup=answer_setup)["http"] == {
        "status": 201,
        "content_type": "text/xml; charset=utf-8",
        "body": "<ok id='<our lead id>'/>",
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "The map has no name"),
        ([MapLine(field="name", path="n")], "no contact information"),
        ([MapLine(field="nose", path="n")], "is not one of our fields"),
        ([MapLine(field="name", path="n", constant="x")], "either a path or a fixed value"),
        ([MapLine(field="name", path="n[")], "is not a valid path"),
        ([MapLine(field="consent_checked", constant="yes")], "must come from the delivery"),
        ([MapLine(field="consent_checked", path="c")], "needs its wording"),
        ([MapLine(field="name", path="n", convert="cents")], "this conversion doesn't apply"),
    ],
)
def test_unusable_map_is_rejected_in_words(lines, message):
    with pytest.raises(BadMap, match=message):
        check_map(lines)


FIVE = ("name", "email", "annual_income", "property_address", "purchase_price", "loan_amount")


@pytest.mark.parametrize("path", ["ssn", "applicant.social_security_number", "Borrower.TaxId"])
def test_map_with_all_six_application_items_is_rejected(path):
    five = [MapLine(field=item, path=item) for item in FIVE]
    check_map(five)
    check_map(
        [
            *(item for item in five if item.field != "annual_income"),
            MapLine(field="message", path=path),
        ]
    )

    with pytest.raises(BadMap, match="must stop at five"):
        check_map([*five, MapLine(field="message", path=path)])


@FUZZ
@given(stored=JUNK | LINES)
def test_any_stored_map_reads_any_delivery_without_error(stored):
    post(setup={"map": stored})


@FUZZ
@given(lines=LINES, payload=st.dictionaries(st.sampled_from("ab"), JUNK))
def test_any_map_on_any_object_gives_an_outcome(lines, payload):
    envelope = post(json.dumps(payload).encode(), setup={"map": lines})

    assert envelope["http"]["status"] in (200, 400)


@FUZZ
@given(setup=st.dictionaries(
    st.sampled_from(["proof", "header", "user", "networks", "answer", "status", "success",
                     "failure", "channel", "map"]), JUNK))  # fmt: skip
def test_any_setup_gives_an_outcome(setup):
    post(setup=setup)


@FUZZ
@given(body=st.binary(max_size=300), kind=st.sampled_from(["text/xml", "", "text/plain", "a/b"]))
def test_any_bytes_of_any_kind_give_an_outcome(body, kind):
    post(body, headers={"Content-Type": kind})


@FUZZ
@given(query=st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=5))
def test_any_query_gives_an_outcome(query):
    post(b"", query=query, method="GET")


@FUZZ
@given(body=st.binary(max_size=400) | st.text(max_size=200).map(lambda t: t.encode()))
def test_any_file_gives_an_outcome(body):
    incoming = IncomingDelivery(method="UPLOAD", body=body, received_at=NOON)

    envelope = csv_import.read(incoming).to_json()

    jsonschema.validate(envelope, VALIDATOR.schema)
    assert envelope["http"]["status"] == 0


@FUZZ
@given(row=JUNK, number=JUNK)
def test_any_stored_row_gives_an_outcome(row, number):
    body = json.dumps({"import": number, "row": row, "position": 1}).encode()
    headers = {"Content-Type": "application/json"}
    incoming = IncomingDelivery(method="UPLOAD", body=body, headers=headers, received_at=NOON)

    VALIDATOR.validate(csv_import.read(incoming).to_json())


def test_invalid_map_lines_are_ignored():
    assert parse_map_lines([1, None, {"field": "name", "path": "n"}, "x"]) == (
        MapLine(field="name", path="n"),
    )
    assert parse_map_lines("nonsense") == ()
