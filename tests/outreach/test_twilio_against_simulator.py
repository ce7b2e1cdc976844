"""The Twilio module over HTTP against the simulated Twilio."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.outreach.media import twilio, twiml
from rooftree.outreach.media.carrier_types import DeliveryStatus
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.twilio.twilio_account import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    MAIN_NUMBER,
    SERVICE_SID,
)
from rooftree_simulators.twilio.twilio_vendor import Twilio
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
BEN = "+13055550142"
WORDS = "Hi Ben, this is Dana at Example Home Loans. Reply STOP to stop."


class Line:
    """Start a simulated Twilio; return it with our settings for it."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(at=NOW, speed=0)
        self.sim = Twilio(SimulatorSetup(clock=self.clock))
        self.listener = HttpListener(self.sim, 0)
        self.settings = twilio.Settings(
            account_sid=ACCOUNT_SID, secret=AUTH_TOKEN, base_url=self.listener.url
        )

    def send(self, to: str = BEN, body: str = WORDS, sender: str = MAIN_NUMBER):
        return twilio.send_text(
            self.settings, to=to, sender=sender, body=body, status_callback="", reference="m-1"
        )

    def find(self, body: str = WORDS, since: datetime = NOW):
        return twilio.find_text(self.settings, to=BEN, sender=MAIN_NUMBER, body=body, since=since)

    def fault(self, action: str, **rest: object) -> None:
        self.sim.faults.add_fault({"action": action, **rest})

    @property
    def sent(self) -> list:
        return list(self.sim.account.messages.values())

    def close(self) -> None:
        self.listener.stop()
        self.clock.stop()


@pytest.fixture
def line() -> Iterator[Line]:
    here = Line()
    yield here
    here.close()


def test_text_is_sent_once_with_its_body(line):
    accepted = line.send()

    assert [(row.sid, row.to, row.sender, row.body) for row in line.sent] == [
        (accepted.carrier_id, BEN, MAIN_NUMBER, WORDS)
    ]
    assert (accepted.status, accepted.segments) == (DeliveryStatus.ACCEPTED, 1)


def test_messaging_service_is_sent_as_service_id(line):
    line.send(sender=SERVICE_SID)

    assert [row.service for row in line.sent] == [SERVICE_SID]


@pytest.mark.parametrize("fault", ["drop_after_commit", "status_after_commit:500", "truncate:9"])
def test_uncertain_text_is_found_and_never_resent(line, fault):
    line.fault(fault, count=1, match={"op": "create Messages"})

    with pytest.raises(OutcomeUnknown):
        line.send()
    receipt = line.find()

    assert len(line.sent) == 1
    assert receipt is not None
    assert receipt.carrier_id == line.sent[0].sid


def test_text_that_never_reached_twilio_is_not_found(line):
    line.send(body="Another text to the same person.")
    line.fault("drop_before", count=1, match={"op": "create Messages"})

    with pytest.raises(OutcomeUnknown):
        line.send()

    assert line.find() is None
    assert len(line.sent) == 1


def test_same_body_of_earlier_day_is_another_text(line):
    line.send()

    assert line.find(since=NOW + timedelta(hours=2)) is None


def test_text_is_found_beyond_first_page(line):
    for number in range(120):
        line.send(body=f"text {number}")

    receipt = line.find("text 0")

    assert receipt is not None
    assert receipt.carrier_id == line.sent[0].sid


def test_busy_carrier_has_sent_nothing(line):
    line.fault("status:429", count=1, headers={"Retry-After": "7"})

    with pytest.raises(RetryLater) as later:
        line.send()

    assert (later.value.retry_after_seconds, line.sent) == (7.0, [])


def test_opted_out_number_is_rejected_by_error_code(line):
    with pytest.raises(RequestRejected) as refused:
        line.send("+15005550004")

    assert refused.value.code == twilio.OPTED_OUT
    assert "5550004" not in str(refused.value)


@pytest.mark.parametrize(
    ("to", "code"),
    [("+15005550001", "21211"), ("+15005550009", "21614"), ("+15005550003", "21408")],
)
def test_untextable_number_is_rejected(line, to, code):
    with pytest.raises(RequestRejected) as refused:
        line.send(to)

    assert refused.value.code == code


def test_foreign_sender_number_is_a_configuration_error(line):
    with pytest.raises(Misconfigured):
        line.send(sender="+15005550007")


def test_wrong_token_is_a_configuration_error(line):
    line.sim.account.auth_token = "another"

    with pytest.raises(Misconfigured):
        line.send()


def test_call_is_placed_with_its_twiml_url(line):
    accepted = twilio.place_call(
        line.settings,
        to="+15125550111",
        sender=MAIN_NUMBER,
        url="http://127.0.0.1:9/whisper",
        status_callback="http://127.0.0.1:9/status",
    )

    assert list(line.sim.account.calls) == [accepted.carrier_id]


def test_twiml_escapes_borrower_text():
    markup = twiml.ask_officer_for_key(
        "Lead: <Dial>900</Dial> & Sons", action_url="https://x.example/a?b=1&c=2", goodbye="Bye."
    )

    assert "&lt;Dial&gt;900&lt;/Dial&gt; &amp; Sons" in markup
    assert "a?b=1&amp;c=2" in markup
    assert "<Dial>" not in markup
