"""Compliance reads the current rules; two compliance officers change one."""

import json
from datetime import date

import pytest
from django.urls import reverse

from rooftree.compliance.rule_changes import approved_changes
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.compliance.rule_changes.rule_items import STATE_ITEMS
from rooftree.flow import clock, rule_change_process
from rooftree.outreach.messages import contact_permissions
from rooftree.tasks.drain_queue import run_queued_tasks
from rooftree.web.compliance import compliance_inbox
from tests import make
from tests.flow import journey
from tests.flow.in_line import create_consented_lead, florida_time, queue_message

pytestmark = pytest.mark.django_db
WHY = {
    "from_date": "2026-12-01", "cite": "Fla. HB 761", "why": "The amended statute begins",
    "counsel": "",
}  # fmt: skip
HOURS = {"mon_fri": "9 AM - 7:30 PM", "sat": "10:00-17:00", "sun": "closed"}


@pytest.fixture(autouse=True)
def noon(db):
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    with clock.freeze(make.NOON):
        yield


@pytest.fixture
def omar(signed_in):
    return signed_in(make.user("compliance", name="Omar Haddad"))


@pytest.fixture
def lena(signed_in):
    return signed_in(make.user("compliance", name="Lena Park"))


def write(browser, item="live", place="FL", **typed):
    answer = browser.post(reverse("rule_change_new", args=[place, item]), {**WHY, **typed})
    run_queued_tasks()  # its dry run
    return answer


def act(browser, action, **typed):
    change = RuleChange.objects.latest("number")
    return browser.post(f"/compliance/rules/changes/{change.pk}/{action}/", typed)


def test_state_page_shows_each_rule_with_citation_and_start_date(omar):
    page = omar.get(reverse("rules_of_place", args=["PA"])).text

    assert all(state_item.label in page for state_item in STATE_ITEMS)
    assert "Mon–Fri 9 AM–7 PM, Sat 9 AM–7 PM, Sun closed" not in page
    assert "Mon–Sat 9 AM–7 PM, Sun closed" in page
    assert "SB 992 of 2025-26 as passed by Senate, since Oct 18, 2026" in page
    assert "Counsel’s choice" in page
    earlier = omar.get(reverse("rules_of_place", args=["PA"]), {"on": "2026-10-01"}).text
    assert "Every day 8 AM–9 PM" in earlier


def test_rules_page_shows_state_federal_and_house_limits(omar):
    page = omar.get(reverse("rules")).text

    assert "31 days" in page
    assert "47 CFR 64.1200(c)(2)(i)(D)" in page
    assert "House limit" in page
    assert "1 in 2 hours, 3 in 24 hours, 8 in 7 days" in page
    assert "Louisiana" in page
    assert "Quiet hours apply even to people who consented." in page
    assert "No changes" in page


def test_two_compliance_officers_change_a_rule_and_the_page_says_who_and_why(omar, lena):
    queue_message(create_consented_lead("Ann"), florida_time("2026-12-01T19:45"))
    answer = write(omar, **HOURS)
    assert answer.status_code == 303
    page = lena.get(answer.url).text
    assert "From every day 8 AM–8 PM to Mon–Fri 9 AM–7:30 PM, Sat 10 AM–5 PM, Sun closed" in page
    assert "<b>1</b> would go later." in page
    assert "Text to Ann" in page
    assert [
        inbox_line.text
        for inbox_line in compliance_inbox.list_inbox_lines(
            RuleChange.objects.get().written_by, make.NOON
        )
    ] == []

    assert act(omar, "approval").status_code == 303
    assert RuleChange.objects.get().is_waiting
    act(lena, "approval")

    rule_change = RuleChange.objects.get()
    assert rule_change.approved_by.name == "Lena Park"
    assert json.loads(rule_change.value) == {
        "mon_fri": ["09:00", "19:30"], "sat": ["10:00", "17:00"], "sun": None,
    }  # fmt: skip
    now = omar.get(reverse("rules_of_place", args=["FL"])).text
    assert "change 1 scheduled" in now
    then = omar.get(reverse("rules_of_place", args=["FL"]), {"on": "2026-12-01"}).text
    assert "Fla. HB 761, since Dec 1, 2026," in then
    assert "change 1</td>" in then
    assert "proposed by Omar Haddad" in omar.get(reverse("rules")).text


