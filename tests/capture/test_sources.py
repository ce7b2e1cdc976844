"""Every declared source, read against its example deliveries."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from rooftree.capture.sources import SOURCES
from rooftree_casebook.delivery_cases import load_case, read_case
from tests.capture.same import assert_same

DELIVERIES = Path(__file__).parent / "deliveries"
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "rooftree/leads/canonical.schema.json").read_text()
)
VALIDATOR = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
CERTIFICATES = (
    "consent_trustedform",
    "consent_jornaya",
)  # a certificate vendor's response, or a token


@pytest.mark.parametrize("key", [*SOURCES, *CERTIFICATES])
def test_each_example_delivery_gives_its_expected_envelope(key, subtests):
    for folder in sorted((DELIVERIES / key).iterdir()):
        with subtests.test(folder.name):
            envelope = read_case(key, folder).to_json()

            VALIDATOR.validate(envelope)
            assert_same(envelope, json.loads((folder / "expected.json").read_text()))


@pytest.mark.parametrize("key", SOURCES)
def test_masked_delivery_reads_like_original(key, subtests):
    for folder in sorted((DELIVERIES / key).iterdir()):
        with subtests.test(folder.name):
            incoming = load_case(folder)
            stored = replace(incoming, body=incoming.masked.body, is_verified=True)
            before = SOURCES[key].read(replace(incoming, is_verified=True))

            assert SOURCES[key].read(stored) == before


@pytest.mark.parametrize("key", SOURCES)
def test_source_has_examples_and_declares_itself(key):
    source = SOURCES[key]

    assert len(list((DELIVERIES / key).iterdir())) >= 3
    assert source.LABEL
    assert source.PATHS
    assert source.CHANNEL
