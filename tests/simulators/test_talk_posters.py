"""Calls, chats and files in the vendors' formats: documented keys and signatures."""

import json
import random
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from rooftree_simulators.chats import drift, intercom
from rooftree_simulators.posters import mismo_ilad, phone_callrail, phone_twilio
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from rooftree_simulators.twilio.webhook_signature import compute_signature
from tests.simulators.conftest import EXCHANGES, NOON
from tests.simulators.receiver import Receiver
from tests.simulators.test_posters import keys_of

SIGNED_ADDRESS = "https://leads.harborlight.example/in/twilio/voice?line=mailer-oct"
PAT = random_borrower(random.Random(3))


def form(name: str) -> dict[str, str]:
    text = (EXCHANGES / name).read_text().strip()
    return dict(parse_qsl(text, keep_blank_values=True))


def load_exchange(name: str) -> dict:
    return json.loads((EXCHANGES / name).read_text())


def test_ringing_call_has_only_documented_fields():
    form_fields = phone_twilio.call_form(PAT, "CA1")

    assert set(form_fields) <= set(form("twilio_voice_incoming.form"))
    assert form_fields["CallStatus"] == "ringing"


def test_call_end_has_seconds_and_billed_minutes():
    ended = phone_twilio.call_ended_form(phone_twilio.call_form(PAT, "CA1"), seconds=187, at=NOON)

    known_fields = set(form("twilio_voice_incoming.form")) | set(form("twilio_voice_status.form"))
    assert set(ended) <= known_fields
    assert (ended["CallDuration"], ended["Duration"]) == ("187", "4")
    assert ended["Timestamp"] == "Mon, 23 Nov 2026 17:00:00 +0000"


def test_twilio_signature_covers_url_with_query():
    fields = form("twilio_voice_incoming.form")

    mark = compute_signature("twilio-test-auth-token", SIGNED_ADDRESS, list(fields.items()))

    assert mark == "+YJd3s/kDNY/Qz8OBfTLm00SlT8="


def test_callrail_signature_is_base64_over_raw_body():
    body = (EXCHANGES / "callrail_post_call.json").read_bytes().strip()

    mark = phone_callrail.compute_signature(body, "callrail-test-signing-key")

    assert mark == "ddHNC5Z+F4yU0fEYefdYHw5m0HU="


def test_callrail_call_has_only_documented_keys():
    call = phone_callrail.call_object(PAT, random.Random(1), at=NOON)

    assert keys_of(call) <= keys_of(load_exchange("callrail_post_call.json"))
    changed = phone_callrail.modified_call(call, at=NOON, note="hot")
    assert changed["changes"] == ["note"]


def test_intercom_signature_and_event_match_documents(running, receiver: Receiver):
    body = (EXCHANGES / "intercom_conversation_created.json").read_bytes().strip()
    assert intercom.compute_signature(body, "intercom-test-client-secret") == (
        "sha1=7734248a976b7d2110ed7b291f8d5a9c40316a53"
    )
    vendor = running.intercom
    vendor.callback = f"{receiver.url}/in"
    vendor.open_conversation(vendor.add_visitor(name="Wren"), "<p>Hi</p>")

    (sent,) = receiver.requests
    known_keys = keys_of(load_exchange("intercom_conversation_created.json"))
    assert keys_of(json.loads(sent.body)) <= known_keys


def test_drift_message_has_token_in_body(running, receiver: Receiver):
    vendor = running.drift
    vendor.callback = f"{receiver.url}/in"
    vendor.post_message(vendor.add_visitor(name="Hector"), "Hi", conversation=1)

    (sent,) = receiver.requests
    assert keys_of(json.loads(sent.body)) == keys_of(load_exchange("drift_new_message.json"))
    assert json.loads(sent.body)["token"] == drift.VERIFICATION_TOKEN


def test_application_file_has_documented_elements():
    def names(raw: bytes) -> set[str]:
        return {node.tag.rpartition("}")[2] for node in ElementTree.fromstring(raw).iter()}

    written = names(mismo_ilad.application_delivery(PAT, random.Random(1), at=NOON).body)

    documented = names((EXCHANGES / "mismo_purchase.xml").read_bytes())
    taxpayer = {"TAXPAYER_IDENTIFIERS", "TAXPAYER_IDENTIFIER", "TaxpayerIdentifierValue"}
    assert written <= documented | taxpayer | {"TaxpayerIdentifierType"}
