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
def test_an_inserted_row_is_the_one_that_create_would_have_made():
    lead = make.lead(details={"channel": "own_web"}, current_rate_pct="6.125")
    values = {field.attname: getattr(lead, field.attname) for field in Lead._meta.concrete_fields}
    lead.delete()

    insert_row(Lead(**values))

    again = Lead.objects.get(pk=values["id"])
    assert {key: getattr(again, key) for key in values} == {
        **values,
        "current_rate_pct": again.current_rate_pct,
    }
    assert str(again.current_rate_pct) == "6.125"


@pytest.mark.django_db
def test_sealed_text_arrays_and_the_databases_own_defaults_are_kept():
    source = Source(
        adapter="zillow", name="One", slug="one", token="secret", allowed_origins=["https://a.b"]
    )

    insert_row(source)

    again = Source.objects.get(pk=source.pk)
    assert (again.token, again.allowed_origins) == ("secret", ["https://a.b"])
    assert again.created_at is not None
    with connection.cursor() as cursor:
        cursor.execute("select token from source where id = %s", [source.pk])
        assert cursor.fetchone()[0] != "secret"


@pytest.mark.django_db
def test_an_inserted_row_can_be_saved_as_one_that_exists():
    person = insert_row(Person(first_name="Ben", created_at=make.NOON))

    person.first_name = "Benjamin"
    person.save()

    assert [person.first_name for person in Person.objects.all()] == ["Benjamin"]


@pytest.mark.django_db
def test_the_like_of_a_row_is_not_inserted_and_nothing_is_broken_by_trying():
    source = make.source()

    first = insert_row_if_new(Campaign(source=source, name="Spring"))
    second = insert_row_if_new(Campaign(source=source, name="Spring"))

    assert (first, second) == (True, False)
    assert Campaign.objects.filter(source=source).count() == 1


@pytest.mark.django_db
def test_what_is_wrong_is_refused_and_not_taken_for_a_repetition():
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_row_if_new(Lead(person=make.person(), source=make.source(), state="odd",
                         created_at=make.NOON, warmed_at=make.NOON))  # fmt: skip


def test_of_eight_at_once_exactly_one_inserts_it(committed):
    source = make.source()

    def attempt(_: int) -> bool:
        try:
            return insert_row_if_new(Campaign(source=source, name="Summer"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(attempt, range(8)))

    assert sorted(done) == [False] * 7 + [True]


@pytest.mark.django_db
def test_rows_inserted_together_are_as_those_inserted_alone():
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
        again = Person.objects.get(pk=person.pk)
        for field in Person._meta.concrete_fields:
            assert getattr(again, field.attname) == getattr(person, field.attname)


@pytest.mark.django_db
def test_bytes_lists_and_documents_come_back_as_they_went():
    source = make.source("zillow")
    values = {
        "headers": {"A": "ü", "B": ["1", None]},
        "body": b"\x00\xff{}",
        "warnings": ["a,b", '"'],
    }
    row = make.delivery(source)
    given = {
        concrete_field.attname: getattr(row, concrete_field.attname)
        for concrete_field in Delivery._meta.concrete_fields
    }
    row.delete()

    insert_rows([Delivery(**given | values)])

    again = Delivery.objects.get()
    assert (again.headers, bytes(again.body), again.warnings) == tuple(values.values())


@pytest.mark.django_db
def test_of_rows_inserted_once_those_with_a_like_are_left_out():
    source = make.source("zillow")
    old = insert_row(Campaign(source=source, name="Spring"))
    again, new = Campaign(source=source, name="Spring"), Campaign(source=source, name="Fall")

    assert insert_new_rows([again, new]) == {new.pk}

    assert {campaign.pk for campaign in Campaign.objects.all()} == {old.pk, new.pk}


@pytest.mark.django_db
@pytest.mark.parametrize("make_row", [make.delivery, make.lead, make.source, make.officer])
def test_the_values_of_a_row_are_what_django_would_send(make_row):
    row = make_row()
    fields = [
        concrete_field
        for concrete_field in type(row)._meta.concrete_fields
        if not concrete_field.has_db_default()
    ]

    django = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]

    assert [*map(repr, row_values(row))] == [*map(repr, django)]
