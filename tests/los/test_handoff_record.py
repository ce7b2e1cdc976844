"""The hand-off object: parsing, validation and serialization."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.los.handoff_record import MalformedHandoff, parse_handoff, serialize_handoff
from tests.los import make


@pytest.mark.parametrize("name", ["purchase", "refi_cashout"])
def test_handoff_survives_serialization(name):
    handoff = make.handoff(name=name)

    assert parse_handoff(serialize_handoff(handoff)) == handoff


@pytest.mark.parametrize(
    "changes",
    [
        {"lead_id": "not-an-id"},
        {"created_at": "2026-11-23T15:04:05"},  # no zone
        {"created_at": "2026-11-23T15:04:05+01:00"},
        {"canonical": []},
        {"answers": None},
        {"officer__first_name": None},
        {"officer__first_name": " "},
        {"officer__nmls_id": "12A"},
        {"officer__phone": "512-555-0100"},
        {"officer__ssn": "900-00-0000"},  # an unknown key
        {"answers__race": "none of our business"},
        {"answers__joint_intent": "yes"},
        {"answers__own_or_rent": "lease"},
        {"answers__marital_status": "divorced"},
        {"company__kind": "bank"},
        {"connection__los": "arive"},
        {"connection__contact_id": "1"},
        {"connection__branch_id": make.lead(1), "connection__campaign_id": make.lead(2)},
        {"surprise": 1},
    ],
)
def test_malformed_handoff_is_refused_with_a_reason(changes):
    data = make.handoff_json(**changes)

    with pytest.raises(MalformedHandoff) as problem:
        parse_handoff(data)

    assert str(problem.value)


@pytest.mark.parametrize(
    "key",
    ["lead_id", "created_at", "canonical", "officer", "branch", "company", "connection", "answers"],
)
def test_handoff_requires_all_eight_keys(key):
    data = make.handoff_json()
    del data[key]

    with pytest.raises(MalformedHandoff, match=key):
        parse_handoff(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([*make.handoff_json(), "officer__email", "connection__los"]))
def test_any_value_is_refused_or_survives_serialization(value, path):
    data = make.handoff_json(**{path: value})

    try:
        handoff = parse_handoff(data)
    except MalformedHandoff:
        return
    assert parse_handoff(serialize_handoff(handoff)) == handoff
