"""The market of a running demo: every way a lead can reach a lender is walked, by real posts."""

from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from rooftree.capture.models import Baseline, PlacedBid
from rooftree.capture.sources import SOURCES
from rooftree.compliance.models import SourceTerms
from rooftree.flow import clock
from rooftree.leads.models import Delivery, Source, Touch
from rooftree_demo import actors, demo_company, feeds, simulator_addresses
from rooftree_demo.feeds import FEEDS
from rooftree_demo.lead_origins import origin_by_slug
from rooftree_demo.live_borrowers import SHARES, InquirySender
from rooftree_demo.live_feeds import FeedInquirySender
from rooftree_demo.simulator_client import SimulatorClient
from tests import make
from tests.flow.outside_world import around

# A file that somebody uploads arrives when they do: nobody outside sends it.
FILES = {
    "csv_import",
    "crm_salesforce",
    "crm_hubspot",
    "crm_zoho",
    "crm_pipedrive",
    "crm_monday",
}


def test_whatever_can_arrive_by_itself_is_driven_by_the_demo():
    driven = {origin_by_slug(slug).adapter for slug in SHARES} | {feed.adapter for feed in FEEDS}

    assert driven == SOURCES.keys() - FILES


@pytest.mark.django_db
def test_each_way_is_set_up_as_an_operator_would_once():
    demo_company.ensure_company(at=make.NOON)
    feeds.ensure_feeds(at=make.NOON)
    feeds.ensure_feeds(at=make.NOON + make.DAY)

    for feed in FEEDS:
        source = Source.objects.get(name=feed.name)
        assert source.launched_at, feed.name
        assert SourceTerms.objects.filter(source=source, reviewed_by__isnull=False).count() == 1
    assert Baseline.objects.filter(watcher__isnull=False).count() == len(FEEDS) - 1  # our site


@pytest.fixture
def market(live_server, settings, committed):
    """A company at noon, its vendors, and time that passes when somebody types."""
    url = live_server.url.replace("localhost", "127.0.0.1")
    settings.MAIL_IN_SECRET = simulator_addresses.MAIL_SECRET
    settings.REPLY_DOMAIN = simulator_addresses.INBOX_DOMAIN
    with ExitStack() as passing, around(url, settings) as world:
        demo_company.ensure_company(at=make.NOON)
        feeds.ensure_feeds(at=make.NOON)
        ports = world.simulators.ports
        known = [field.name for field in fields(simulator_addresses.SimulatorAddresses)]
        addresses = simulator_addresses.SimulatorAddresses(
            **{name: getattr(ports, name) for name in known}
        )
        feeds.configure_mailbox(addresses, at=make.NOON)
        control = SimulatorClient(addresses)
        actors.seed_simulators(control, web=url, public=url)
        places = {"web": url, "public": url}
        shoppers, newcomers = InquirySender(control, **places), FeedInquirySender(control, **places)
        newcomers.street = _typing(newcomers.street, passing)
        yield world, shoppers, newcomers


def _typing(street, passing):
    def sleep(seconds):
        passing.enter_context(clock.freeze(clock.now() + timedelta(seconds=seconds)))

    return replace(street, sleep=sleep)


def test_in_its_first_minutes_a_real_lead_comes_from_every_source(market):
    world, shoppers, newcomers = market

    for actor, rounds in ((shoppers, len(SHARES)), (newcomers, len(FEEDS))):
        for _ in range(rounds):
            actor.next = 0
            actor.act()
        actor.errands.collect_finished(patience=None)
    world.pass_time("PT4M")  # calls end
    for minutes in (5, 6, 25):  # worked, look-ups answered, what was left or untold taken in
        world.run(minutes)

    expected = {Source.objects.get(slug=slug).name for slug in SHARES}
    expected |= {feed.name for feed in FEEDS}
    brought = set(Touch.objects.values_list("source__name", flat=True))
    told = Delivery.objects.exclude(state="worked").values_list("source__name", "outcome", "reason")
    assert expected - brought == set(), list(told)
    assert PlacedBid.objects.exclude(cents=0).exists()
    # By the site's own server, and by the page that we host.
    assert Touch.objects.filter(source__slug="our-site").count() == 2
