"""Sealing: every committed event gets its place once, with any number of sealers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections, transaction

from rooftree.core.uuid7 import uuid7
from rooftree.ledger.models import Event
from rooftree.ledger.seal import seal_events
from rooftree.ledger.verify_chain import verify_ledger
from rooftree.ledger.write_events import write_event
from tests import make


def write_test_events(count=1, at=make.NOON):
    return [write_event("test.thing.happened", at=at, number=number) for number in range(count)]


@pytest.mark.django_db
def test_sealing_numbers_every_event_without_gap():
    write_test_events(5)

    head = seal_events(at=make.NOON)

    assert head.sealed_count == 5
    assert sorted(Event.objects.values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]
    assert verify_ledger().is_intact
    assert verify_ledger().head == head.chain_hash


@pytest.mark.django_db
def test_events_of_a_person_are_numbered_in_chain_order():
    ben, ana = uuid7(), uuid7()
    for minute, person in enumerate((ben, ana, None, ben, ana)):
        write_event("test.thing.happened", at=make.NOON + minute * make.MINUTE, person_id=person)
    seal_events(at=make.NOON, limit=3)
    seal_events(at=make.NOON)

    rows = Event.objects.order_by("sequence").values_list("person_id", "person_place")
    assert list(rows) == [(ben, 1), (ana, 1), (None, None), (ben, 2), (ana, 2)]
    assert verify_ledger().is_intact


@pytest.mark.django_db
def test_limit_leaves_the_rest_for_the_next_sealing():
    write_test_events(5)

    seal_events(at=make.NOON, limit=2)
    assert (verify_ledger().link_count, verify_ledger().unsealed) == (2, 3)
    seal_events(at=make.NOON, limit=10)

    assert (verify_ledger().link_count, verify_ledger().unsealed, verify_ledger().is_intact) == (
        5,
        0,
        True,
    )


@pytest.mark.django_db
def test_late_event_gets_the_next_number():
    early = write_test_events(2)
    seal_events(at=make.NOON)
    before = dict(Event.objects.values_list("id", "sequence"))
    late = write_event("test.thing.happened", at=make.NOON - make.DAY)
    assert late.id < min(event.id for event in early)

    seal_events(at=make.NOON)

    late.refresh_from_db()
    assert late.sequence == 3
    assert {key: Event.objects.get(id=key).sequence for key in before} == before
    assert verify_ledger().is_intact


@pytest.mark.django_db
def test_head_stays_without_new_events():
    write_test_events(2)
    first = seal_events(at=make.NOON)

    again = seal_events(at=make.NOON)

    assert (again.sequence, again.chain_hash, again.sealed_count) == (2, first.chain_hash, 0)


@pytest.mark.django_db(transaction=True)
def test_second_sealer_does_nothing_while_first_runs():
    write_test_events(1)
    with transaction.atomic():
        assert seal_events(at=make.NOON).sealed_count == 1

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_seal_elsewhere).result() is None


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_and_sealers_make_one_intact_chain():
    start = Barrier(6)

    def writer(_):
        start.wait()
        for _ in range(10):
            write_test_events(1)
        connections.close_all()

    def sealer(_):
        start.wait()
        for _ in range(15):
            seal_events(at=make.NOON, limit=3)
        connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(writer, n) for n in range(3)]
        futures += [pool.submit(sealer, n) for n in range(3)]
        for future in futures:
            future.result(timeout=60)

    seal_events(at=make.NOON)

    assert (verify_ledger().link_count, verify_ledger().unsealed, verify_ledger().is_intact) == (
        30,
        0,
        True,
    )


@pytest.mark.django_db(transaction=True)
def test_uncommitted_event_is_not_sealed_and_leaves_no_gap():
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        write_event("test.thing.happened", at=make.NOON - make.DAY)
        pool.submit(_write_elsewhere).result()
        assert pool.submit(_seal_elsewhere).result().sealed_count == 1
    seal_events(at=make.NOON)

    assert (verify_ledger().link_count, verify_ledger().is_intact) == (2, True)


def _seal_elsewhere():
    try:
        return seal_events(at=make.NOON)
    finally:
        connection.close()


def _write_elsewhere():
    try:
        write_test_events(1)
    finally:
        connection.close()
