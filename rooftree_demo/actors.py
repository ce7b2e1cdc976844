"""Everybody outside, and the staff inside, of a live demo: who does something, and when."""

import logging
import time
from collections.abc import Sequence
from typing import Protocol

from django.db import close_old_connections

from rooftree_demo import demo_staff
from rooftree_demo.simulator_client import SimulatorClient, SimulatorUnreachable

log = logging.getLogger("rooftree.demo")


class Actor(Protocol):
    """Somebody with habits. Looked at every beat; does what is due by then."""

    def act(self) -> None: ...


def seed_simulators(control: SimulatorClient, *, web: str, public: str) -> None:
    """Let the simulated vendors know this company: its numbers, its users."""
    from rooftree.org.models import LoanOfficer
    from rooftree_demo.simulator_addresses import MAIN_NUMBER

    ours = [MAIN_NUMBER, *LoanOfficer.objects.values_list("text_number", flat=True)]
    # The carrier signs the address it calls, and we verify against the public one.
    numbers = [{"number": one, "sms_url": f"{public}/in/twilio/text/"} for one in ours if one]
    control.call("twilio/seed", {"numbers": numbers})
    # The product confirms a STOP itself, as the law lets it, once.
    control.call("twilio/switches", {"opt_out_handling": False, "dup_rate": 0.02})
    control.call("enc/seed", {"users": {one.login: "made-up" for one in demo_staff.OFFICERS}})


def create_actors(control: SimulatorClient, *, web: str, public: str) -> list[Actor]:
    """Everyone, in the order in which they are looked at."""
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


def run_actors(everyone: Sequence[Actor], *, complaints: dict[str, float] = {}) -> None:  # noqa: B006
    """Let each do what is due. Trouble of one (a restart somewhere) is tried again later."""
    for actor in everyone:
        name = type(actor).__name__
        try:
            close_old_connections()
            actor.act()
        except SimulatorUnreachable as problem:
            log.debug("%s: %s", name, problem)
        except Exception as problem:  # the edge: the world goes on when one of its parts is away
            if time.monotonic() - complaints.get(name, -600.0) > 300:
                complaints[name] = time.monotonic()
                log.warning("%s: %s: %s", name, type(problem).__name__, str(problem)[:200])
