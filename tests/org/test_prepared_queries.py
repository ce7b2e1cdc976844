"""A query whose text is kept gives what Django's own gives, whatever it is asked with."""

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


def test_a_row_comes_with_what_belongs_to_it_and_asks_nothing_more(
    leads, django_assert_num_queries
):
    one = PreparedQuery(
        lambda key: Lead.objects.select_related("person", "source", "officer__user").filter(pk=key),
        key=UUID,
    )

    for lead in leads:
        theirs = Lead.objects.select_related("officer__user").get(pk=lead.pk)
        with django_assert_num_queries(1):
            ours = one.get(key=lead.pk)
            belonging = (ours.person, ours.source, ours.officer and ours.officer.user)
        assert values(ours) == values(theirs)
        assert belonging == (theirs.person, theirs.source, theirs.officer and theirs.officer.user)
        assert ours._state.adding is False


def test_what_is_added_to_a_row_comes_with_it(leads):
    other = Lead.objects.filter(person=OuterRef("person")).exclude(pk=OuterRef("pk"))
    one = PreparedQuery(
        lambda key: Lead.objects.annotate(has_other=Exists(other)).filter(pk=key), key=UUID
    )
    make.lead(person=leads[0].person)

    assert [one.get(key=lead.pk).has_other for lead in leads] == [True, False, False]


def test_each_value_stands_in_its_own_place(leads):
    between = PreparedQuery(
        lambda since, until, state: Lead.objects.filter(
            created_at__gte=since, created_at__lt=until, state__in=["working", state]
        ).order_by("pk"),
        since=type(make.NOON), until=type(make.NOON), state=str,
    )  # fmt: skip
    hour = timedelta(hours=1)

    span = {"since": make.NOON - hour, "until": make.NOON + hour}
    assert between.all(**span, state="new") == sorted(leads, key=lambda lead: lead.pk)
    assert between.all(**span, state="funded") == []
    assert between.all(since=make.NOON + hour, until=make.NOON + 2 * hour, state="new") == []


def test_what_is_not_there_is_none_or_an_error_of_its_table(leads):
    one = PreparedQuery(lambda key: Lead.objects.filter(pk=key), key=UUID)

    assert one.first(key=uuid4()) is None
    with pytest.raises(Lead.DoesNotExist):
        one.get(key=uuid4())


def test_the_company_is_read_as_it_stands(leads):
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
def test_only_rows_that_are_still_so_are_changed(leads, where, rows):
    Lead.objects.update(state="new")
    to = {"score": 7, "score_reasons": [{"text": "so"}], "promise_at": make.NOON}

    assert update_where(Lead, where=where, to=to) == rows
    assert Lead.objects.filter(**to).count() == rows


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_list_of_any_length_finds_its_rows(leads, number):
    some = PreparedQuery(
        lambda keys, states: Lead.objects.filter(pk__in=keys, state__in=states).order_by("pk"),
        keys=list[UUID], states=list[str],
    )  # fmt: skip
    wanted = sorted(leads, key=lambda lead: lead.pk)[:number]

    assert some.all(keys=[lead.pk for lead in wanted], states=["new", "working"]) == wanted
    assert some.all(keys=[lead.pk for lead in leads], states=[]) == []


def test_each_row_gets_values_of_its_own_where_it_is_still_so(leads):
    one, two, three = leads
    Lead.objects.filter(pk=two.pk).update(state="retired")
    to = [
        {"id": lead.pk, "score": nth, "score_reasons": [{"text": f"“{nth}”"}], "promise_at": at}
        for nth, (lead, at) in enumerate([(one, make.NOON), (two, make.NOON), (three, None)])
    ]

    assert update_each(Lead, to, where={"state": ["new", "working"]}) == {one.pk, three.pk}
    assert update_each(Lead, []) == set()

    for said in (to[0], to[2]):
        again = Lead.objects.get(pk=said["id"])
        assert {name: getattr(again, name) for name in said if name != "id"} == {
            name: value for name, value in said.items() if name != "id"
        }
    assert Lead.objects.get(pk=two.pk).score is None


def test_rows_are_counted_as_django_counts_them(leads):
    def mine(officer):
        owned = Lead.objects.filter(officer=officer).select_related("person").order_by("-id")
        return owned.values("pk").union(Lead.objects.filter(amount_cents=5).values("pk"))

    counted = PreparedCount(mine, officer=UUID)

    for officer in (leads[1].officer_id, uuid4()):
        assert counted.count(officer=officer) == mine(officer).count()


def test_a_value_that_is_woven_into_another_is_refused(leads):
    woven = PreparedQuery(lambda name: Lead.objects.filter(state__startswith=name), name=str)

    with pytest.raises(ValueError, match="name has no place"):
        woven.all(name="new")
