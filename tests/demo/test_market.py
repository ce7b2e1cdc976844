"""The live market of a demo: a real lead arrives through every source."""

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
from tests.flow.outside_world import start_outside_world

# Files are uploaded by staff, so no vendor sends them.
FILES = {
    "csv_import",
    "staff_entry",
    "crm_salesforce",
    "crm_hubspot",
    "crm_zoho",
    "crm_pipedrive",
    "crm_monday",
}


def test_demo_sends_leads_through_every_adapter():
    driven = {origin_by_slug(slug).adapter for slug in SHARES} | {feed.adapter for feed in FEEDS}

    assert driven == SOURCES.keys() - FILES


@pytest.mark.django_db
def test_each_feed_is_set_up_once():
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
    """Set up a company at noon and its vendors; time passes while a visitor types."""
    url = live_server.url.replace("localhost", "127.0.0.1")
    settings.MAIL_IN_SECRET = simulator_addresses.MAIL_SECRET
    settings.REPLY_DOMAIN = simulator_addresses.INBOX_DOMAIN
    with ExitStack() as passing, start_outside_world(url, settings) as world:
        demo_company.ensure_company(at=make.NOON)
        feeds.ensure_feeds(at=make.NOON)
        ports = world.simulators.ports
        names = [field.name for field in fields(simulator_addresses.SimulatorAddresses)]
        addresses = simulator_addresses.SimulatorAddresses(
            **{name: getattr(ports, name) for name in names}
        )
        feeds.configure_mailbox(addresses, at=make.NOON)
        control = SimulatorClient(addresses)
        actors.seed_simulators(control, web=url, public=url)
        urls = {"web": url, "public": url}
        history_sender = InquirySender(control, **urls)
        feed_sender = FeedInquirySender(control, **urls)
        feed_sender.context = _with_simulated_sleep(feed_sender.context, passing)
        yield world, history_sender, feed_sender


def _with_simulated_sleep(context, passing):
    def sleep(seconds):
        passing.enter_context(clock.freeze(clock.now() + timedelta(seconds=seconds)))

    return replace(context, sleep=sleep)


def test_every_source_brings_a_real_lead_in_first_minutes(market):
    world, history_sender, feed_sender = market

    for actor, rounds in ((history_sender, len(SHARES)), (feed_sender, len(FEEDS))):
        for _ in range(rounds):
            actor.next_at = 0
            actor.act()
        actor.jobs.collect_finished(patience=None)
    world.pass_time("PT4M")  # calls end
    for minutes in (
        5,
        6,
        25,
    ):  # worked, lookups answered, lost notices and abandoned forms collected
        world.run(minutes)

    expected = {Source.objects.get(slug=slug).name for slug in SHARES}
    expected |= {feed.name for feed in FEEDS}
    delivering = set(Touch.objects.values_list("source__name", flat=True))
    problems = Delivery.objects.exclude(state="worked").values_list(
        "source__name", "outcome", "reason"
    )
    assert expected - delivering == set(), list(problems)
    assert PlacedBid.objects.exclude(cents=0).exists()
    # One through the site's own server, one through the hosted form.
    assert Touch.objects.filter(source__slug="our-site").count() == 2