def test_campaign_limit_change_moves_no_scheduled_message(omar, lena):
    queue_message(create_consented_lead("Ann"), florida_time("2026-12-01T19:45"))
    today = make.NOON.date().isoformat()
    rules = omar.get(reverse("rules")).text
    assert "Campaign size that needs no second approval" in rules
    assert "1,000" in rules

    answer = write(omar, "release_free_size", "US", value="20", from_date=today)
    page = lena.get(answer.url).text
    assert "From 100 to 20" in page
    assert "Nov 23, 2026, by company time" in page
    assert "No queued message is affected. Campaigns already started keep their limits." in page
    assert "Run preview again" not in page
    assert "<dd>100 people</dd>" in omar.get(reverse("releases")).text
    act(lena, "approval")

    assert "<dd>20 people</dd>" in omar.get(reverse("releases")).text
    ended = omar.get(reverse("rule_change_end", args=[RuleChange.objects.get().pk])).text
    assert "By company time" in ended


def test_rule_change_cannot_be_approved_before_its_dry_run(omar, lena):
    write(omar, **HOURS)
    RuleChange.objects.update(dry_run=None)
    page = lena.get(reverse("rule_change", args=[RuleChange.objects.get().pk])).text
    assert "Checking every queued message." in page
    assert "Approve from" not in page

    act(lena, "approval")

    assert RuleChange.objects.get().is_waiting


def test_loosening_change_is_marked_and_needs_confirmation_of_counsels_advice(omar, lena):
    refused = write(omar, "caps", value="10 in 24 hours")
    assert refused.status_code == 422
    assert "Name the document in which counsel confirms that it is lawful." in refused.text
    write(omar, "caps", value="10 in 24 hours", counsel="Memo 4 of Baker & Lowe")
    page = lena.get(reverse("rule_change", args=[RuleChange.objects.get().pk])).text
    assert "This allows contact that the default rules stop." in page
    assert "Memo 4 of Baker &amp; Lowe" in page

    act(lena, "approval")
    assert RuleChange.objects.get().is_waiting
    act(lena, "approval", read="on")

    assert not RuleChange.objects.get().is_waiting
    assert "looser than default" in omar.get(reverse("rules"), {"on": "2026-12-02"}).text


@pytest.mark.parametrize(
    ("item", "typed", "message"),
    [
        ("live", {**HOURS, "sat": "all day"}, "Enter hours as 9 AM - 8 PM, or closed."),
        ("live", {**HOURS, "sat": "8 PM - 9 AM"}, "Enter a closing time after the opening time."),
        ("caps", {"value": "three a day"}, "“three a day”. Enter a limit as 3 in 24 hours."),
        ("caps", {"value": "3 in 30 days"}, "at most 7 days"),
        ("proclaimed", {"value": "Christmas"}, "“Christmas”. Enter a date"),
        ("caps", {"value": "2 in 24 hours", "cite": ""}, "Enter law, order or document"),
        ("caps", {"value": "2 in 24 hours", "from_date": "2026-01-01"}, "today or a later day"),
        ("caps", {"value": "3 in 24 hours"}, "This is already the value: 3 in 24 hours."),
        ("release_canary_size", {"place": "US", "value": "51"}, "whole number from 1 to 50."),
        ("release_per_hour", {"place": "US", "value": "0"}, "whole number from 1 to 5,000."),
    ],
)  # fmt: skip
def test_invalid_rule_change_is_rejected_at_its_field_and_not_stored(item, typed, message, omar):
    answer = write(omar, item, **typed)

    assert answer.status_code == 422
    assert message in answer.text
    assert not RuleChange.objects.exists()


