"""A short run of `make chaos`, and a test that each of its checks can fail."""

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
from tests.chaos.installation import ROOT
from tests.chaos.load import VendorPost


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
    """A text in the simulated carrier's memory."""

    to: str
    callback: str
    created_at: object = make.NOON
    direction: str = "outbound-api"


def status_url(message_id):
    return f"http://localhost/in/twilio/status/{message_id}/"


def build_post(body=b"{}", *, is_good=True):
    return VendorPost(path="/in/zillow/x", body=body, headers={}, is_good=is_good)


def create_message(**changes):
    lead = make.lead()
    return Message.objects.create(
        **{
            "lead": lead, "person": lead.person, "medium": "text", "purpose": "marketing",
            "idempotency_key": f"touch:{uuid7()}", "to_address": "+18135550142", "body": "Hello",
            "state": "sent", "created_at": make.NOON, **changes,
        }
    )  # fmt: skip


pytestmark = pytest.mark.django_db


def test_missing_delivery_is_reported():
    post = build_post(b"gone")

    assert "missing" in proof.check_deliveries({post.digest: post})[0]


def test_unworked_delivery_is_reported():
    post = build_post(b"waits")
    make.delivery(body_sha256=post.digest, state="received")

    assert "neither worked nor quarantined" in proof.check_deliveries({post.digest: post})[0]


def test_delivery_worked_twice_is_reported():
    post = build_post(b"twice")
    for _ in range(2):
        make.touch(delivery=make.delivery(body_sha256=post.digest))

    assert "worked twice" in proof.check_deliveries({post.digest: post})[0]


def test_delivery_sent_twice_and_worked_once_is_fine():
    post = build_post(b"well")
    make.touch(delivery=make.delivery(body_sha256=post.digest))
    make.delivery(body_sha256=post.digest, state="duplicate")

    assert proof.check_deliveries({post.digest: post}) == []
    assert Delivery.objects.count() == 2


def test_text_at_carrier_twice_is_reported():
    message = create_message()

    assert proof.check_texts([status_url(message.pk)]) == []
    assert "twice" in proof.check_texts([status_url(message.pk)] * 2)[0]


def test_text_not_counted_as_sent_is_reported():
    message = create_message(state="blocked")

    assert "not counted as sent" in proof.check_texts([status_url(message.pk)])[0]


def test_email_that_arrived_twice_is_reported():
    message = create_message(medium="email")
    email = {"headers": [["X-Rooftree-Message", str(message.pk)]]}

    assert proof.check_emails([email]) == []
    assert "twice" in proof.check_emails([email, email])[0]


def test_ring_placed_twice_is_reported():
    url = f"http://localhost/in/twilio/ring/{uuid7()}/"

    assert proof.check_rings([url]) == []
    assert "twice" in proof.check_rings([url, url])[0]


def test_stop_not_on_file_is_reported():
    assert "not on file" in proof.check_stops({"+18135550142": make.NOON}, [])[0]


def test_text_after_stop_is_reported_but_not_its_confirmation():
    late = {"created_at": make.NOON + timedelta(minutes=1), "to": "+18135550142"}
    hello, confirmation = create_message(), create_message(idempotency_key=f"stop:{uuid7()}")

    problems = proof.check_stops(
        {"+18135550142": make.NOON},
        [Text(callback=status_url(message.pk), **late) for message in (hello, confirmation)],
    )

    assert any(f"message:{hello.pk}" in problem for problem in problems)
    assert not any(str(confirmation.pk) in problem for problem in problems)


def test_two_loans_of_one_lead_and_unknown_loan_are_reported():
    lead, stranger = make.lead(), make.lead()
    connection = Connection.objects.create(los="encompass", name="E", slug="e", instance="i")
    Handoff.objects.create(
        lead=lead, connection=connection, state="uncertain", requested_at=make.NOON
    )
    loans = [
        {"id": name, "customFields": [{"id": proof.LEAD_ID, "stringValue": str(loan_lead.pk)}]}
        for name, loan_lead in (("a", lead), ("b", lead), ("c", stranger))
    ]

    problems = proof.check_loans(loans)

    assert any("two loans" in problem and str(lead.pk) in problem for problem in problems)
    assert any(
        "not in our tables" in problem and str(stranger.pk) in problem for problem in problems
    )


def test_confirmed_take_without_ownership_is_reported():
    assert "not owned" in proof.check_takes({uuid7(): uuid7()})[0]
