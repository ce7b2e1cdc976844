"""The short version of `make chaos`, and each of its proofs seen to fail."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta

import pytest

from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Delivery
from rooftree.los.models import Connection, Handoff
from rooftree.outreach.models import Message
from tests import make
from tests.chaos import proof
from tests.chaos.load import Posted
from tests.chaos.place import ROOT


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_two_rounds_of_chaos_are_clean():
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--rounds", "2", "--seed", "7", "--seconds", "5"],
        cwd=ROOT, capture_output=True, text=True, timeout=220, check=False,
    )  # fmt: skip

    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-1000:]}"
    assert done.stdout.count(" clean: ") == 2, done.stdout


@dataclass
class Text:
    """A text as the simulated carrier holds it."""

    to: str
    callback: str
    created_at: object = make.NOON
    direction: str = "outbound-api"


def callback_of(message_id):
    return f"http://localhost/in/twilio/status/{message_id}/"


def posted(body=b"{}", *, is_good=True):
    return Posted(path="/in/zillow/x", body=body, headers={}, is_good=is_good)


def a_message(**changes):
    lead = make.lead()
    return Message.objects.create(
        **{
            "lead": lead, "person": lead.person, "medium": "text", "purpose": "marketing",
            "cause": f"touch:{uuid7()}", "to_address": "+18135550142", "body": "Hello",
            "state": "sent", "created_at": make.NOON, **changes,
        }
    )  # fmt: skip


pytestmark = pytest.mark.django_db


def test_a_delivery_that_is_nowhere_is_seen():
    one = posted(b"gone")

    assert "nowhere" in proof.nothing_lost({one.mark: one})[0]


def test_a_delivery_that_still_waits_is_seen():
    one = posted(b"waits")
    make.delivery(body_sha256=one.mark, state="received")

    assert "neither worked nor set aside" in proof.nothing_lost({one.mark: one})[0]


def test_a_delivery_worked_twice_is_seen():
    one = posted(b"twice")
    for _ in range(2):
        make.touch(delivery=make.delivery(body_sha256=one.mark))

    assert "worked twice" in proof.nothing_lost({one.mark: one})[0]


def test_a_delivery_worked_once_and_sent_twice_is_well():
    one = posted(b"well")
    make.touch(delivery=make.delivery(body_sha256=one.mark))
    make.delivery(body_sha256=one.mark, state="duplicate")

    assert proof.nothing_lost({one.mark: one}) == []
    assert Delivery.objects.count() == 2


def test_a_text_that_is_at_the_carrier_twice_is_seen():
    message = a_message()

    assert proof.texts_once([callback_of(message.pk)]) == []
    assert "twice" in proof.texts_once([callback_of(message.pk)] * 2)[0]


def test_a_text_that_left_and_is_not_counted_is_seen():
    message = a_message(state="blocked")

    assert "not counted as gone" in proof.texts_once([callback_of(message.pk)])[0]


def test_a_letter_that_arrived_twice_is_seen():
    message = a_message(medium="email")
    letter = {"headers": [["X-Rooftree-Message", str(message.pk)]]}

    assert proof.letters_once([letter]) == []
    assert "twice" in proof.letters_once([letter, letter])[0]


def test_a_ring_that_was_placed_twice_is_seen():
    url = f"http://localhost/in/twilio/ring/{uuid7()}/"

    assert proof.rings_once([url]) == []
    assert "twice" in proof.rings_once([url, url])[0]


def test_a_stop_that_is_not_on_file_is_seen():
    assert "not on file" in proof.stops_obeyed({"+18135550142": make.NOON}, [])[0]


def test_a_text_after_a_stop_is_seen_and_its_confirmation_is_not():
    late = {"created_at": make.NOON + timedelta(minutes=1), "to": "+18135550142"}
    hello, confirmation = a_message(), a_message(cause=f"stop:{uuid7()}")

    told = proof.stops_obeyed(
        {"+18135550142": make.NOON},
        [Text(callback=callback_of(one.pk), **late) for one in (hello, confirmation)],
    )

    assert any(f"message:{hello.pk}" in one for one in told)
    assert not any(str(confirmation.pk) in one for one in told)


def test_two_loans_of_one_lead_and_a_loan_we_do_not_know_are_seen():
    lead, stranger = make.lead(), make.lead()
    connection = Connection.objects.create(los="encompass", name="E", slug="e", instance="i")
    Handoff.objects.create(lead=lead, connection=connection, state="uncertain", asked_at=make.NOON)
    loans = [
        {"id": name, "customFields": [{"id": proof.LEAD_ID, "stringValue": str(one.pk)}]}
        for name, one in (("a", lead), ("b", lead), ("c", stranger))
    ]

    told = proof.loans_once(loans)

    assert any("two loans" in one and str(lead.pk) in one for one in told)
    assert any("not with us" in one and str(stranger.pk) in one for one in told)


def test_a_take_that_was_acknowledged_and_is_not_owned_is_seen():
    assert "not owned" in proof.takes_kept({uuid7(): uuid7()})[0]
