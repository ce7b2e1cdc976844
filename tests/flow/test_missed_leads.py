"""Leads whose notice never reached us are found in the vendor's own list."""

import pytest

from rooftree.capture.intake import missed_lead_sweeps
from rooftree.capture.models import Sweep
from rooftree.leads.models import Delivery, Lead, Source, Touch
from rooftree_simulators.ads import linkedin, meta
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World
from tests.flow.senders import ANDRE, TOKEN, add_fault, create_source

pytestmark = pytest.mark.usefixtures("committed")


def run_sweep(world: World, minutes: float) -> Sweep:
    world.run(minutes)
    return Sweep.objects.latest("began_at")


def test_meta_lead_without_notice_is_found_in_list(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    noticed_id, missed_id = (
        facebook.submit_lead(ANDRE),
        facebook.submit_lead(ANDRE | {"email": "b@home.example"}),
    )
    facebook.post_notice(noticed_id)
    world.run()

    row = run_sweep(world, 1)
    assert (row.listed, row.missed, row.problem) == (2, 1, "")
    assert row.ended_at is not None
    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == [noticed_id, missed_id]
    delivery = Delivery.objects.get(method="LIST")
    assert (delivery.state, delivery.verification) == ("worked", "the vendor's own list")


def test_next_list_sweep_finds_nothing_missing(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit_lead(ANDRE)
    run_sweep(world, 0)

    row = run_sweep(world, 16)
    assert (row.listed, row.missed) == (1, 0)
    assert Sweep.objects.count() == 2
    assert row.since <= Sweep.objects.earliest("began_at").began_at
    assert Touch.objects.count() == 1


def test_notice_after_list_sweep_is_duplicate(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    lead_id = facebook.submit_lead(ANDRE)
    run_sweep(world, 0)
    assert Touch.objects.count() == 1

    assert facebook.post_notice(lead_id).status == 200
    world.run(1)

    assert Touch.objects.count() == 1


def test_leads_on_several_list_pages_are_all_found(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    for number in range(105):
        form = "991122334455668" if number % 35 == 0 else meta.FORM
        facebook.submit_lead({"full_name": "Nobody Known"}, form=form)

    row = run_sweep(world, 0)

    assert (row.listed, row.missed) == (105, 105)
    assert Delivery.objects.filter(method="LIST").count() == 105


def test_leads_older_than_source_are_not_fetched(world, facebook):
    Source.objects.update(created_at=make.NOON)
    facebook.submit_lead(ANDRE, at=make.NOON - make.DAY)

    row = run_sweep(world, 0)

    assert (row.listed, row.missed) == (0, 0)
    assert not Lead.objects.exists()


def test_unreadable_list_is_never_reported_as_complete(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit_lead(ANDRE)
    facebook.expired = True
    row = run_sweep(world, 0)
    assert row.ended_at is None
    assert "access token" in missed_lead_sweeps.sweep_progress(row.source).problem
    assert missed_lead_sweeps.sweep_progress(row.source).complete_until is None

    facebook.expired = False
    world.run(16)
    row.refresh_from_db()
    assert (row.missed, row.ended_at) == (1, journey.later(16))
    assert Lead.objects.count() == 1


def test_truncated_lead_list_is_requested_again(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit_lead(ANDRE)
    add_fault(facebook, "malformed_json", nth=3)  # the page of leads
    row = run_sweep(world, 0)
    assert (row.ended_at, row.missed) == (None, 0)

    world.run(2)
    row.refresh_from_db()
    assert (row.missed, row.problem) == (1, "")
    assert row.ended_at is not None


ASHBY = {1: "Graham", 2: "Ashby", 3: "g.ashby@home.example", 4: "+1 512 555 0154"}


def connect_linkedin(world: World, **more: str) -> linkedin.LinkedIn:
    create_source("linkedin_lead_sync", linkedin.CLIENT_SECRET, access_token=linkedin.TOKEN, **more)
    Source.objects.update(created_at=make.NOON - make.HOUR)
    vendor = world.simulators.linkedin
    vendor.callback = f"{world.url}/in/linkedin_lead_sync/{TOKEN}"
    return vendor


def test_linkedin_lead_without_notice_is_found_in_list(world):
    vendor = connect_linkedin(world, account=linkedin.ACCOUNT)
    noticed_id, missed_id = (
        vendor.submit_lead(ASHBY),
        vendor.submit_lead(ASHBY | {3: "w.ashby@home.example"}),
    )
    vendor.post_notice(noticed_id)
    world.run()

    row = run_sweep(world, 1)
    assert (row.listed, row.missed, row.problem) == (2, 1, "")
    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == sorted(
        [noticed_id, missed_id]
    )
    assert Delivery.objects.get(method="LIST").state == "worked"
    assert vendor.post_notice(missed_id).status == 200  # late
    world.run(2)
    assert Touch.objects.count() == 2


def test_all_linkedin_pages_are_read_despite_short_pages(world):
    vendor = connect_linkedin(world, account=linkedin.ACCOUNT)
    for number in range(120):
        vendor.submit_lead({1: f"Nobody {number}"})

    row = run_sweep(world, 0)

    assert (row.listed, row.missed) == (120, 120)
    assert row.ended_at is not None


def test_linkedin_list_is_not_requested_without_account(world):
    connect_linkedin(world)

    world.run()

    assert not Sweep.objects.exists()


def test_list_of_another_account_is_reported(world):
    vendor = connect_linkedin(world, account="999")
    vendor.submit_lead(ASHBY)

    row = run_sweep(world, 0)

    assert row.ended_at is None
    assert "rejected our credentials" in missed_lead_sweeps.sweep_progress(row.source).problem
