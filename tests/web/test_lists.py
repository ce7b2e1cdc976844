"""Filters, saved views, paging and actions on several leads, on the pages that have them."""

import re
from uuid import uuid4

import pytest

from rooftree.leads.models import Lead, LeadTag, Loan
from rooftree.los.models import Connection
from rooftree.routing.models import BulkAction, SavedView
from rooftree.web.lists import list_page
from rooftree.web.people import views as people_views
from tests import make

CALLED = {"first_attempt_at": make.NOON - 2 * make.DAY, "response_due_at": None}


def named(first, officer, **changes):
    human = make.person(first_name=first, last_name="Price")
    return make.lead(person=human, officer=officer, **{**CALLED, **changes})


def names(page):
    return re.findall(r'href="/leads/[^"]+/?">\s*(?:<b>)?(\w+) Price', page.text)


def test_queue_filters_keep_its_order(cast, signed_in):
    named("Ana", cast.dana, score=10, property_state="FL")
    named("Bob", cast.dana, score=90, property_state="FL")
    named("Cal", cast.dana, score=95, property_state="CA")

    page = signed_in(cast.dana.user).get("/queue/?state=FL")

    assert names(page)[:2] == ["Bob", "Ana"]
    assert "Cal Price" not in page.text
    assert "Remove filter: " in page.text


def test_queue_says_that_filters_hide_leads(cast, signed_in):
    named("Ana", cast.dana)

    page = signed_in(cast.dana.user).get("/queue/?score=80")

    assert "No leads match these filters" in page.text
    assert "You’re all caught up" not in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("purpose=refinance", ["Bob"]),
        ("tag=vip", ["Ana"]),
        ("idle=30", ["Cal"]),
        ("score=80", ["Bob"]),
        ("q=an", ["Ana"]),
        ("status=nurture", ["Cal"]),
    ],
)
def test_people_are_filtered(cast, signed_in, query, expected):
    ana = named("Ana", cast.dana, purpose="purchase", score=10)
    LeadTag.objects.create(lead=ana, name="vip", added_by=cast.ruth, at=make.NOON)
    named("Bob", cast.dana, purpose="refinance_cash_out", score=90)
    old = make.NOON - 60 * make.DAY
    named("Cal", cast.dana, purpose="purchase", score=None, state="nurture", last_inquiry_at=old)

    assert names(signed_in(cast.dana.user).get(f"/people/?{query}")) == expected


def test_unknown_filter_values_filter_nothing(cast, signed_in):
    named("Ana", cast.dana)

    page = signed_in(cast.dana.user).get("/people/?state=ZZ&source=x&idle=-1&order=drop&officer=1")

    assert (page.status_code, names(page)) == (200, ["Ana"])


def test_people_are_paged_and_only_those_the_user_can_see(cast, signed_in, monkeypatch):
    monkeypatch.setattr(people_views, "PAGE_SIZE", 2)
    for nth, name in enumerate(("Ana", "Bob", "Cal")):
        named(name, cast.dana, last_inquiry_at=make.NOON - nth * make.HOUR)
    named("Dan", cast.sam, property_state="TX")
    browser = signed_in(cast.dana.user)

    assert names(browser.get("/people/")) == ["Ana", "Bob"]
    assert names(browser.get("/people/?page=2")) == ["Cal"]
    assert "1 to 2 of 3" in browser.get("/people/?order=newest").text


def test_people_cost_the_same_queries_however_many(cast, signed_in, django_assert_max_num_queries):
    for _ in range(12):
        make.lead(officer=cast.dana, **CALLED)
    browser = signed_in(cast.dana.user)
    browser.get("/people/")

    with django_assert_max_num_queries(20):
        browser.get("/people/")


def save(browser, **changes):
    data = {"page": "people", "query": "state=FL&q=Ana", "name": "Florida", **changes}
    return browser.post("/views/", data)


def test_saved_view_keeps_the_filters_but_no_name_of_a_borrower(cast, signed_in):
    browser = signed_in(cast.dana.user)

    save(browser)

    assert SavedView.objects.get().query == "state=FL"
    page = browser.get("/people/?state=FL")
    assert 'href="/people/?state=FL" aria-current="page"' in page.text
    assert "Delete view" in page.text


def test_private_views_stay_private_and_shared_ones_reach_the_branch(cast, signed_in):
    ruth, dana, sam = (signed_in(user) for user in (cast.ruth, cast.dana.user, cast.sam.user))
    save(ruth, name="Mine")
    save(ruth, name="Ours", query="state=CA", is_shared="on")

    page = dana.get("/people/").text

    assert ("Ours" in page, ">Mine" in page) == (True, False)
    assert "Ours" not in sam.get("/people/").text
    view = SavedView.objects.get(name="Ours")
    assert dana.post(f"/views/{view.pk}/removal/").status_code == 404
    ruth.post(f"/views/{view.pk}/removal/")
    assert not SavedView.objects.filter(name="Ours").exists()