@pytest.mark.parametrize(
    ("place", "item", "typed", "value"),
    [
        ("FL", "live", {"is_plain": "on", "counsel": "Memo 4"}, "federal"),
        ("ME", "auto", {"is_plain": "on", "counsel": "Memo 4"}, None),
        ("TX", "prerecorded_sun_holiday", {"value": "1 pm to 9 pm"}, ["13:00", "21:00"]),
        ("TX", "holidays", {"value": ["christmas", "new_year"]}, ["christmas", "new_year"]),
        ("TX", "proclaimed", {"value": "12/24/2026\n2026-12-31"}, ["2026-12-24", "2026-12-31"]),
        ("TX", "no_ebr_exemption", {"value": "on"}, True),
        ("NY", "emergency_stop", {"value": "", "counsel": "Memo 4"}, False),
        ("US", "dnc_scrub_days", {"value": "25"}, 25),
        ("US", "call_attempts", {"value": "1 in 4 hours\n2 in 7 days", "counsel": "Memo"},
         [{"n": 1, "hours": 4}, {"n": 2, "days": 7}]),
    ],
)  # fmt: skip
def test_each_value_kind_is_parsed_as_in_the_rule_data(place, item, typed, value, omar):
    assert write(omar, item, place, **typed).status_code == 303

    assert json.loads(RuleChange.objects.get().value) == value
    assert omar.get(reverse("rule_change", args=[RuleChange.objects.get().pk])).status_code == 200


def test_withdrawing_a_rule_change_also_needs_two_people(omar, lena):
    write(omar, **HOURS)
    act(lena, "approval")
    first = RuleChange.objects.get()
    end = reverse("rule_change_end", args=[first.pk])
    assert "End this change" in lena.get(reverse("rule_change", args=[first.pk])).text

    answer = lena.post(end, {**WHY, "from_date": "2026-12-05", "why": "A court stayed it"})
    run_queued_tasks()
    assert "ends <a" in lena.get(answer.url).text
    act(lena, "approval")
    assert approved_changes.load_approved_changes()[0].until_date is None
    act(omar, "approval")

    assert approved_changes.load_approved_changes()[0].until_date == date(2026, 12, 5)
    assert "Ends Dec 5, 2026" in omar.get(reverse("rule_change", args=[first.pk])).text


def test_rejected_rule_change_keeps_its_reason(omar, lena):
    write(omar, **HOURS)
    assert act(lena, "drop").status_code == 303
    assert RuleChange.objects.get().is_waiting

    act(lena, "drop", reason="The bill was vetoed")

    assert "not approved: The bill was vetoed (Lena Park)" in omar.get(reverse("rules")).text


def test_verdict_names_applied_and_unapplied_rule_changes(omar, lena):
    lead = create_consented_lead("Ann")
    for item, typed in (("live", HOURS), ("pewc_all_marketing", {"value": "on"})):
        write(omar, item, from_date="2026-11-23", **{**typed, "mon_fri": "1 PM - 8 PM"})
        act(lena, "approval")

    verdict = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)

    page = omar.get(reverse("verdict", args=[verdict.pk])).text
    assert "Florida, hours for calls and texts: Mon–Fri 1 PM–8 PM" in page
    assert "Without this change: " in page
    assert "Same result without this change" in page
    assert "Same result just now" in page


def test_branch_compliance_reads_rules_and_cannot_change_them(signed_in):
    tampa = signed_in(make.user("compliance", branch=make.branch("Tampa")))

    assert "Change</a>" not in tampa.get(reverse("rules")).text
    assert write(tampa, **HOURS).status_code == 403
    assert not RuleChange.objects.exists()


def test_dry_run_lists_only_leads_that_its_reader_can_see(omar, signed_in):
    queue_message(create_consented_lead("Ann"), florida_time("2026-12-01T19:45"))
    write(omar, **HOURS)
    change = RuleChange.objects.get()
    rule_change_process.run_dry_run(change_id=change.pk, at=make.NOON)
    austin = signed_in(make.user("compliance", branch=make.branch("Austin")))

    page = austin.get(reverse("rule_change", args=[change.pk])).text

    assert "<b>1</b> would go later" in page
    assert "Ann" not in page
