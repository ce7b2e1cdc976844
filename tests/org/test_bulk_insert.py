"""Bulk inserts store the same rows as Django and skip duplicates."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from rooftree.db.bulk_insert import (
    insert_new_rows,
    insert_row,
    insert_row_if_new,
    insert_rows,
    row_values,
)
from rooftree.leads.models import Campaign, Delivery, Lead, Person, Source
from tests import make


@pytest.mark.django_db
def test_inserted_row_equals_a_created_row():
    lead = make.lead(details={"channel": "own_web"}, current_rate_pct="6.125")
    values = {field.attname: getattr(lead, field.attname) for field in Lead._meta.concrete_fields}
    lead.delete()

    insert_row(Lead(**values))

    stored = Lead.objects.get(pk=values["id"])
    assert {key: getattr(stored, key) for key in values} == {
        **values,
        "current_rate_pct": stored.current_rate_pct,
    }
    assert str(stored.current_rate_pct) == "6.125"


@pytest.mark.django_db
def test_insert_keeps_sealed_text_arrays_and_database_defaults():
    source = Source(
        adapter="zillow", name="One", slug="one", token="secret", allowed_origins=["https://a.b"]
    )

    insert_row(source)

    stored = Source.objects.get(pk=source.pk)
    assert (stored.token, stored.allowed_origins) == ("secret", ["https://a.b"])
    assert stored.created_at is not None
    with connection.cursor() as cursor:
        cursor.execute("select token from source where id = %s", [source.pk])
        assert cursor.fetchone()[0] != "secret"


@pytest.mark.django_db
def test_inserted_row_can_be_saved_again():
    person = insert_row(Person(first_name="Ben", created_at=make.NOON))

    person.first_name = "Benjamin"
    person.save()

    assert [person.first_name for person in Person.objects.all()] == ["Benjamin"]


@pytest.mark.django_db
def test_duplicate_row_is_skipped_without_breaking_the_transaction():
    source = make.source()

    first = insert_row_if_new(Campaign(source=source, name="Spring"))
    second = insert_row_if_new(Campaign(source=source, name="Spring"))

    assert (first, second) == (True, False)
    assert Campaign.objects.filter(source=source).count() == 1


@pytest.mark.django_db
def test_invalid_row_is_refused_and_not_taken_for_a_duplicate():
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_row_if_new(Lead(person=make.person(), source=make.source(), state="odd",
                         created_at=make.NOON, last_inquiry_at=make.NOON))  # fmt: skip


def test_concurrent_inserts_of_one_row_succeed_once(committed):
    source = make.source()

    def attempt(_: int) -> bool:
        try:
            return insert_row_if_new(Campaign(source=source, name="Summer"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(8)))

    assert sorted(results) == [False] * 7 + [True]


@pytest.mark.django_db
def test_bulk_inserted_rows_equal_single_inserts():
    people = [
        Person(
            first_name="Zoë “Z”",
            last_name="O'Neil\\",
            name_key="zoe oneil",
            home_key="1 elm",
            created_at=make.NOON,
        ),
        Person(first_name="Ben", created_at=make.NIGHT, name_key="", home_key=""),
    ]

    insert_rows(people)
    insert_rows([])

    for person in people:
        stored = Person.objects.get(pk=person.pk)
        for field in Person._meta.concrete_fields:
            assert getattr(stored, field.attname) == getattr(person, field.attname)


@pytest.mark.django_db
def test_bytes_lists_and_json_survive_bulk_insert():
    source = make.source("zillow")
    values = {
        "headers": {"A": "ü", "B": ["1", None]},
        "body": b"\x00\xff{}",
        "warnings": ["a,b", '"'],
    }
    row = make.delivery(source)
    row_data = {
        concrete_field.attname: getattr(row, concrete_field.attname)
        for concrete_field in Delivery._meta.concrete_fields
    }
    row.delete()

    insert_rows([Delivery(**row_data | values)])

    stored = Delivery.objects.get()
    assert (stored.headers, bytes(stored.body), stored.warnings) == tuple(values.values())


@pytest.mark.django_db
def test_bulk_insert_skips_duplicates():
    source = make.source("zillow")
    existing = insert_row(Campaign(source=source, name="Spring"))
    duplicate, new = Campaign(source=source, name="Spring"), Campaign(source=source, name="Fall")

    assert insert_new_rows([duplicate, new]) == {new.pk}

    assert {campaign.pk for campaign in Campaign.objects.all()} == {existing.pk, new.pk}


@pytest.mark.django_db
@pytest.mark.parametrize("make_row", [make.delivery, make.lead, make.source, make.officer])
def test_row_values_match_django(make_row):
    row = make_row()
    fields = [
        concrete_field
        for concrete_field in type(row)._meta.concrete_fields
        if not concrete_field.has_db_default()
    ]

    expected = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]

    assert [*map(repr, row_values(row))] == [*map(repr, expected)]
