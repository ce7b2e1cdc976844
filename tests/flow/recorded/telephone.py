"""Helpers for calls through the simulated carrier, its recordings and spoken texts."""

from typing import Any

from rooftree.leads.models import Lead
from tests.flow import journey
from tests.flow.outside_world import World

BEN = "+18135550142"


def connect(world: World, wait: str = "PT45S", **ben: Any) -> Lead:
    """Ring Dana about a new lead; she presses 1 and is connected with Ben."""
    if ben:
        world.officer_behaves(BEN, answer_after_s=2, talk_s=300, **ben)
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    world.pass_time(wait)
    return Lead.objects.get()


def recordings_at_carrier(world: World) -> list[dict[str, Any]]:
    return world.simulators.twilio.state()["recordings"]


def texts_heard_by(world: World, number: str) -> list[str]:
    return [
        row["text"]
        for call in world.simulators.twilio.state()["calls"]
        if number in (call["to"], call["from"])
        for row in call["heard"]
    ]
