"""Fixtures: simulated carriers behind the real gate, Twilio over HTTP and a mailbox over SMTP."""

import json
from collections.abc import Iterator

import pytest

from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.smtp_mailbox import SmtpListener, SmtpMailbox, Treatment
from rooftree_simulators.start_simulators import find_free_port
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from rooftree_simulators.twilio.twilio_vendor import Twilio
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener
from tests import make
from tests.flow import journey

SEND, FIND = {"op": "create Messages"}, {"method": "GET"}


class Carriers:
    """The messages the simulated carriers received, and controls to make them misbehave."""

    def __init__(self, twilio: Twilio, mailbox: SmtpMailbox) -> None:
        self.twilio, self.mailbox = twilio, mailbox

    @property
    def texts(self) -> list:
        return list(self.twilio.account.messages.values())

    @property
    def letters(self) -> list:
        return self.mailbox.messages

    def fault(self, action: str, **rest: object) -> None:
        self.twilio.faults.add_fault({"match": SEND, "action": action, **rest})

    def answer(self, status: int, code: int) -> None:
        """Make Twilio reject the next text with its own error code."""
        self.fault(f"status:{status}", count=1, body=json.dumps({"code": code, "status": status}))

    def treat(self, address: str, treatment: str) -> None:
        self.mailbox.treatments[address] = Treatment(treatment)


@pytest.fixture
def carriers(db, settings) -> Iterator[Carriers]:
    setup = SimulatorSetup(clock=SimulatedClock(at=make.NOON, speed=0))
    twilio, mailbox = Twilio(setup), SmtpMailbox(setup)
    http, mail = HttpListener(twilio, 0), SmtpListener(mailbox, find_free_port())
    settings.CARRIER = "twilio"
    settings.TWILIO_BASE_URL = http.url
    settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.TWILIO_NUMBERS = [MAIN_NUMBER]
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": mail.port, "timeout": 5},
        }
    }
    yield Carriers(twilio, mailbox)
    http.stop()
    mail.stop()
    setup.clock.stop()


@pytest.fixture
def dana(db):
    """Return the one officer, without leads yet, of a company that can send messages."""
    journey.set_up_company()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
