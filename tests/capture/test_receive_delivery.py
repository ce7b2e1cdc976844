"""Receiving deliveries: stored before they are processed, once, masked, and never lost."""

import json
from dataclasses import replace

import pytest
from django.db import connection

from rooftree.capture.intake import receive_delivery
from rooftree.capture.intake import store_inquiries as storing
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, DeliveryKey, Lead, RejectionCount, Touch
from rooftree.money.models import Entry
from rooftree.tasks.drain_queue import queued_task_names
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
SSN = ("123-45-6789", "123456789")


@pytest.fixture(autouse=True)
def ready():
    journey.set_up_company()


def row() -> Delivery:
    return Delivery.objects.get()


def test_delivery_is_stored_before_it_is_processed():
    source = journey.create_zillow()

    received = journey.arrive(source, journey.zillow_contact())

    assert received.answer.status == 200
    kept = row()
    assert (kept.state, kept.outcome, kept.due_at) == ("received", "accepted", make.NOON)
    assert (kept.source, kept.method, kept.remote_addr) == (source, "POST", "203.0.113.10")
    assert len(queued_task_names()) == 1
    assert not Lead.objects.exists()


def test_path_secret_is_stored_nowhere():
    source = journey.create_zillow()

    received = lead_arrival.accept_delivery(
        source=source,
        incoming=_incoming(
            source,
            headers={"Referer": f"https://x.example/{journey.TOKEN}"},
            query={"t": journey.TOKEN},
        ),
        at=make.NOON,
    )

    assert received.delivery is not None
    assert row().path == "/in/zillow/<token>"
    assert journey.TOKEN not in _dumped(row())


def test_header_credentials_are_not_stored():
    source = journey.create_zillow()

    lead_arrival.accept_delivery(
        source=source,
        incoming=_incoming(
            source, headers={"Authorization": "Basic c2VjcmV0", "Cookie": "a=secretly"}
        ),
        at=make.NOON,
    )

    assert "c2VjcmV0" not in _dumped(row())
    assert "secretly" not in _dumped(row())


@pytest.mark.parametrize("where", ["body", "query", "header"])
@pytest.mark.parametrize("written", SSN)
def test_social_security_number_is_stored_in_no_column(where, written):
    source = journey.create_zillow()
    contact = journey.zillow_contact(message=f"my ssn is {written}" if where == "body" else "hi")

    lead_arrival.accept_delivery(
        source=source,
        incoming=_incoming(
            source,
            contact,
            query={"ssn": written} if where == "query" else {},
            headers={"X-Borrower-SSN": written} if where == "header" else {},
        ),
        at=make.NOON,
    )
    journey.run()

    assert row().state == "worked"
    for one in (row(), Touch.objects.get(), Lead.objects.get()):
        assert not any(number in _dumped(one) for number in SSN)


def test_repeated_delivery_gets_same_answer_and_starts_nothing():
    source, contact = journey.create_zillow(), journey.zillow_contact()
    first = journey.arrive(source, contact)
    journey.run()
    before = (Lead.objects.count(), Touch.objects.count(), Entry.objects.count())

    second = journey.arrive(source, contact, at=journey.later(60))
    journey.run(journey.later(60))

    assert second.delivery is None
    assert second.answer.to_bytes() == first.answer.to_bytes()
    assert before == (Lead.objects.count(), Touch.objects.count(), Entry.objects.count())
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["duplicate", "worked"]


def test_unproven_delivery_is_counted_by_day_and_not_stored():
    source = journey.create_zillow()
    for _ in range(3):
        received = journey.arrive(source, journey.zillow_contact(), path="/in/zillow/guessed")

    assert received.answer.status == 403
    assert received.delivery is None
    assert not Delivery.objects.exists()
    counted = RejectionCount.objects.get()
    assert (counted.adapter, counted.on_date, counted.count) == ("zillow", make.NOON.date(), 3)


def test_unusable_delivery_is_quarantined_and_answered_as_success():
    received = journey.arrive(journey.create_zillow(), nobody())
    journey.run()

    assert received.answer.status == 200
    assert (row().state, row().outcome, row().reason) == (
        "quarantined",
        "quarantined",
        "no_contact",
    )
    assert not Lead.objects.exists()


def test_unreadable_delivery_is_stored_byte_for_byte():
    journey.arrive(journey.create_zillow(), b'{"id": "LC-1", "sender": ')

    assert row().state == "quarantined"
    assert bytes(row().body) == b'{"id": "LC-1", "sender": '


