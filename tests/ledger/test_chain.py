"""The hash chain: any change to a sealed event is detected, without the database."""

import json
from datetime import datetime

import pytest
from django.db import DatabaseError, connection
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.uuid7 import uuid7, uuid7_at
from rooftree.ledger.chain import GENESIS_HASH, HASHED_FIELDS, check_chain, export_event, link_hash
from rooftree.ledger.models import Event
from rooftree.ledger.seal import seal_events
from rooftree.ledger.verify_chain import iterate_sealed_events, verify_ledger
from rooftree.ledger.write_events import write_event
from tests import make
from tests.ledger import unguarded

ALTERATIONS = {
    "kind": "update event set kind = 'test.thing.denied' where sequence = 2",
    "actor": "update event set actor = 'user:somebody' where sequence = 2",
    "data": """update event set data = '{"number": 7}' where sequence = 2""",
    "lead": "update event set lead_id = gen_random_uuid() where sequence = 2",
    "person": "update event set person_id = gen_random_uuid() where sequence = 2",
    "moment": "update event set occurred_at = occurred_at + interval '1 us' where sequence = 2",
    "recorded": "update event set recorded_at = recorded_at - interval '1 us' where sequence = 2",
    "id": "update event set id = gen_random_uuid() where sequence = 2",
    "hash": "update event set chain_hash = repeat('a', 64) where sequence = 2",
    "removal": "delete from event where sequence = 2",
}


@pytest.mark.django_db
@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_altered_row_is_detected_at_its_place(alteration):
    for number in range(4):
        write_event("test.thing.happened", at=make.NOON, number=number)
    seal_events(at=make.NOON)
    assert verify_ledger().is_intact

    with unguarded.ledger(), connection.cursor() as cursor:
        cursor.execute(ALTERATIONS[alteration])

    report = verify_ledger()
    assert report.broken_at == 2
    assert "Event 2" in report.problem


@pytest.mark.django_db
@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_database_refuses_to_change_or_delete_event(alteration):
    for number in range(4):
        write_event("test.thing.happened", at=make.NOON, number=number)
    seal_events(at=make.NOON)

    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(ALTERATIONS[alteration])


@pytest.mark.django_db
def test_forged_hash_breaks_the_next_link():
    for number in range(3):
        write_event("test.thing.happened", at=make.NOON, number=number)
    seal_events(at=make.NOON)
    first, second, _ = Event.objects.order_by("sequence")
    row = {field: getattr(second, field) for field in HASHED_FIELDS} | {"kind": "test.thing.denied"}
    forged = link_hash(row, sequence=2, previous=first.chain_hash)
    with unguarded.ledger():
        Event.objects.filter(id=second.id).update(kind="test.thing.denied", chain_hash=forged)

    assert verify_ledger().broken_at == 3


@pytest.mark.django_db
def test_export_verifies_without_the_database():
    write_event("test.thing.happened", at=make.NOON, lead_id=uuid7(), number=1, text="é")
    write_event("test.thing.happened", at=make.NIGHT, person_id=uuid7(), list=[1, 2])
    head = seal_events(at=make.NOON)

    lines = [
        json.dumps(export_event(r) | {"sequence": r["sequence"], "chain_hash": r["chain_hash"]})
        for r in iterate_sealed_events()
    ]
    report = check_chain(json.loads(line) for line in lines)

    assert (report.link_count, report.head, report.is_intact) == (2, head.chain_hash, True)
    assert not check_chain([json.loads(lines[1])]).is_intact


def test_empty_chain_is_intact():
    assert check_chain([]) == check_chain(iter(()))
    assert check_chain([]).is_intact


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


def chain_of(datas: list[object]) -> list[dict[str, object]]:
    rows, head = [], GENESIS_HASH
    for sequence, data in enumerate(datas, start=1):
        row = {
            "id": uuid7_at(make.NOON),
            "kind": "test.thing.happened",
            "lead_id": None,
            "person_id": None,
            "actor": "system",
            "data": data,
            "occurred_at": make.NOON,
            "recorded_at": make.NOON,
        }
        head = link_hash(row, sequence=sequence, previous=head)
        rows.append(row | {"sequence": sequence, "chain_hash": head})
    return rows


@given(st.lists(values, min_size=1, max_size=8), st.data())
def test_changing_any_field_of_any_row_breaks_the_chain(datas, draw):
    rows = chain_of(datas)
    assert check_chain(rows).is_intact
    assert check_chain(rows).link_count == len(rows)

    place = draw.draw(st.integers(0, len(rows) - 1))
    field = draw.draw(st.sampled_from([*HASHED_FIELDS, "chain_hash"]))
    value = rows[place][field]
    changed = value + make.SECOND if isinstance(value, datetime) else f"{value}!"
    rows[place] = rows[place] | {field: changed}

    assert check_chain(rows).broken_at == place + 1


@given(st.lists(values, min_size=2, max_size=8), st.data())
def test_removed_and_swapped_rows_are_detected(datas, draw):
    rows = chain_of(datas)
    place = draw.draw(st.integers(0, len(rows) - 2))

    assert check_chain(rows[:place] + rows[place + 1 :]).broken_at == place + 1
    swapped = [*rows[:place], rows[place + 1], rows[place], *rows[place + 2 :]]
    assert check_chain(swapped).broken_at == place + 1


@given(st.lists(values, min_size=2, max_size=8), st.data())
def test_part_of_chain_is_checked_from_the_link_before_it(datas, draw):
    rows = chain_of(datas)
    place = draw.draw(st.integers(1, len(rows) - 1))

    report = check_chain(rows[place:], after=place, head=rows[place - 1]["chain_hash"])

    assert (report.link_count, report.is_intact) == (len(rows) - place, True)
