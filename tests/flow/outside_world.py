"""The simulated outside world around a live server: carriers, mail, Encompass, vendors."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from rooftree.flow import clock
from rooftree.leads.models import Source
from rooftree.los import adapter_pool
from rooftree.los.models import Connection
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import Simulators, start_simulators
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from tests import make
from tests.flow import journey

SIGNING_KEY = "k" * 40
SIMULATORS = {  # vendors that we call, by the key of the setting
    "meta_lead_ads": "meta",
    "linkedin_lead_sync": "linkedin",
    "consent_trustedform": "trustedform",
    "chat_intercom": "intercom",
    "chat_drift": "drift",
    "crm_salesforce": "salesforce",
    "crm_hubspot": "hubspot",
    "crm_zoho": "zoho",
    "crm_pipedrive": "pipedrive",
    "crm_monday": "monday",
}


class World:
    """The vendors and our live server, with methods that make things happen at `make.NOON`."""

    def __init__(self, url: str, simulators: Simulators) -> None:
        self.url = url
        self.simulators = simulators
        self.clock = simulators.clock

    def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        """Post to our server, as a vendor does."""
        return httpx2.post(f"{self.url}{path}", json=body, headers=headers, timeout=20)

    def submit(self, site: Source, form: dict[str, Any]) -> httpx2.Response:
        """Post a visitor's form from our website's server, signed, with the visitor's address."""
        visitor = {"ip_address": "203.0.113.10", "user_agent": "Mozilla/5.0"}
        body = json.dumps(form | visitor).encode()
        signature = hmac.new(site.secret.encode(), body, hashlib.sha256).hexdigest()
        return httpx2.post(
            f"{self.url}/in/form/{site.slug}",
            content=body,
            headers={
                "Content-Type": "application/json",
                "X-Rooftree-Signature": f"sha256={signature}",
            },
            timeout=20,
        )

    def say(self, path: str, body: dict[str, Any]) -> Any:
        """Call the simulators' control API."""
        response = httpx2.post(f"{self.simulators.urls['ctl']}/_sim/{path}", json=body, timeout=30)
        assert response.status_code == 200, response.text
        return response.json()

    def officer_behaves(self, number: str, **behavior: Any) -> None:
        """Set how a phone is answered: voice, answer_after_s, digits."""
        self.say("twilio/callees", {"number": number, **behavior})

    def pass_time(self, duration: str = "PT2M") -> None:
        """Advance the vendors' clock, so that callbacks, calls and webhooks happen."""
        self.say("clock", {"advance": duration})

    def texts_at_carrier(self) -> list[dict[str, Any]]:
        """Return the texts that the carrier received from us."""
        return [
            text
            for text in self.simulators.twilio.state()["messages"]
            if text["direction"].startswith("outbound")
        ]

    def letters(self) -> list[dict[str, Any]]:
        """Return every e-mail that arrived at a borrower."""
        return [
            message
            for message in self.simulators.mailbox.messages
            if not message["to"][0].endswith("@lindenfield.example")
        ]

    def run(self, minutes: float = 0) -> None:
        """Run everything due on our side at noon plus `minutes`."""
        journey.run(journey.later(minutes))


@contextmanager
def start_outside_world(url: str, settings: Any) -> Iterator[World]:
    """Start the vendors, point the settings at them and at our server, and freeze the clock."""
    with start_simulators(clock=SimulatedClock(at=make.NOON, speed=0)) as simulators:
        host, _, port = simulators.urls["smtp"].partition(":")
        settings.PUBLIC_URL = url
        settings.UPSTREAMS = {key: simulators.urls[name] for key, name in SIMULATORS.items()}
        settings.CARRIER = "twilio"
        settings.TWILIO_BASE_URL = simulators.urls["twilio"]
        settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
        settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
        settings.TWILIO_NUMBERS = [MAIN_NUMBER]
        settings.MAILERS = {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": {"host": host, "port": int(port), "timeout": 5},
            }
        }
        world = World(url, simulators)
        world.say(
            "twilio/seed",
            {"numbers": [{"number": MAIN_NUMBER, "sms_url": f"{url}/in/twilio/text/"}]},
        )
        world.say("enc/switches", {"dup_rate": 0, "pipeline_lag_s": 45})
        with clock.freeze(make.NOON):
            yield world


def connect_encompass(world: World, officer_users: dict[str, str]) -> Connection:
    """Connect the lender's Encompass, with webhooks to our server."""
    users = world.simulators.encompass.instance.tokens.users
    connection = Connection.objects.create(
        los="encompass",
        name="Encompass",
        slug="encompass",
        base_url=world.simulators.urls["enc"],
        instance="TEBE00000001",
        folder="Prospects",
        credentials=json.dumps(
            {
                "client_id": "enc-client",
                "client_secret": "enc-secret",
                "user": "svc_rooftree",
                "password": users["svc_rooftree"],
            }
        ),
        webhook_keys=json.dumps([SIGNING_KEY]),
        enabled_at=make.NOON,
        officer_users=officer_users,
    )
    adapter_pool.get_adapter(connection).subscribe(
        f"{world.url}/in/encompass/encompass/", SIGNING_KEY
    )
    return connection
