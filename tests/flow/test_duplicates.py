"""Simultaneous duplicate deliveries become one lead."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, transaction

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, DeliveryKey, Lead, Person, Touch
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def company(committed):
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("FL",))


def test_eight_simultaneous_arrivals_become_one_person_and_one_lead():
    sources = [journey.create_zillow(), journey.create_website()]
    for nth in range(8):
        body = journey.form_post() if nth % 2 else journey.zillow_contact()
        journey.arrive(sources[nth % 2], body)

    run_in_threads(lambda: lead_arrival.process_next_batch(at=make.NOON), times=8)
    journey.run()

    assert Person.objects.count() == 1
    assert Lead.objects.count() == 1
    assert Touch.objects.count() == 8
    assert Touch.objects.filter(is_first=True).count() == 1
    assert Offer.objects.count() == 1
    assert Entry.objects.filter(kind="cost").count() == 4  # each Zillow arrival has a cost
    assert len(journey.sent_texts(Lead.objects.get())) == 1


def test_same_delivery_from_eight_connections_is_stored_once():
    source, contact = journey.create_zillow(), journey.zillow_contact()

    answers = run_in_threads(lambda: journey.arrive(source, contact).answer.to_bytes(), times=8)
    journey.run()

    assert len(set(answers)) == 1
    assert Lead.objects.count() == 1
    assert Delivery.objects.filter(state="worked").count() == 1
    assert Delivery.objects.filter(state="duplicate").count() == 7


def test_one_of_eight_simultaneous_deliveries_replaces_unusable_one():
    source = journey.create_zillow()
    nobody = journey.zillow_contact(sender={"phoneNumber": "", "emailAddress": ""})
    journey.arrive(source, nobody)
    usable = {**journey.zillow_contact(), "id": nobody["id"]}

    with ThreadPoolExecutor(8) as pool:
        with transaction.atomic():
            DeliveryKey.objects.select_for_update().get()  # all of them wait here
            futures = [pool.submit(post_delivery, source, usable) for _ in range(8)]
            while count_waiting_connections() < len(futures) and not any(
                future.done() for future in futures
            ):
                time.sleep(0.02)
        answers = {future.result(timeout=20) for future in futures}
    journey.run(journey.later(1))

    assert len(answers) == 1
    assert DeliveryKey.objects.get().delivery.state == "worked"
    assert Delivery.objects.filter(state="duplicate").count() == 8
    assert Lead.objects.count() == 1


def post_delivery(source, body) -> bytes:
    try:
        return journey.arrive(source, body, at=journey.later(1)).answer.to_bytes()
    finally:
        connection.close()


def count_waiting_connections() -> int:
    """Count the connections that wait for a lock.

    Read from pg_locks, because session statistics do not change within a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("select count(distinct pid) from pg_locks where not granted")
        return cursor.fetchone()[0]


def test_eight_workers_send_message_once():
    lead = journey.deliver(journey.create_website(), journey.form_post(), at=make.NIGHT)
    message = Message.objects.get(lead=lead, medium="text")
    from rooftree.outreach.messages import send

    handled = run_in_threads(
        lambda: send.deliver_messages([message.pk], at=message.due_at), times=8
    )

    assert sum(map(len, handled)) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 1)


def test_batch_locks_leads_in_fixed_order():
    site = journey.create_website()
    posts = {
        journey.deliver(site, post, at=journey.later(nth)).pk: post
        for nth, post in enumerate([another_form_post(0), another_form_post(1)])
    }
    first, second = sorted(posts)
    journey.arrive(site, repeat_post(posts[second]), at=journey.later(3))
    journey.arrive(site, repeat_post(posts[first]), at=journey.later(4))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Lead.objects.select_for_update(no_key=True).get(pk=first)
            act = partial(lead_arrival.process_next_batch, at=journey.later(5))
            working = pool.submit(run_in_threads, act, times=1)
            wait_for_lock_contention()
            unlocked = Lead.objects.select_for_update(no_key=True, skip_locked=True)
            assert unlocked.filter(
                pk=second
            ).exists()  # the batch waits for the first lead and holds no lock
        assert working.result() == [2]
    assert Touch.objects.filter(lead=second).count() == 2


def another_form_post(nth: int) -> dict:
    return journey.form_post(
        first_name=("Ana", "Cleo")[nth],
        phone=f"(813) 555-02{nth:02d}",
        email=f"borrower{nth}@home.example",
    )


def repeat_post(post: dict) -> dict:
    return post | {"submission_id": f"s-{make.number()}"}


def wait_for_lock_contention() -> None:
    """Return once another connection waits for a lock."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        if count_waiting_connections():
            return
        time.sleep(0.02)
    raise TimeoutError("No connection waits for a lock.")


def run_in_threads(act, *, times: int) -> list:
    """Run the same action in `times` threads, each with its own connection."""

    def once(_: int):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(once, range(times)))