def test_view_without_filters_is_refused(cast, signed_in):
    save(signed_in(cast.dana.user), query="page_name=people&state=ZZ")

    assert not SavedView.objects.exists()


def test_selected_leads_are_snoozed_after_a_preview(cast, signed_in):
    free, owed = named("Ana", cast.dana), named("Bob", cast.dana, first_attempt_at=None)
    Lead.objects.filter(pk=owed.pk).update(response_due_at=make.NOON)
    browser = signed_in(cast.dana.user)
    data = {"lead": [free.pk, owed.pk], "from": "page_name=queue&state=FL"}

    form = browser.post("/bulk-actions/snooze/", data)
    data |= {"days": "7", "reason": "On vacation", "step": "preview", "key": uuid4()}
    preview = browser.post("/bulk-actions/snooze/", data)

    assert "2 leads selected" in form.text
    assert "Bob Price</a>: A first call is due. Call first, then snooze the lead." in " ".join(
        preview.text.split()
    )
    assert Lead.objects.get(pk=free.pk).snoozed_until is None
    result = browser.post("/bulk-actions/snooze/", data | {"step": "run"}, follow=True)
    assert Lead.objects.get(pk=free.pk).snoozed_until is not None
    assert "1 lead did not change" in result.text
    assert 'href="/queue/?state=FL"' in result.text
    action = BulkAction.objects.get()
    browser.post(f"/bulk-actions/{action.pk}/undo/")
    assert Lead.objects.get(pk=free.pk).snoozed_until is None


def test_all_leads_of_a_filter_can_be_tagged(cast, signed_in):
    florida = named("Ana", cast.dana, property_state="FL")
    named("Bob", cast.dana, property_state="CA")
    data = {
        "all": "yes", "from": "page_name=people&state=FL", "tag": "vip", "step": "run",
        "key": uuid4(), "lead": [],
    }  # fmt: skip

    signed_in(cast.dana.user).post("/bulk-actions/tag/", data)

    assert [tag.lead for tag in LeadTag.objects.all()] == [florida]


def test_officer_has_no_button_to_reassign_and_compliance_none_at_all(cast, signed_in):
    named("Ana", cast.dana)

    officer = signed_in(cast.dana.user).get("/people/").text
    compliance = signed_in(cast.omar).get("/people/").text

    assert ("bulk-actions/tag/" in officer, "bulk-actions/reassign/" in officer) == (True, False)
    assert "bulk-actions/" not in compliance


@pytest.fixture
def loans(cast):
    connection = Connection.objects.create(
        los="encompass", name="E", slug="e", base_url="http://localhost", instance="BE1"
    )
    assert connection

    def loan(first, rank, **changes):
        lead = named(first, cast.dana, state="application")
        return Loan.objects.create(
            lead=lead, rank=rank, officer=cast.dana, created_at=make.NOON - 5 * make.DAY, **changes
        )

    return loan


def test_board_counts_all_loans_of_a_column_and_shows_the_first(
    cast, signed_in, loans, monkeypatch
):
    monkeypatch.setattr("rooftree.web.pipeline.views.MAX_CARDS", 2)
    for nth, name in enumerate(("Ana", "Bob", "Cal")):
        loans(name, 50, amount_cents=100_000_00, los_loan_id=str(nth))

    page = signed_in(cast.dana.user).get("/pipeline/").text

    assert ("View all 3" in page, page.count("board__card")) == (True, 2)
    assert "$300K" in page


def test_pipeline_list_is_filtered_and_sorted(cast, signed_in, loans):
    loans("Ana", 50, amount_cents=100_000_00, los_loan_id="1")
    loans("Bob", 50, amount_cents=300_000_00, los_loan_id="2")
    loans("Cal", 60, amount_cents=900_000_00, los_loan_id="3")
    browser = signed_in(cast.dana.user)

    page = browser.get("/pipeline/?view=list&stage=processing&loan_order=amount")

    assert names(page) == ["Bob", "Ana"]
    assert "No loans match these filters" in browser.get("/pipeline/?view=list&days=30").text


def test_only_small_lists_offer_to_select_everything(cast, signed_in, monkeypatch):
    named("Ana", cast.dana)
    named("Bob", cast.dana)
    browser = signed_in(cast.dana.user)

    assert "Select all 2" in browser.get("/people/").text
    monkeypatch.setattr(list_page, "MAX_LEADS", 1)
    assert "Select all 2" not in browser.get("/people/").text
