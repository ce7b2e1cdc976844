"""Money pages: spend, fees, files, invoices, prices, corrections and fundings, to the cent."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from rooftree.flow import clock, money_in
from rooftree.leads.canonical import Cost
from rooftree.leads.models import Lead
from rooftree.los.models import Connection, Handoff
from rooftree.money import book_entries, spend_reminders
from rooftree.money.models import Entry, SourcePrice
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.report_period import parse_period
from rooftree.reporting.rollups import rebuild_rollups, rollup_deltas
from rooftree.web.lists.listed_loans import visible_loans
from tests import make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 12, 2)
NOW = make.NOON.replace(month=12, day=2)


@pytest.fixture
def clerk(db, signed_in):
    make.company(zone="America/New_York")
    with clock.freeze(NOW):
        yield signed_in(make.user("marketing", name="Kit Moss"))


@pytest.fixture
def google():
    return make.source("google_lead_form", name="Google Ads", slug="google-ads")


@pytest.fixture
def vendor():
    return make.source("generic", name="Zillow", slug="zillow", cost_cents=50_00)


def home_row(source, key="2026-11"):
    screen = cost_by_source.load_first_screen(
        period=parse_period(key, TODAY), branch_paths=None, today=TODAY
    )
    return next(row for row in screen.rows if row.source_id == source.pk)


def arrive(source, count=1, cost=None, officer=None, **changes):
    touches = [
        make.touch(make.lead(source=source, officer=officer), **changes) for _ in range(count)
    ]
    for touch in touches:
        entry = book_entries.book_touch_costs([(cost, touch)], at=make.NOON).get(touch.pk)
        rollup_deltas.count_touch(touch.lead, cost=entry)
    return [touch.lead for touch in touches]


def assert_counted():
    assert rebuild_rollups.find_differences() == []


def test_ad_spend_is_spread_over_days_to_the_cent_and_booked_once(clerk, google):
    arrive(google)
    typed = {
        "source": google.pk, "campaign": "Refi", "first": "2026-11-01", "last": "2026-11-30",
        "amount": "1,000.10", "reason": "November report",
    }  # fmt: skip

    before = clerk.get(reverse("money")).content.decode()
    answers = [clerk.post(reverse("money_spend"), typed) for _ in range(2)]
    other = clerk.post(reverse("money_spend"), typed | {"amount": "5", "first": "2026-11-30"})

    assert "No spend entered for November 2026" in before
    assert [answer.status_code for answer in answers] == [303, 303]
    assert other.status_code == 422
    assert "already booked with another amount" in other.content.decode()
    amounts = list(Entry.objects.order_by("on_date").values_list("amount_cents", flat=True))
    assert (len(amounts), sum(amounts), set(amounts)) == (30, 1000_10, {33_33, 33_34})
    entry = Entry.objects.first()
    assert (entry.booked_by.name, entry.reason) == ("Kit Moss", "November report")
    assert entry.campaign.name == "Refi"
    assert home_row(google).spend_cents == 1000_10
    page = clerk.get(answers[0].url).content.decode()
    assert "$1,000.10" in page
    assert "No spend entered" not in page
    drill_down = clerk.get(
        reverse("money"), {"from": "2026-11-01", "until": "2026-12-01", "leads": "none"}
    )
    assert "$1,000.10" in drill_down.content.decode()
    assert_counted()


def test_source_without_last_months_spend_is_named_until_zero_is_booked(clerk, google, vendor):
    typed = {"source": google.pk, "first": "2026-11-01", "last": "2026-11-01", "amount": "0"}

    assert spend_reminders.find_sources_without_spend(TODAY) == [google]
    clerk.post(reverse("money_spend"), typed)

    assert spend_reminders.find_sources_without_spend(TODAY) == []


def test_monthly_fee_is_booked_on_the_first_of_each_month_once(clerk, google):
    typed = {
        "source": google.pk, "name": "Call tracking", "first": "2026-10-15", "months": "3",
        "amount": "3,450",
    }  # fmt: skip

    for _ in range(2):
        clerk.post(reverse("money_fees"), typed)
    refused = clerk.post(reverse("money_fees"), typed | {"amount": "3,000"})

    assert list(Entry.objects.order_by("on_date").values_list("on_date", "amount_cents")) == [
        (date(2026, month, 1), 3450_00) for month in (10, 11, 12)
    ]
    assert refused.status_code == 422
    assert_counted()


def upload(clerk, *lines):
    body = "\n".join(["Date,Source,Campaign,Amount", *lines]).encode()
    file = SimpleUploadedFile("nov.csv", body, "text/csv")
    return clerk.post(reverse("money_files"), {"file": file})


def book_checked(clerk, checked):
    form = checked.context["form"]
    data = {name: form[name].value() for name in ("text", "fingerprint", "name")}
    return clerk.post(reverse("money_file_booking"), data)


def test_spend_file_books_exactly_what_its_check_showed(clerk, google):
    lines = ("2026-11-01,Google Ads,Refi,10.10", "11/02/2026,google-ads,Refi,20.20")
    bad = (
        "2026-11-01,Google Ads,refi,1", "2026-12-31,Google Ads,,1", "2026-11-03,Nobody,,1",
        "soon,Google Ads,,1", "2026-11-04,Google Ads,,-5",
    )  # fmt: skip

    checked = upload(clerk, *lines, *bad)
    assert not Entry.objects.exists()
    plan, refused = checked.context["plan"], checked.context["file"].refused
    booked = book_checked(clerk, checked)
    again = upload(clerk, *lines)
    restated = upload(clerk, lines[0].replace("10.10", "9.60"), lines[1])
    book_checked(clerk, restated)
    stale = book_checked(clerk, checked)

    assert (len(plan.new), plan.new_cents, len(refused)) == (2, 30_30, 5)
    assert [line.line for line in refused] == [4, 5, 6, 7, 8]
    assert "Line 2 has the same date" in refused[0].reason
    assert booked.status_code == 303
    assert [len(part) for part in (again.context["plan"].new, again.context["plan"].booked)] == [
        0,
        2,
    ]
    assert restated.context["plan"].changed_cents == -50
    assert stale.status_code == 409
    assert sorted(Entry.objects.values_list("kind", "amount_cents")) == [
        ("cost", 10_10),
        ("cost", 20_20),
        ("credit", 50),
    ]
    assert set(Entry.objects.values_list("reason", flat=True)) == {"File nov.csv"}
    assert_counted()


def test_unreadable_spend_file_is_refused_with_a_reason(clerk, google):
    file = SimpleUploadedFile("a.csv", b"when,what\n1,2", "text/csv")

    answer = clerk.post(reverse("money_files"), {"file": file})

    assert answer.status_code == 422
    assert "Missing: date, source, amount" in answer.content.decode()


def test_entry_is_corrected_by_a_new_entry_with_a_reason(clerk, google, signed_in):
    money_in.book_ad_spend(
        money_in.SpendPeriod(
            source=google, first=date(2026, 11, 3), last=date(2026, 11, 3), amount_cents=125_000
        ),
        by=make.user("marketing"), at=NOW,
    )  # fmt: skip
    arrive(google)
    entry = Entry.objects.get(basis="ad_spend")
    url = reverse("money_correction", args=[entry.pk])

    without = clerk.post(url, {"amount": "0"})
    clerk.post(url, {"amount": "1,000.01", "reason": "Credit for invalid clicks"})
    page = clerk.get(reverse("money_entry", args=[entry.pk])).content.decode()

    assert without.status_code == 422
    correction = Entry.objects.get(corrects=entry)
    assert (correction.kind, correction.amount_cents) == ("credit", 249_99)
    assert home_row(google).spend_cents == 1000_01
    assert "Credit for invalid clicks" in page
    assert "$1,000.01" in page
    assert signed_in(make.user("executive")).post(url, {"amount": "0"}).status_code == 403
    assert_counted()


def test_invoice_difference_is_told_in_words_and_booked_with_a_reason(clerk, vendor):
    arrive(vendor, 3)
    typed = {"source": vendor.pk, "number": "Z-1", "month": "2026-11-20", "amount": "160.50"}

    recorded = clerk.post(reverse("money_invoices"), typed, follow=True)
    again = clerk.post(reverse("money_invoices"), typed | {"amount": "170"})
    row = recorded.context["months"][0]
    url = reverse("money_invoice_difference", args=[row.invoices[0].pk])
    for _ in range(2):
        clerk.post(url, {"reason": "One lead came by phone"})
    after = clerk.get(reverse("money_invoices"))

    words = "Zillow billed $160.50 for November 2026, $10.50 more than the $150.00 you booked."
    assert row.sentence == words
    assert words in recorded.content.decode()
    assert again.status_code == 422
    assert after.context["months"][0].difference_cents == 0
    entry = Entry.objects.get(basis="invoice")
    assert (entry.amount_cents, entry.on_date) == (10_50, date(2026, 11, 30))
    assert home_row(vendor).spend_cents == 160_50
    assert_counted()


def test_price_from_a_past_day_reprices_leads_after_a_preview(clerk, vendor):
    arrive(vendor, 2)
    arrive(vendor, 1, cost=Cost(amount_cents=75_00, basis="per_lead"))
    bought_before = make.NOON - timedelta(days=20)
    arrive(vendor, 1, at=bought_before)
    typed = {
        "source": vendor.pk, "from_date": "2026-11-20", "amount": "56.42", "reason": "New contract",
    }  # fmt: skip

    preview = clerk.get(reverse("money_prices"), typed)
    assert Entry.objects.count() == 4
    for _ in range(2):
        clerk.post(reverse("money_price_record"), typed)

    assert preview.context["sentences"][0] == "This changes 2 leads by $12.84."
    corrections = Entry.objects.filter(basis="price_change")
    assert list(corrections.values_list("kind", "amount_cents")) == [("cost", 6_42)] * 2
    assert {entry.reason for entry in corrections} == {"New contract"}
    vendor.refresh_from_db()
    assert vendor.cost_cents == 56_42
    assert SourcePrice.objects.get().applied_at == NOW
    assert home_row(vendor).spend_cents == 2 * 56_42 + 75_00 + 50_00
    assert_counted()

    with clock.freeze(NOW + make.MINUTE):
        clerk.post(reverse("money_price_record"), typed | {"amount": "40", "reason": "Discount"})
    assert home_row(vendor).spend_cents == 2 * 40_00 + 75_00 + 50_00
    assert_counted()


def test_price_change_leaves_an_amount_that_staff_corrected(clerk, vendor):
    arrive(vendor, 2)
    twice = Entry.objects.order_by("id").first()
    book_entries.correct_entry(twice, right_cents=0, reason="Entered twice", by=None, at=NOW)
    typed = {"source": vendor.pk, "from_date": "2026-11-20", "amount": "60", "reason": "Contract"}

    preview = clerk.get(reverse("money_prices"), typed)
    clerk.post(reverse("money_price_record"), typed)

    assert preview.context["sentences"][0] == "This changes 1 lead by $10.00."
    assert book_entries.net_amounts([twice])[twice.pk] == 0


@pytest.mark.parametrize("query", ["month=9999-12", "from=0001-01-01&until=9999-12-31"])
def test_impossible_month_shows_this_month(clerk, query):
    assert clerk.get(f"/money/?{query}").status_code == 200


def test_funding_waits_for_a_loan_that_is_on_its_way_to_the_los(clerk, vendor, signed_in):
    dana = make.officer("Dana Reyes")
    lead = make.lead(officer=dana)
    connection = Connection.objects.create(los="encompass", instance="BE1", name="E", slug="e")
    Handoff.objects.create(lead=lead, connection=connection, requested_at=NOW)
    typed = {"funded_date": "2026-12-01", "amount": "412,000", "revenue": "9,270.55"}

    answer = signed_in(dana.user).post(reverse("funding", args=[lead.pk]), typed)

    assert answer.status_code == 422
    assert not lead.loans.exists()


def test_future_price_begins_on_its_day_and_unpriced_leads_get_a_cost(clerk, vendor):
    typed = {
        "source": vendor.pk, "from_date": "2026-12-10", "amount": "80", "reason": "New contract",
    }  # fmt: skip
    clerk.post(reverse("money_price_record"), typed)
    vendor.refresh_from_db()
    assert vendor.cost_cents == 50_00
    begun = NOW + timedelta(days=9)
    touch = make.touch(make.lead(source=vendor, at=begun), at=begun)
    rollup_deltas.count_touch(touch.lead, cost=None)

    money_in.apply_due_prices(at=begun)
    money_in.apply_due_prices(at=begun)

    vendor.refresh_from_db()
    assert vendor.cost_cents == 80_00
    assert list(Entry.objects.values_list("amount_cents", "lead")) == [(80_00, touch.lead_id)]
    assert SourcePrice.objects.get().applied_at == begun
    assert_counted()


def test_funding_without_an_los_makes_homes_cost_per_funded_loan_right(clerk, vendor, signed_in):
    dana = make.officer("Dana Reyes")
    leads = arrive(vendor, 3, officer=dana)
    browser = signed_in(dana.user)
    url = reverse("funding", args=[leads[0].pk])
    typed = {"funded_date": "2026-12-01", "amount": "412,000", "revenue": "9,270.55"}

    answers = [browser.post(url, typed) for _ in range(2)]
    future = browser.post(
        reverse("funding", args=[leads[1].pk]), typed | {"funded_date": "2026-12-31"}
    )
    corrected = browser.post(
        reverse("funding_revenue", args=[leads[0].pk]),
        {"amount": "9,000.50", "reason": "Lender credit"},
    )
    page = browser.get(url).content.decode()

    assert [answer.status_code for answer in answers] == [303, 303]
    assert (future.status_code, corrected.status_code) == (422, 303)
    lead = Lead.objects.get(pk=leads[0].pk)
    assert lead.state == "funded"
    loan = lead.loans.get()
    assert (loan.funded_date, loan.amount_cents, loan.revenue_cents) == (
        date(2026, 12, 1), 412_000_00, 9000_50,
    )  # fmt: skip
    revenue = Entry.objects.filter(loan=loan).order_by("kind")
    assert [(row.kind, row.amount_cents, row.booked_by) for row in revenue] == [
        ("revenue", 9270_55, dana.user),
        ("reversal", 270_05, dana.user),
    ]
    row = home_row(vendor)
    assert (row.funded, row.cost_per_funded_cents, row.revenue_cents) == (1, 150_00, 9000_50)
    assert "$9,000.50" in page
    assert "Lender credit" in page
    assert_counted()


def test_funding_by_hand_moves_to_its_right_day_and_can_be_undone(clerk, vendor, signed_in):
    dana = make.officer("Dana Reyes")
    lead = arrive(vendor, 1, officer=dana)[0]
    browser = signed_in(dana.user)
    typed = {"funded_date": "2026-12-01", "amount": "412,000", "revenue": "9,270.55"}
    browser.post(reverse("funding", args=[lead.pk]), typed)
    date_url, undo_url = (
        reverse(name, args=[lead.pk]) for name in ("funding_date", "funding_undo")
    )

    refused = [
        browser.post(date_url, {"funded_date": "2026-12-31", "reason": "Typo"}),
        browser.post(date_url, {"funded_date": "2026-11-20", "reason": ""}),
        browser.post(undo_url, {"reason": " "}),
    ]
    browser.post(date_url, {"funded_date": "2026-11-20", "reason": "Wire date"})

    assert [answer.status_code for answer in refused] == [422, 422, 422]
    loan = lead.loans.get()
    assert (loan.funded_date, loan.revenue_cents) == (date(2026, 11, 20), 9270_55)
    entries = Entry.objects.filter(loan=loan).order_by("id")
    assert [(row.kind, row.on_date, row.reason) for row in entries] == [
        ("revenue", date(2026, 12, 1), ""),
        ("reversal", date(2026, 12, 1), "Wire date"),
        ("revenue", date(2026, 11, 20), "Wire date"),
    ]
    assert_counted()

    browser.post(undo_url, {"reason": "Wrong lead"})

    lead.refresh_from_db()
    loan.refresh_from_db()
    assert (lead.state, loan.funded_date, loan.revenue_cents) == ("working", None, 0)
    assert Entry.objects.get(reason="Wrong lead").kind == "reversal"
    assert (home_row(vendor).funded, home_row(vendor).revenue_cents) == (0, 0)
    assert "Funding undone" in browser.get(reverse("lead", args=[lead.pk])).text
    assert browser.post(undo_url, {"reason": "Again"}).status_code == 422
    assert not visible_loans(dana.user, NOW).exists()
    assert_counted()

    browser.post(reverse("funding", args=[lead.pk]), typed)

    assert lead.loans.get().funded_date == date(2026, 12, 1)
    assert (home_row(vendor).funded, home_row(vendor).revenue_cents) == (1, 9270_55)
    assert_counted()


def test_loan_in_the_los_gets_its_funding_from_there(clerk, vendor, signed_in):
    dana = make.officer("Dana Reyes")
    lead = make.lead(officer=dana)
    lead.loans.create(los="encompass", instance="BE1", los_loan_id="1", created_at=NOW)
    browser, url = signed_in(dana.user), reverse("funding", args=[lead.pk])

    page = browser.get(url).content.decode()
    typed = {"funded_date": "2026-12-01", "amount": "412,000", "revenue": "9,270.55"}
    answer = browser.post(url, typed)

    assert "The LOS reports this loan" in page
    assert answer.status_code == 422
    assert not Entry.objects.exists()


def test_branch_manager_sees_the_money_of_own_leads_only(clerk, google, vendor, signed_in):
    tampa = make.branch("Tampa")
    money_in.book_ad_spend(
        money_in.SpendPeriod(
            source=google, first=date(2026, 11, 3), last=date(2026, 11, 3), amount_cents=777_00
        ),
        by=make.user("marketing"), at=NOW,
    )  # fmt: skip
    arrive(vendor, 2)
    Lead.objects.filter(pk=Lead.objects.first().pk).update(branch=tampa)
    manager = signed_in(make.user("manager", branch=tampa))

    page = manager.get(reverse("money"), {"month": "2026-11"})

    assert page.context["total"].spend_cents == 50_00
    assert "Google Ads" not in page.content.decode()
    assert (
        manager.get(
            reverse("money_entry", args=[Entry.objects.get(basis="ad_spend").pk])
        ).status_code
        == 404
    )
