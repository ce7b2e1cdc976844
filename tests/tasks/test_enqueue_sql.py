"""One queued task processes everything that arrives before it runs."""

import pytest

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead
from rooftree.tasks.drain_queue import queued_task_names
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
QUEUED_TASKS = ["process_deliveries"]


@pytest.fixture
def site():
    journey.set_up_company()
    return journey.create_website()


def receive_form(site, name):
    return journey.arrive(
        site, journey.form_post(first_name=name, email=f"{name}@home.example", phone="")
    )


def test_burst_of_deliveries_queues_one_task_that_processes_all(site):
    for name in ("Ana", "Ben", "Cem"):
        receive_form(site, name)

    assert queued_task_names() == QUEUED_TASKS
    journey.run()
    assert Lead.objects.count() == 3
    assert not Delivery.objects.filter(state="received").exists()


def test_delivery_after_the_task_ran_queues_another(site):
    receive_form(site, "Ana")
    journey.run()

    receive_form(site, "Ben")

    assert queued_task_names() == QUEUED_TASKS


def test_other_queued_task_does_not_count_as_a_duplicate(site):
    lead_arrival.assign_leads.enqueue(lead_ids=[str(make.lead().pk)])

    receive_form(site, "Ana")

    assert sorted(queued_task_names()) == ["assign_leads", *QUEUED_TASKS]


def test_repeated_delivery_queues_nothing(site):
    body = journey.form_post()
    journey.arrive(site, body)
    journey.run()

    journey.arrive(site, body)

    assert queued_task_names() == []
