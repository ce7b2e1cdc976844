"""The actors of a live demo: borrowers, vendors and the lender's staff."""

import logging
import time
from collections.abc import Sequence
from typing import Protocol

from django.db import close_old_connections

from rooftree_demo import demo_staff
from rooftree_demo.simulator_client import SimulatorClient, SimulatorUnreachable

log = logging.getLogger("rooftree.demo")


class Actor(Protocol):
    """A person, or a group, with habits. `act` is called every beat and does the due actions."""

    def act(self) -> None: ...


def seed_simulators(control: SimulatorClient, *, web: str, public: str) -> None:
    """Load this company's phone numbers and users into the simulated vendors."""
    from rooftree.org.models import LoanOfficer
    from rooftree_demo.simulator_addresses import MAIN_NUMBER

    own_numbers = [MAIN_NUMBER, *LoanOfficer.objects.values_list("text_number", flat=True)]
    # The carrier signs the URL it calls, and Rooftree verifies against its public URL.
    sms_url = f"{public}/in/twilio/text/"
    numbers = [{"number": number, "sms_url": sms_url} for number in own_numbers if number]
    control.call("twilio/seed", {"numbers": numbers})
    # The product confirms a STOP itself, once, as the law allows.
    control.call("twilio/switches", {"opt_out_handling": False, "dup_rate": 0.02})
    users = {officer.login: "made-up" for officer in demo_staff.OFFICERS}
    control.call("enc/seed", {"users": users})


def create_actors(control: SimulatorClient, *, web: str, public: str) -> list[Actor]:
    """Create all actors, in the order in which they act."""
    from rooftree_demo.live_borrowers import InquirySender, TextReplier
    from rooftree_demo.live_feeds import FeedInquirySender
    from rooftree_demo.live_lender import LoanProcessors, LosSubscriber, RateDesk
    from rooftree_demo.live_staff import OfferTakers, OfficerCallers, OfficerPhones, OfficerRepliers

    return [
        LosSubscriber(control, web=web),
        OfficerPhones(control),
        InquirySender(control, web=web, public=public),
        FeedInquirySender(control, web=web, public=public),
        OfferTakers(),
        OfficerCallers(control),
        TextReplier(control),
        OfficerRepliers(),
        LoanProcessors(control),
        RateDesk(),
    ]


def run_actors(actors: Sequence[Actor], *, warned_at: dict[str, float] = {}) -> None:  # noqa: B006
    """Let each actor do its due actions. A failure (a restart elsewhere) is retried later.

    `warned_at` holds the time of each actor's last warning; one warning every five minutes.
    """
    for actor in actors:
        name = type(actor).__name__
        try:
            close_old_connections()
            actor.act()
        except SimulatorUnreachable as problem:
            log.debug("%s: %s", name, problem)
        except Exception as problem:  # boundary: the others go on when one part is down
            if time.monotonic() - warned_at.get(name, -600.0) > 300:
                warned_at[name] = time.monotonic()
                log.warning("%s: %s: %s", name, type(problem).__name__, str(problem)[:200])
