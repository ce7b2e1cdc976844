"""Booking: each entry once, never edited, with sums exact to the cent."""

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


def book(source, **changes):
    return book_entries.book_entry(
        **{
            "kind": "cost",
            "amount_cents": 65_00,
            "on_date": DAY,
            "source_id": source.pk,
            "basis": "invoice",
            "idempotency_key": f"invoice:{make.number()}",
            "by": None,
            "at": make.NOON,
            **changes,
        }
    )


def cost_of_touch(cost: Cost | None, *, touch, at) -> Entry | None:
    return book_entries.book_touch_costs([(cost, touch)], at=at).get(touch.pk)


@pytest.mark.django_db
def test_same_cause_twice_is_booked_once():
    zillow = make.source()

    first = book(zillow, idempotency_key="invoice:7:1")
    second = book(zillow, idempotency_key="invoice:7:1", at=make.NIGHT)

    assert first.pk == second.pk
    assert Entry.objects.count() == 1
    event = Event.objects.get(kind="money.entry.booked")
    assert (event.data["entry_id"], event.data["amount_cents"]) == (str(first.pk), 65_00)
    assert "reason" not in event.data


@pytest.mark.django_db
def test_same_cause_with_another_amount_is_refused():
    zillow = make.source()
    book(zillow, idempotency_key="invoice:7:1")

    with pytest.raises(book_entries.ConflictingEntry, match="invoice:7:1"):
        book(zillow, idempotency_key="invoice:7:1", amount_cents=66_00)

    assert [e.amount_cents for e in Entry.objects.all()] == [65_00]


@pytest.mark.django_db
def test_negative_amount_cannot_be_booked():
    with pytest.raises(IntegrityError, match="entry_not_negative"), transaction.atomic():
        book(make.source(), amount_cents=-1)


@pytest.mark.django_db
def test_entry_and_ledger_name_the_user():
    clerk = make.user("marketing")

    entry = book(make.source(), by=clerk)

    assert entry.booked_by == clerk
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
        (None, None, None),  # no price is known
        (Cost(amount_cents=0, basis="per_lead"), 65_00, None),  # explicitly free
        (Cost(amount_cents=10_00, basis="none"), 65_00, None),
    ],
)
def test_touch_costs_the_delivery_price_or_the_source_price(cost, source_cents, expected):
    lead = make.lead(source=make.source(cost_cents=source_cents))
    touch = make.touch(lead)

    entry = cost_of_touch(cost, touch=touch, at=make.NOON)

    assert (entry and (entry.amount_cents, entry.basis, entry.is_provisional)) == expected
    if entry:
        assert (entry.lead, entry.delivery, entry.source) == (lead, touch.delivery, lead.source)


@pytest.mark.django_db
def test_repeat_inquiry_costs_again_but_same_touch_does_not():
    lead = make.lead(source=make.source(cost_cents=65_00))
    first, second = make.touch(lead), make.touch(lead, at=make.NIGHT)

    for touch in (first, second, first, second):
        cost_of_touch(None, touch=touch, at=make.NIGHT)

    assert balance.sum_entries(Entry.objects.filter(lead=lead)).spend_cents == 130_00


@pytest.mark.django_db
def test_test_lead_costs_nothing():
    lead = make.lead(is_test=True, source=make.source(cost_cents=65_00))

    assert cost_of_touch(None, touch=make.touch(lead), at=make.NOON) is None
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_late_night_touch_is_booked_on_the_company_day():
    make.company(zone="America/New_York")
    touch = make.touch(make.lead(source=make.source(cost_cents=1)), at=make.NIGHT)  # 4:00 UTC

    assert cost_of_touch(None, touch=touch, at=make.NIGHT).on_date == date(2026, 11, 23)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "counter"),
    [("cost", "credit"), ("credit", "cost"), ("revenue", "reversal"), ("reversal", "revenue")],
)
def test_correction_is_a_new_entry_for_the_difference_and_the_original_stays(kind, counter):
    clerk = make.user("marketing")
    wrong = book(make.source(), kind=kind, amount_cents=500_00)

    def correct(cents):
        return book_entries.correct_entry(
            wrong, right_cents=cents, reason="Typo", by=clerk, at=make.NIGHT
        )

    down, again, up, back = correct(120_00), correct(120_00), correct(600_00), correct(0)

    assert again is None
    assert [(row.kind, row.amount_cents) for row in (down, up, back)] == [
        (counter, 380_00),
        (kind, 480_00),
        (counter, 600_00),
    ]
    assert {(row.basis, row.reason, row.on_date) for row in (down, up, back)} == {
        ("correction", "Typo", DAY)
    }
    sums = balance.sum_entries(Entry.objects.all())
    assert (sums.spend_cents, sums.earned_cents) == (0, 0)
    wrong.refresh_from_db()
    assert (wrong.kind, wrong.amount_cents) == (kind, 500_00)
    with pytest.raises(book_entries.ConflictingEntry, match="correction"):
        book_entries.correct_entry(down, right_cents=1, reason="Typo", by=clerk, at=make.NIGHT)


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
    def test_source_balance_is_the_sum_of_its_entries(self, rows):
        sources = [make.source(), make.source()]
        for kind, amount_cents, position, on_date in rows:
            book(sources[position], kind=kind, amount_cents=amount_cents, on_date=on_date)

        sums = balance.balances_by_source(from_date=DAY, until_date=date(2026, 11, 24))

        for position, source in enumerate(sources):
            own_rows = [r for r in rows if r[2] == position and r[3] == DAY]
            source_balance = sums.get(source.pk, balance.Balance())
            signs = {"cost": 1, "credit": -1}
            assert source_balance.spend_cents == sum(
                signs.get(k, 0) * cents for k, cents, *_ in own_rows
            )
            signs = {"revenue": 1, "reversal": -1}
            assert source_balance.earned_cents == sum(
                signs.get(k, 0) * cents for k, cents, *_ in own_rows
            )
