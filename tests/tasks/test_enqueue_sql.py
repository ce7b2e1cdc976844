"""One nudge wakes a task for all that came before it runs."""

import pytest

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead
from rooftree.tasks.drain_queue import queued_task_names
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
NUDGE = ["process_deliveries"]


@pytest.fixture
def site():
    journey.ready()
    return journey.website()


def arrives(site, name):
    return journey.arrive(
        site, journey.form_post(first_name=name, email=f"{name}@home.example", phone="")
    )


def test_a_burst_is_one_nudge_and_all_of_it_is_worked(site):
    for name in ("Ana", "Ben", "Cem"):
        arrives(site, name)

    assert queued_task_names() == NUDGE
    journey.run()
    assert Lead.objects.count() == 3
    assert not Delivery.objects.filter(state="received").exists()


def test_what_comes_after_it_ran_is_nudged_again(site):
    arrives(site, "Ana")
    journey.run()

    arrives(site, "Ben")

    assert queued_task_names() == NUDGE


def test_another_task_that_waits_is_no_nudge(site):
    lead_arrival.assign_leads.enqueue(lead_ids=[str(make.lead().pk)])

    arrives(site, "Ana")

    assert sorted(queued_task_names()) == ["assign_leads", *NUDGE]


def test_a_repetition_nudges_nobody(site):
    body = journey.form_post()
    journey.arrive(site, body)
    journey.run()

    journey.arrive(site, body)

    assert queued_task_names() == []
