"""Hostile input: every adapter returns an outcome in the schema and never raises."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rooftree.capture.parsing.envelope import MAX_BODY_BYTES, Endpoint, IncomingDelivery, Outcome
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.capture.source_setup.manage_sources import ADAPTERS_WITH_PROOF_CHOICE
from rooftree.capture.sources import SOURCES

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "rooftree/leads/canonical.schema.json").read_text()
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
DELIVERIES = Path(__file__).parent / "deliveries"
KEYS = sorted(SOURCES)
MAPPED = sorted(key for key in SOURCES if hasattr(SOURCES[key], "LINES"))

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["", "N/A", "$1,200", "5%", "1e400", "\ud800", "\0", "🦄", "2026-11-23", "XX"]
    )
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
NAMES = {
    "zillow": "id created type source price sender recipient quote details conciergeStatus",
    "zillow details": (
        "loanPurpose propertyType propertyUse propertyValue downPayment loanAmount cashOut"
        " loanToValuePercent creditScoreRange creditScoreLow annualIncome stateAbbreviation"
        " zipCode city hasAgent agent agentFirstName agentPhoneNumber closingTimelineDays"
        " veteranType message desiredPrograms currentBacker yearPurchased wantsCashOut"
    ),
    "website_form": (
        "submission_id form rendered_at submitted_at name first_name email phone loan_purpose"
        " property_state property_zip property_value down_payment credit language timeline"
        " consent utm consent_email landing_page message return_to leadid_token loan_amount"
        " annual_income cash_out credit_score military_status contact_time"
    ),
    "lendingtree": (
        "FirstName LastName EmailAddress HomePhone State Zip PropertyState PropertyZip"
        " PropertyPrice LoanAmount DownPayment AddlCashOut MonthlyIncome CreditRating LTV DTI"
        " MortgageTerm CurrentLoanRate LoanRequested ApplicationDate TimeLine MatchFee SSN"
        " TrackingNumber Bankruptcy IsMilitary PropertyType PropertyUse TimeToContact"
    ),
}


def objects(key: str, **also):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES[key].split(), JUNK) | also)


def arrive(key: str, body: bytes, *, is_verified: bool = False, **headers: str) -> dict:
    endpoint = Endpoint(token="tok", secret="secret")
    path = SOURCES[key].PATHS[-1].replace("<token>", "tok").replace("<site>", "tok")
    incoming = IncomingDelivery(
        path=f"/in/{path}",
        body=body,
        headers={"X-Api-Key": "secret", **headers},
        received_at=NOON,
        endpoint=endpoint,
        is_verified=is_verified,
    )
    envelope = SOURCES[key].read(incoming).to_json()
    VALIDATOR.validate(envelope)
    json.dumps(envelope, ensure_ascii=False).encode()  # can be stored and sent
    return envelope


FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("key", KEYS)
@FUZZ
@given(body=st.binary(max_size=400))
@example(body=b"")
@example(body=b"\xef\xbb\xbf{}")
@example(body=b"\xff\xfe")
@example(body=b"null")
@example(body=b"[]")
@example(body=b"[" * 100_000)
@example(body=b'{"a":' * 100_000)
@example(body=b"<a>" * 100_000)
@example(body=b'{"id":' + b"9" * 500_000 + b"}")
@example(body=b"%" * 1000)
@example(body=b"&" * 5000)
def test_any_bytes_give_an_outcome(key, body):
    arrive(key, body)
    arrive(key, body, is_verified=True)  # like the replay of a delivery that was proven on arrival


@FUZZ
@given(payload=objects("zillow", details=objects("zillow details") | JUNK))
def test_any_zillow_object_gives_an_outcome(payload):
    envelope = arrive("zillow", json.dumps(payload).encode())

    assert envelope["http"]["status"] == 200  # an authentic, readable delivery is never rejected


@FUZZ
@given(payload=objects("website_form"))
def test_any_form_gives_an_outcome(payload):
    arrive("website_form", json.dumps(payload).encode())


@FUZZ
@given(payload=st.dictionaries(st.sampled_from(NAMES["lendingtree"].split()), st.text(max_size=30)))
def test_any_flat_lendingtree_lead_gives_an_outcome(payload):
    fields = "".join(
        f"<{name}><![CDATA[{text.replace(']]>', '')}]]></{name}>" for name, text in payload.items()
    )
    arrive("lendingtree", f"<LeadApplication>{fields}</LeadApplication>".encode(errors="replace"))


@FUZZ
@given(payload=JUNK)
def test_any_json_to_lendingtree_gives_an_outcome(payload):
    arrive("lendingtree", json.dumps({"lead": payload}).encode())
    arrive(
        "lendingtree", json.dumps({"lead": {"consumer": payload, "mortgageX": payload}}).encode()
    )


@pytest.mark.parametrize("key", MAPPED)
@FUZZ
@given(data=st.data())
def test_any_object_with_vendor_field_names_gives_an_outcome(key, data):
    paths = sorted({line.path for line in SOURCES[key].LINES})
    payload = data.draw(st.dictionaries(st.sampled_from(paths), JUNK, max_size=12))
    payload["ping_id"] = "p-1"  # no ping is recognized without it
    kind = {"Content-Type": "application/json"}

    assert arrive(key, json.dumps(payload).encode(), **kind)["http"]["status"] in (200, 201)


@pytest.mark.parametrize("key", KEYS)
@FUZZ
@given(data=st.data())
def test_delivery_with_flipped_bytes_gives_an_outcome(key, data):
    folders = [
        path
        for path in sorted((DELIVERIES / key).iterdir())
        if path.name.startswith("good") and any(body.stat().st_size for body in path.glob("body.*"))
    ]
    folder = data.draw(st.sampled_from(folders))
    body = bytearray(next(folder.glob("body.*")).read_bytes() or b"{}")  # a handshake has none
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    kind = (
        "application/x-www-form-urlencoded"
        if (folder / "body.form").exists()
        else "text/xml"
        if (folder / "body.xml").exists()
        else "application/json"
    )

    arrive(key, bytes(body), **{"Content-Type": kind})
    arrive(key, bytes(body), is_verified=True, **{"Content-Type": kind})


def _places(part, way=()):
    """Yield every place of a JSON document, including the document itself."""
    yield way
    inside = part.items() if isinstance(part, dict) else ()
    inside = enumerate(part) if isinstance(part, list) else inside
    for name, value in inside:
        yield from _places(value, (*way, name))


JSON_CASES = {
    key: [one for one in sorted((DELIVERIES / key).glob("*/body.json")) if one.stat().st_size]
    for key in KEYS
}


@pytest.mark.parametrize("key", [key for key in KEYS if JSON_CASES[key]])
@FUZZ
@given(data=st.data())
def test_delivery_with_any_replaced_value_gives_an_outcome(key, data):
    try:
        payload = json.loads(data.draw(st.sampled_from(JSON_CASES[key])).read_bytes())
    except ValueError:
        return  # an example delivery that is not JSON
    way = data.draw(st.sampled_from([place for place in _places(payload) if place] or [()]))
    inside = payload
    for step in way[:-1]:
        inside = inside[step]
    if way:
        inside[way[-1]] = data.draw(JUNK)

    arrive(key, json.dumps(payload).encode(), is_verified=True)


@pytest.mark.parametrize("key", KEYS)
def test_body_over_one_mebibyte_is_too_large(key):
    assert arrive(key, b"{" * (MAX_BODY_BYTES + 1))["outcome"] == Outcome.REJECTED_TOO_LARGE


@pytest.mark.parametrize("key", ["zillow", "lendingtree", *sorted(ADAPTERS_WITH_PROOF_CHOICE)])
@pytest.mark.parametrize("path", ["/in/x/other", "/in/x/", "", "/in/x/tok/more", "/in/x/TOK"])
def test_delivery_without_path_secret_is_not_read(key, path):
    incoming = IncomingDelivery(
        path=path, body=b"{}", received_at=NOON, endpoint=Endpoint(token="tok")
    )

    assert SOURCES[key].read(incoming).outcome == Outcome.REJECTED_AUTH


@pytest.mark.parametrize("key", ["zillow", "lendingtree", *sorted(ADAPTERS_WITH_PROOF_CHOICE)])
def test_source_without_secret_accepts_no_delivery(key):
    incoming = IncomingDelivery(
        path="/in/x/", body=b"{}", received_at=NOON, endpoint=Endpoint(token=None)
    )

    assert SOURCES[key].read(incoming).outcome == Outcome.REJECTED_AUTH


ASKED = {  # adapter: the lookup paths it can ask for
    "meta_lead_ads": ("/v25.0/1203344556677001",),
    "linkedin_lead_sync": ("/rest/leadFormResponses/6a1b-11", "/rest/leadForms/3162"),
}


@pytest.mark.parametrize("key", sorted(ASKED))
@FUZZ
@given(data=st.data())
def test_any_vendor_lookup_response_gives_an_outcome(key, data):
    folder = next(path for path in sorted((DELIVERIES / key).iterdir()) if "good_01" in path.name)
    kept = [json.loads(path.read_bytes()) for path in sorted(folder.glob("upstream/*.json"))]
    responses = {}
    for path, kept_response in zip(ASKED[key], kept, strict=True):
        part = data.draw(st.sampled_from(sorted(kept_response)))
        answer = data.draw(JUNK | st.just({**kept_response, part: data.draw(JUNK)}))
        status = data.draw(st.sampled_from([200, 200, 400, 401, 404, 429, 500]))
        responses[path] = VendorAnswer(status=status, body=json.dumps(answer).encode())
    incoming = IncomingDelivery(
        body=(folder / "body.json").read_bytes(),
        received_at=NOON,
        is_verified=True,
        vendor_answers=responses,
    )

    envelope = SOURCES[key].read(incoming)

    VALIDATOR.validate(envelope.to_json())
    assert envelope.http.status == 200
    assert not envelope.lookups  # all was answered; it must not ask again
