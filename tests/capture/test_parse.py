import hashlib
import hmac
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from rooftree_casebook.management.commands.parse import Command

DELIVERIES = Path(__file__).parent / "deliveries"


def parse(*arguments: object, **options: str) -> dict:
    out = StringIO()
    call_command(Command(), *map(str, arguments), stdout=out, **options)
    return json.loads(out.getvalue())


def test_case_folder_prints_its_envelope():
    envelope = parse("zillow", DELIVERIES / "zillow/good_01_longform_purchase")

    assert envelope["outcome"] == "accepted"
    assert envelope["idempotency_key"] == "zillow:LC-8Q2R7M"
    assert set(envelope) == {"http", "outcome", "idempotency_key", "warnings", "leads", "actions"}


def test_repeated_case_prints_a_duplicate():
    envelope = parse("zillow", DELIVERIES / "zillow/nasty_03_duplicate_redelivery")

    assert (envelope["outcome"], envelope["reason"]) == ("duplicate_delivery", "same_key")
    assert envelope["http"]["status"] == 200


def test_bare_body_is_read_at_given_time(tmp_path):
    body = tmp_path / "body.json"
    body.write_text('{"name":"Pat Okoro","email":"pat@example.com","consent":{"checked":true}}')

    envelope = parse("website_form", body, now="2026-11-23T15:05:00Z")

    assert envelope["leads"][0]["consent"]["timestamp"] == "2026-11-23T15:05:00Z"


@pytest.mark.parametrize(("secret", "outcome"), [("right", "accepted"), ("wrong", "rejected_auth")])
def test_bare_body_with_signature_is_verified(tmp_path, secret, outcome):
    body = tmp_path / "body.json"
    body.write_text('{"name":"Pat Okoro","email":"pat@example.com"}')
    digest = hmac.new(b"right", body.read_bytes(), hashlib.sha256).hexdigest()

    headers = f"X-Rooftree-Signature: sha256={digest}\nContent-Type: application/json"
    envelope = parse("website_form", body, headers=headers, secret=secret)

    assert envelope["outcome"] == outcome


def test_bad_input_gives_an_outcome_and_no_error(tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"\xff\x00<<<{{{")

    assert parse("zillow", body)["outcome"] == "rejected_malformed"
    assert parse("lendingtree", body)["outcome"] == "rejected_malformed"


@pytest.mark.parametrize(
    ("source", "case", "options"),
    [
        ("carrier_pigeon", "zillow/good_01_longform_purchase", {}),
        ("zillow", "zillow/no_such_case", {}),
        ("zillow", "zillow", {}),  # a folder without request.json
        ("zillow", "zillow/good_01_longform_purchase", {"now": "noon"}),
        ("zillow", "zillow/good_01_longform_purchase", {"headers": "{broken"}),
    ],
)
def test_wrong_usage_prints_one_sentence_and_exits_2(source, case, options):
    with pytest.raises(CommandError) as refusal:
        parse(source, DELIVERIES / case, **options)

    assert refusal.value.returncode == 2
    assert "\n" not in str(refusal.value)


def test_case_cannot_read_files_outside_its_folder(tmp_path):
    (tmp_path / "request.json").write_text('{"body_file": "../secret"}')

    with pytest.raises(CommandError):
        parse("zillow", tmp_path)
