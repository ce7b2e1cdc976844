"""Prepared queries and bulk updates give the same results as Django's own queries."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import Exists, OuterRef

from rooftree.db.bulk_update import update_each, update_where
from rooftree.db.prepared_queries import PreparedCount, PreparedQuery
from rooftree.leads.models import Lead
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from tests import make


def values(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def leads(db):
    make.company()
    return [make.lead(), make.lead(officer=make.officer()), make.lead(amount_cents=5)]


def test_query_loads_related_rows_in_one_query(leads, django_assert_num_queries):
    query = PreparedQuery(
        lambda key: Lead.objects.select_related("person", "source", "officer__user").filter(pk=key),
        key=UUID,
    )

    for lead in leads:
        expected = Lead.objects.select_related("officer__user").get(pk=lead.pk)
        with django_assert_num_queries(1):
            loaded = query.get(key=lead.pk)
            related = (loaded.person, loaded.source, loaded.officer and loaded.officer.user)
        assert values(loaded) == values(expected)
        assert related == (
            expected.person,
            expected.source,
            expected.officer and expected.officer.user,
        )
        assert loaded._state.adding is False


def test_query_returns_annotations(leads):
    other_leads = Lead.objects.filter(person=OuterRef("person")).exclude(pk=OuterRef("pk"))
    query = PreparedQuery(
        lambda key: Lead.objects.annotate(has_other=Exists(other_leads)).filter(pk=key), key=UUID
    )
    make.lead(person=leads[0].person)

    assert [query.get(key=lead.pk).has_other for lead in leads] == [True, False, False]


def test_query_binds_each_parameter_to_its_place(leads):
    query = PreparedQuery(
        lambda since, until, state: Lead.objects.filter(
            created_at__gte=since, created_at__lt=until, state__in=["working", state]
        ).order_by("pk"),
        since=type(make.NOON), until=type(make.NOON), state=str,
    )  # fmt: skip
    hour = timedelta(hours=1)

    span = {"since": make.NOON - hour, "until": make.NOON + hour}
    assert query.all(**span, state="new") == sorted(leads, key=lambda lead: lead.pk)
    assert query.all(**span, state="funded") == []
    assert query.all(since=make.NOON + hour, until=make.NOON + 2 * hour, state="new") == []


def test_missing_row_is_none_or_does_not_exist(leads):
    query = PreparedQuery(lambda key: Lead.objects.filter(pk=key), key=UUID)

    assert query.first(key=uuid4()) is None
    with pytest.raises(Lead.DoesNotExist):
        query.get(key=uuid4())


def test_current_company_is_read_fresh(leads):
    before = current_company()
    Company.objects.update(brand="Another")

    assert (before.brand == current_company().brand, current_company().brand) == (False, "Another")
    assert values(current_company()) == values(Company.objects.get())


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({"state": "new"}, 3),
        ({"state": ["working", "new"], "amount_cents": 5}, 1),
        ({"state": []}, 0),
        ({"officer_id": None}, 2),
        ({"state": "funded"}, 0),
    ],
)
def test_update_where_changes_only_matching_rows(leads, where, rows):
    Lead.objects.update(state="new")
    to = {"score": 7, "score_reasons": [{"text": "so"}], "response_due_at": make.NOON}

    assert update_where(Lead, where=where, to=to) == rows
    assert Lead.objects.filter(**to).count() == rows


@pytest.mark.parametrize("number", [0, 1, 3])
def test_list_parameter_works_with_any_length(leads, number):
    query = PreparedQuery(
        lambda keys, states: Lead.objects.filter(pk__in=keys, state__in=states).order_by("pk"),
        keys=list[UUID], states=list[str],
    )  # fmt: skip
    expected = sorted(leads, key=lambda lead: lead.pk)[:number]

    assert query.all(keys=[lead.pk for lead in expected], states=["new", "working"]) == expected
    assert query.all(keys=[lead.pk for lead in leads], states=[]) == []


def test_update_each_sets_own_values_on_matching_rows(leads):
    first, retired, third = leads
    Lead.objects.filter(pk=retired.pk).update(state="retired")
    rows = [
        {
            "id": lead.pk,
            "score": nth,
            "score_reasons": [{"text": f"“{nth}”"}],
            "response_due_at": at,
        }
        for nth, (lead, at) in enumerate([(first, make.NOON), (retired, make.NOON), (third, None)])
    ]

    assert update_each(Lead, rows, where={"state": ["new", "working"]}) == {first.pk, third.pk}
    assert update_each(Lead, []) == set()

    for row in (rows[0], rows[2]):
        stored = Lead.objects.get(pk=row["id"])
        assert {name: getattr(stored, name) for name in row if name != "id"} == {
            name: value for name, value in row.items() if name != "id"
        }
    assert Lead.objects.get(pk=retired.pk).score is None


def test_prepared_count_matches_django(leads):
    def django_query(officer):
        owned = Lead.objects.filter(officer=officer).select_related("person").order_by("-id")
        return owned.values("pk").union(Lead.objects.filter(amount_cents=5).values("pk"))

    prepared = PreparedCount(django_query, officer=UUID)

    for officer in (leads[1].officer_id, uuid4()):
        assert prepared.count(officer=officer) == django_query(officer).count()


def test_parameter_embedded_in_a_value_is_refused(leads):
    query = PreparedQuery(lambda name: Lead.objects.filter(state__startswith=name), name=str)

    with pytest.raises(ValueError, match="name has no place"):
        query.all(name="new")
