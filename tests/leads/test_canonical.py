import json
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.leads.canonical import CanonicalLead, Suppression
from rooftree.leads.canonical_json import InvalidCanonicalRecord

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "rooftree/leads/canonical.schema.json").read_text()
)
ENVELOPE = {"http": {"status": 200}, "outcome": "accepted", "warnings": []}
MINIMAL = {"source": "zillow", "channel": "marketplace"}

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
st.register_type_strategy(str, WORDS)
st.register_type_strategy(
    Decimal, st.decimals(min_value=0, max_value=999, places=3, allow_nan=False)
)


def leads():
    moments = st.datetimes(timezones=st.just(UTC))
    shaped = {"vendor_ids": st.dictionaries(WORDS, WORDS, max_size=3)}
    shaped |= {"extras": st.dictionaries(WORDS, WORDS, max_size=3)}
    shaped |= {"submitted_at": st.none() | moments, "received_at": st.none() | moments}
    shaped |= {"contact_pref": st.none(), "interaction": st.none()}
    shaped |= {"consent": st.just(CanonicalLead.from_json(MINIMAL).consent)}
    shaped |= {
        "attribution": st.none(),
        "suppression": st.none() | st.just(Suppression(reason="x")),
    }
    return st.builds(CanonicalLead, **shaped)


def without_empty_parts(lead: CanonicalLead) -> CanonicalLead:
    """Return the lead after one round trip, which drops empty records."""
    return CanonicalLead.from_json(lead.to_json())


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(lead=leads())
def test_lead_survives_interchange_round_trip(lead):
    once = without_empty_parts(lead)

    assert CanonicalLead.from_json(json.loads(json.dumps(once.to_json()))) == once
    assert once.to_json() == lead.to_json()


def test_minimal_lead_matches_the_schema():
    lead = CanonicalLead.from_json(MINIMAL)

    jsonschema.validate({**ENVELOPE, "leads": [lead.to_json()]}, SCHEMA)
    assert not lead.is_workable()


def test_schema_fields_equal_lead_fields():
    described = SCHEMA["properties"]["leads"]["items"]["properties"]

    assert set(described) == set(CanonicalLead.__dataclass_fields__)


@pytest.mark.parametrize(
    "record",
    [
        {**MINIMAL, "unheard_of": 1},
        {**MINIMAL, "channel": "carrier pigeon"},
        {"source": "zillow"},
        {**MINIMAL, "submitted_at": "2026-11-23T15:04:05"},  # no zone
        {**MINIMAL, "loan": {"amount_cents": "12"}},
        {**MINIMAL, "phones": {"e164": "+1"}},
        {**MINIMAL, "loan": "x"},
    ],
)
def test_invalid_record_is_refused(record):
    with pytest.raises(InvalidCanonicalRecord):
        CanonicalLead.from_json(record)