def test_corrected_delivery_with_same_id_is_not_a_repeat():
    source = journey.create_zillow()
    lacking = nobody()
    journey.arrive(source, lacking)

    journey.arrive(source, {**journey.zillow_contact(), "id": lacking["id"]}, at=journey.later(1))
    journey.run(journey.later(1))

    assert Lead.objects.count() == 1
    first, second = Delivery.objects.order_by("received_at")
    assert (first.state, first.reason, second.state) == ("duplicate", "superseded", "worked")
    assert DeliveryKey.objects.get().delivery == second
    third = journey.arrive(source, lacking, at=journey.later(2))
    assert third.delivery is None  # the old bytes again change nothing


def test_vendor_id_of_any_length_is_deduplicated():
    source, contact = journey.create_zillow(), journey.zillow_contact(id="L" * 5000)

    for minutes in (0, 1):
        journey.arrive(source, contact, at=journey.later(minutes))
        journey.run(journey.later(minutes))

    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["duplicate", "worked"]
    assert Lead.objects.count() == 1


def test_newer_adapter_rereads_quarantined_delivery(monkeypatch):
    source = journey.create_zillow()
    journey.arrive(source, nobody())
    adapter = receive_delivery.adapter_of(source)
    old = adapter.read

    def newer(incoming):
        """A newer adapter that finds the number where the old one did not look."""
        contact = json.loads(incoming.body) | {"sender": journey.zillow_contact()["sender"]}
        return old(replace(incoming, body=json.dumps(contact).encode()))

    same = lead_arrival.replay_delivery(
        delivery_id=row().pk, by=make.user().pk, at=journey.later(1)
    )
    assert same.state == "quarantined"
    monkeypatch.setattr(adapter, "read", newer)
    for minutes in (2, 3):
        lead_arrival.replay_delivery(
            delivery_id=row().pk, by=make.user().pk, at=journey.later(minutes)
        )
        journey.run(journey.later(minutes))

    assert (row().state, row().outcome) == ("worked", "accepted")
    assert Touch.objects.count() == Lead.objects.count() == 1


def test_failing_delivery_is_set_aside_and_others_are_processed(monkeypatch):
    source = journey.create_zillow()
    bad = journey.zillow_contact(sender={"firstName": "Poison"})
    good = journey.zillow_contact(
        sender={"firstName": "Ana", "phoneNumber": "8135550177", "emailAddress": "a@home.example"}
    )
    store = storing.store_inquiries

    def strikes(arrivals, **rest):
        if any(arrival.inquiry.borrower.first_name == "Poison" for arrival in arrivals):
            raise KeyError("a bug of ours")
        return store(arrivals, **rest)

    monkeypatch.setattr(storing, "store_inquiries", strikes)
    journey.arrive(source, bad)
    journey.arrive(source, good, at=journey.later(0.1))
    journey.run(journey.later(0.1))

    assert Lead.objects.get().person.first_name == "Ana"
    poisoned = Delivery.objects.get(state="received")
    assert poisoned.attempts == 1
    assert poisoned.due_at > journey.later(0.1)
    for minutes in (1, 5, 20, 60, 120):
        journey.run(journey.later(minutes))
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.reason, poisoned.due_at) == ("quarantined", "our_fault", None)
    assert "KeyError" in poisoned.problem

    monkeypatch.setattr(storing, "store_inquiries", store)  # fixed, and replayed by staff
    lead_arrival.replay_delivery(delivery_id=poisoned.pk, by=make.user().pk, at=journey.later(130))
    journey.run(journey.later(130))
    assert Lead.objects.count() == 2


def test_scheduler_processes_delivery_whose_wakeup_was_lost():
    journey.arrive(journey.create_zillow(), journey.zillow_contact())
    with connection.cursor() as cursor:
        cursor.execute("delete from oban_jobs")

    journey.run(journey.later(0.05))

    assert row().state == "worked"
    assert Lead.objects.count() == 1


def nobody() -> dict:
    contact = journey.zillow_contact()
    contact["sender"] = {"firstName": "Ben"}
    return contact


def _incoming(source, contact=None, *, headers=None, query=None):
    return IncomingDelivery(
        path=f"/in/zillow/{source.token}",
        query=query or {},
        headers={"Content-Type": "application/json", **(headers or {})},
        body=json.dumps(contact or journey.zillow_contact()).encode(),
        remote_addr="203.0.113.10",
        received_at=make.NOON,
        endpoint=receive_delivery.endpoint_of(source),
    )


def _dumped(one) -> str:
    values = [getattr(one, field.attname) for field in one._meta.concrete_fields]
    return " ".join(
        bytes(value).decode() if isinstance(value, bytes | memoryview) else str(value)
        for value in values
    )
