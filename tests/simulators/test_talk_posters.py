"""Calls, chats and files as the vendors send them: the keys and the marks of the documents."""

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


def told(name: str) -> dict:
    return json.loads((EXCHANGES / name).read_text())


def test_a_call_that_rings_has_only_fields_that_twilio_documents():
    made = phone_twilio.call_form(PAT, "CA1")

    assert set(made) <= set(form("twilio_voice_incoming.form"))
    assert made["CallStatus"] == "ringing"


def test_the_end_of_a_call_tells_seconds_and_billed_minutes_apart():
    over = phone_twilio.call_ended_form(phone_twilio.call_form(PAT, "CA1"), seconds=187, at=NOON)

    known = set(form("twilio_voice_incoming.form")) | set(form("twilio_voice_status.form"))
    assert set(over) <= known
    assert (over["CallDuration"], over["Duration"]) == ("187", "4")
    assert over["Timestamp"] == "Mon, 23 Nov 2026 17:00:00 +0000"


def test_twilios_mark_covers_the_address_with_its_query():
    found = form("twilio_voice_incoming.form")

    mark = compute_signature("twilio-test-auth-token", SIGNED_ADDRESS, list(found.items()))

    assert mark == "+YJd3s/kDNY/Qz8OBfTLm00SlT8="


def test_callrails_mark_is_base64_over_the_raw_body():
    body = (EXCHANGES / "callrail_post_call.json").read_bytes().strip()

    mark = phone_callrail.compute_signature(body, "callrail-test-signing-key")

    assert mark == "ddHNC5Z+F4yU0fEYefdYHw5m0HU="


def test_a_callrail_call_has_only_keys_that_are_documented():
    made = phone_callrail.call_object(PAT, random.Random(1), at=NOON)

    assert keys_of(made) <= keys_of(told("callrail_post_call.json"))
    changed = phone_callrail.modified_call(made, at=NOON, note="hot")
    assert changed["changes"] == ["note"]


def test_intercoms_mark_and_its_event_are_as_documented(running, receiver: Receiver):
    body = (EXCHANGES / "intercom_conversation_created.json").read_bytes().strip()
    assert intercom.compute_signature(body, "intercom-test-client-secret") == (
        "sha1=7734248a976b7d2110ed7b291f8d5a9c40316a53"
    )
    vendor = running.intercom
    vendor.callback = f"{receiver.url}/in"
    vendor.open_conversation(vendor.add_visitor(name="Wren"), "<p>Hi</p>")

    (sent,) = receiver.got
    known = keys_of(told("intercom_conversation_created.json"))
    assert keys_of(json.loads(sent.body)) <= known


def test_a_drift_message_carries_its_token_in_the_body(running, receiver: Receiver):
    vendor = running.drift
    vendor.callback = f"{receiver.url}/in"
    vendor.post_message(vendor.add_visitor(name="Hector"), "Hi", conversation=1)

    (sent,) = receiver.got
    assert keys_of(json.loads(sent.body)) == keys_of(told("drift_new_message.json"))
    assert json.loads(sent.body)["token"] == drift.VERIFICATION_TOKEN


def test_an_application_file_has_the_elements_of_the_standard():
    def names(raw: bytes) -> set[str]:
        return {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(raw).iter()}

    made = names(mismo_ilad.application_delivery(PAT, random.Random(1), at=NOON).body)

    known = names((EXCHANGES / "mismo_purchase.xml").read_bytes())
    taxpayer = {"TAXPAYER_IDENTIFIERS", "TAXPAYER_IDENTIFIER", "TaxpayerIdentifierValue"}
    assert made <= known | taxpayer | {"TaxpayerIdentifierType"}
