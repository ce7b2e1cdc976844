"""Booking: once each, never edited, and the sums come out to the cent."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rooftree.leads.canonical import Cost
from rooftree.ledger.models import Event
from rooftree.money import balance, book_entries
from rooftree.money.models import Entry
from tests import make

DAY = date(2026, 11, 23)


def booked(source, **changes):
    return book_entries.book_entry(
        **{
            "kind": "cost",
            "amount_cents": 65_00,
            "on_date": DAY,
            "source_id": source.pk,
            "basis": "invoice",
            "cause": f"invoice:{make.number()}",
            "by": None,
            "at": make.NOON,
            **changes,
        }
    )


def cost_of_touch(cost: Cost | None, *, touch, at) -> Entry | None:
    return book_entries.book_touch_costs([(cost, touch)], at=at).get(touch.pk)


@pytest.mark.django_db
def test_the_same_cause_twice_is_one_entry_and_one_event():
    zillow = make.source()

    first = booked(zillow, cause="invoice:7:1")
    second = booked(zillow, cause="invoice:7:1", at=make.NIGHT)

    assert first.pk == second.pk
    assert Entry.objects.count() == 1
    event = Event.objects.get(kind="money.entry.booked")
    assert (event.data["entry_id"], event.data["amount_cents"]) == (str(first.pk), 65_00)


@pytest.mark.django_db
def test_the_same_cause_with_another_amount_is_refused_and_changes_nothing():
    zillow = make.source()
    booked(zillow, cause="invoice:7:1")

    with pytest.raises(book_entries.ConflictingEntry, match="invoice:7:1"):
        booked(zillow, cause="invoice:7:1", amount_cents=66_00)

    assert [e.amount_cents for e in Entry.objects.all()] == [65_00]


@pytest.mark.django_db
def test_a_negative_amount_cannot_be_booked():
    with pytest.raises(IntegrityError, match="entry_not_negative"), transaction.atomic():
        booked(make.source(), amount_cents=-1)


@pytest.mark.django_db
def test_who_booked_it_is_on_the_entry_and_in_the_ledger():
    clerk = make.user("marketing")

    made = booked(make.source(), by=clerk)

    assert made.booked_by == clerk
    assert Event.objects.get().actor == f"user:{clerk.pk}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cost", "source_cents", "expected"),
    [
        (Cost(amount_cents=120_00, basis="per_lead"), 65_00, (120_00, "per_lead", False)),
        (
            Cost(amount_cents=48_50, basis="match_fee", provisional=True),
            None,
            (48_50, "match_fee", True),
        ),
        (None, 65_00, (65_00, "source_terms", False)),  # the delivery names no price
        (None, None, None),  # nobody knows a price
        (Cost(amount_cents=0, basis="per_lead"), 65_00, None),  # free, and said so
        (Cost(amount_cents=10_00, basis="none"), 65_00, None),
    ],
)
def test_a_touch_costs_what_its_delivery_says_or_else_the_sources_price(
    cost, source_cents, expected
):
    lead = make.lead(source=make.source(cost_cents=source_cents))
    touch = make.touch(lead)

    made = cost_of_touch(cost, touch=touch, at=make.NOON)

    assert (made and (made.amount_cents, made.basis, made.is_provisional)) == expected
    if made:
        assert (made.lead, made.delivery, made.source) == (lead, touch.delivery, lead.source)


@pytest.mark.django_db
def test_a_repeated_inquiry_costs_again_and_the_same_touch_does_not():
    lead = make.lead(source=make.source(cost_cents=65_00))
    first, second = make.touch(lead), make.touch(lead, at=make.NIGHT)

    for touch in (first, second, first, second):
        cost_of_touch(None, touch=touch, at=make.NIGHT)

    assert balance.sum_entries(Entry.objects.filter(lead=lead)).spend_cents == 130_00


@pytest.mark.django_db
def test_a_test_lead_costs_nothing():
    lead = make.lead(is_test=True, source=make.source(cost_cents=65_00))

    assert cost_of_touch(None, touch=make.touch(lead), at=make.NOON) is None
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_a_touch_late_at_night_is_booked_on_the_companys_day():
    make.company(zone="America/New_York")
    touch = make.touch(make.lead(source=make.source(cost_cents=1)), at=make.NIGHT)  # 4:00 UTC

    assert cost_of_touch(None, touch=touch, at=make.NIGHT).on_date == date(2026, 11, 23)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "counter"),
    [("cost", "credit"), ("credit", "cost"), ("revenue", "reversal"), ("reversal", "revenue")],
)
def test_a_correction_is_an_entry_of_the_opposite_kind_and_the_wrong_one_stays(kind, counter):
    clerk = make.user("marketing")
    wrong = booked(make.source(), kind=kind, amount_cents=500_00)

    for _ in range(2):
        right = book_entries.correct_entry(
            wrong, amount_cents=500_00, on_date=DAY, by=clerk, at=make.NIGHT
        )

    assert (right.kind, right.basis) == (counter, "correction")
    assert Entry.objects.count() == 2
    sums = balance.sum_entries(Entry.objects.all())
    assert (sums.spend_cents, sums.earned_cents) == (0, 0)
    wrong.refresh_from_db()
    assert (wrong.kind, wrong.amount_cents) == (kind, 500_00)


@pytest.mark.django_db
def test_more_than_was_booked_cannot_be_taken_back():
    wrong = booked(make.source())

    with pytest.raises(book_entries.ConflictingEntry):
        book_entries.correct_entry(
            wrong, amount_cents=65_01, on_date=DAY, by=make.user(), at=make.NOON
        )

    assert Entry.objects.count() == 1


class Sums(TestCase):
    @settings(max_examples=20, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(book_entries.OPPOSITE_KINDS)),
                st.integers(0, 10**9),
                st.integers(0, 1),
                st.sampled_from([DAY, date(2026, 11, 24)]),
            ),
            max_size=12,
        )
    )
    def test_the_balance_of_each_source_is_the_plain_sum_of_its_entries(self, rows):
        sources = [make.source(), make.source()]
        for kind, amount_cents, which, on_date in rows:
            booked(sources[which], kind=kind, amount_cents=amount_cents, on_date=on_date)

        sums = balance.balances_by_source(from_date=DAY, until_date=date(2026, 11, 24))

        for which, source in enumerate(sources):
            mine = [r for r in rows if r[2] == which and r[3] == DAY]
            found = sums.get(source.pk, balance.Balance())
            signs = {"cost": 1, "credit": -1}
            assert found.spend_cents == sum(signs.get(k, 0) * cents for k, cents, *_ in mine)
            signs = {"revenue": 1, "reversal": -1}
            assert found.earned_cents == sum(signs.get(k, 0) * cents for k, cents, *_ in mine)
