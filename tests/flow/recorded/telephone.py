"""Calls through the simulated carrier, and what it holds and says of them."""

from typing import Any

from rooftree.leads.models import Lead
from tests.flow import journey
from tests.flow.outside_world import World

BEN = "+18135550142"


def connect(world: World, wait: str = "PT45S", **ben: Any) -> Lead:
    """Dana is rung about a new lead, presses 1 and is connected with Ben."""
    if ben:
        world.officer_behaves(BEN, answer_after_s=2, talk_s=300, **ben)
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    world.pass_time(wait)
    return Lead.objects.get()


def at_carrier(world: World) -> list[dict[str, Any]]:
    return world.simulators.twilio.state()["recordings"]


def heard_by(world: World, number: str) -> list[str]:
    return [
        row["text"]
        for call in world.simulators.twilio.state()["calls"]
        if number in (call["to"], call["from"])
        for row in call["heard"]
    ]
