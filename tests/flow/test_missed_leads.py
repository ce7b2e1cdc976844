"""A lead whose notice never reached us is found in its vendor's own list."""

import pytest

from rooftree.capture.intake import missed_lead_sweeps
from rooftree.capture.models import Sweep
from rooftree.leads.models import Delivery, Lead, Source, Touch
from rooftree_simulators.ads import linkedin, meta
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World
from tests.flow.senders import ANDRE, TOKEN, source, strike

pytestmark = pytest.mark.usefixtures("committed")


def gone_through(world: World, minutes: float) -> Sweep:
    world.run(minutes)
    return Sweep.objects.latest("began_at")


def test_a_lead_meta_never_told_us_of_is_found_in_its_list_and_worked(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    told, untold = (
        facebook.submit_lead(ANDRE),
        facebook.submit_lead(ANDRE | {"email": "b@home.example"}),
    )
    facebook.post_notice(told)
    world.run()

    row = gone_through(world, 1)
    assert (row.listed, row.missed, row.problem) == (2, 1, "")
    assert row.ended_at is not None
    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == [told, untold]
    missed = Delivery.objects.get(method="LIST")
    assert (missed.state, missed.verification) == ("worked", "the vendor's own list")


def test_the_next_look_through_the_list_finds_nothing_missing(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit_lead(ANDRE)
    gone_through(world, 0)

    row = gone_through(world, 16)
    assert (row.listed, row.missed) == (1, 0)
    assert Sweep.objects.count() == 2
    assert row.since <= Sweep.objects.earliest("began_at").began_at
    assert Touch.objects.count() == 1


def test_a_notice_that_comes_after_the_list_told_the_lead_is_a_repetition(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    lead_id = facebook.submit_lead(ANDRE)
    gone_through(world, 0)
    assert Touch.objects.count() == 1

    assert facebook.post_notice(lead_id).status == 200
    world.run(1)

    assert Touch.objects.count() == 1


def test_more_leads_than_one_page_of_the_list_are_all_found(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    for n in range(105):
        form = "991122334455668" if n % 35 == 0 else meta.FORM
        facebook.submit_lead({"full_name": "Nobody Known"}, form=form)

    row = gone_through(world, 0)

    assert (row.listed, row.missed) == (105, 105)
    assert Delivery.objects.filter(method="LIST").count() == 105


def test_leads_older_than_the_source_are_not_fetched(world, facebook):
    Source.objects.update(created_at=make.NOON)
    facebook.submit_lead(ANDRE, at=make.NOON - make.DAY)

    row = gone_through(world, 0)

    assert (row.listed, row.missed) == (0, 0)
    assert not Lead.objects.exists()


def test_while_the_list_cannot_be_read_nothing_is_said_to_be_whole(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit_lead(ANDRE)
    facebook.expired = True
    row = gone_through(world, 0)
    assert row.ended_at is None
    assert "access token" in missed_lead_sweeps.sweep_progress(row.source).problem
    assert missed_lead_sweeps.sweep_progress(row.source).complete_until is None

    facebook.expired = False
    world.run(16)
    row.refresh_from_db()
    assert (row.missed, row.ended_at) == (1, journey.later(16))
    assert Lead.objects.count() == 1


def test_a_list_that_was_cut_short_on_its_way_is_asked_for_again(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit_lead(ANDRE)
    strike(facebook, "malformed_json", nth=3)  # the page of leads
    row = gone_through(world, 0)
    assert (row.ended_at, row.missed) == (None, 0)

    world.run(2)
    row.refresh_from_db()
    assert (row.missed, row.problem) == (1, "")
    assert row.ended_at is not None


ASHBY = {1: "Graham", 2: "Ashby", 3: "g.ashby@home.example", 4: "+1 512 555 0154"}


def business(world: World, **more: str) -> linkedin.LinkedIn:
    source("linkedin_lead_sync", linkedin.CLIENT_SECRET, access_token=linkedin.TOKEN, **more)
    Source.objects.update(created_at=make.NOON - make.HOUR)
    vendor = world.simulators.linkedin
    vendor.callback = f"{world.url}/in/linkedin_lead_sync/{TOKEN}"
    return vendor


def test_a_lead_linkedin_never_told_us_of_is_found_in_its_list_and_worked(world):
    vendor = business(world, account=linkedin.ACCOUNT)
    told, untold = (
        vendor.submit_lead(ASHBY),
        vendor.submit_lead(ASHBY | {3: "w.ashby@home.example"}),
    )
    vendor.post_notice(told)
    world.run()

    row = gone_through(world, 1)
    assert (row.listed, row.missed, row.problem) == (2, 1, "")
    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == sorted([told, untold])
    assert Delivery.objects.get(method="LIST").state == "worked"
    assert vendor.post_notice(untold).status == 200  # late
    world.run(2)
    assert Touch.objects.count() == 2


def test_all_pages_of_linkedins_list_are_gone_through_though_it_gives_fewer_than_asked(world):
    vendor = business(world, account=linkedin.ACCOUNT)
    for number in range(120):
        vendor.submit_lead({1: f"Nobody {number}"})

    row = gone_through(world, 0)

    assert (row.listed, row.missed) == (120, 120)
    assert row.ended_at is not None


def test_linkedins_list_is_not_asked_for_while_nobody_named_the_account(world):
    business(world)

    world.run()

    assert not Sweep.objects.exists()


def test_the_list_of_somebody_elses_account_is_told_in_a_sentence(world):
    vendor = business(world, account="999")
    vendor.submit_lead(ASHBY)

    row = gone_through(world, 0)

    assert row.ended_at is None
    assert (
        "does not accept our credentials" in missed_lead_sweeps.sweep_progress(row.source).problem
    )
