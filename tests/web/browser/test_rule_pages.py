"""Rule pages in a real Chromium, on a phone and at a desk."""

from datetime import timedelta

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.compliance.rule_changes.change_approval import ChangeGrounds
from rooftree.flow import bootstrap, rule_change_process
from rooftree.org.models import Company
from tests import make
from tests.flow.in_line import create_consented_lead, queue_message
from tests.web.browser.conftest import check_page, open_as


def schedule_texts(noon):
    """Schedule texts on future days to borrowers whose form proves consent."""
    Company.objects.update(
        telemarketer_states=["FL"], mail_is_authenticated=True, emergencies_checked_at=noon,
        texting={"brand_registered": True, "attributes": ["direct_lending"]},
    )  # fmt: skip
    bootstrap.create_defaults(are_approved=True, at=noon)
    for first_name, days in (("Ann", 2), ("Bea", 9), ("Cal", 9)):
        queue_message(
            create_consented_lead(first_name, at=noon),
            noon + timedelta(days=days, hours=7),
            at=noon,
        )


def propose(noon, by, item, value, **changes):
    why = {
        "from_date": noon.date() + timedelta(days=8), "cite": "Fla. HB 761, ch. 2026-114",
        "why": "The amended statute begins on December 1",
    }  # fmt: skip
    change = rule_change_process.propose_change(
        place=changes.pop("place", "FL"), item=item, value=value,
        grounds=ChangeGrounds(**why | changes), by=by, at=noon,
    )  # fmt: skip
    rule_change_process.run_dry_run(change_id=change.pk, at=noon)
    return change


def test_rule_pages_fit_and_are_accessible(chromium, front, people, noon):
    page = open_as(chromium, front, "Compliance")
    page.goto(reverse("rules"))
    check_page(page, "rules-empty")

    al, kim = make.user("compliance", name="Al Frey"), make.user("compliance", name="Kim Roe")
    schedule_texts(noon)
    first = propose(noon, al, "caps", [{"n": 2, "days": 1}])
    rule_change_process.approve_change(change_id=first.pk, by=kim, at=noon)
    counsel = {"counsel": "Memo 4 of Baker & Lowe", "cite": "Baker & Lowe, memo 4"}
    wide = {day: ["08:00", "21:00"] for day in ("mon_fri", "sat", "sun")}
    looser = propose(noon, al, "live", wide, place="LA", **counsel)
    late = {"mon_fri": ["09:00", "17:30"], "sat": ["09:00", "17:30"], "sun": None}
    hours = propose(noon, al, "live", late)
    house = [{"n": 1, "days": 2}, {"n": 2, "days": 7}]
    mails = propose(noon, al, "marketing_emails", house, place="US", from_date=noon.date())
    hourly = propose(
        noon, al, "release_per_hour", 2000, place="US", cite="Our carrier’s contract of 2026",
        why="The carrier takes more since November", counsel="Memo 5 of Baker & Lowe",
    )  # fmt: skip

    page.goto(reverse("rules"))
    check_page(page, "rules")
    page.goto(reverse("rules_of_place", args=["FL"]))
    check_page(page, "rules-place")
    page.goto(reverse("rule_change", args=[looser.pk]))
    check_page(page, "rule-change-looser")
    page.goto(reverse("rule_change", args=[hours.pk]))
    check_page(page, "rule-change")
    page.goto(reverse("rule_change", args=[mails.pk]))
    check_page(page, "rule-change-house")
    page.goto(reverse("rule_change", args=[hourly.pk]))
    check_page(page, "rule-change-release")
    page.goto(reverse("rule_change_new", args=["US", "release_canary_size"]))
    page.get_by_label("First batch of a campaign, before review").fill("60")
    page.get_by_role("button", name="Propose and preview").click()
    expect(page.get_by_text("A whole number from 1 to 50.")).to_be_visible()
    check_page(page, "rule-change-release-refused")
    page.goto(reverse("rule_change_end", args=[first.pk]))
    check_page(page, "rule-change-end")
    page.goto(reverse("rule_change_new", args=["FL", "live"]))
    page.get_by_label("Saturday").fill("all day")
    page.get_by_role("button", name="Propose and preview").click()
    expect(page.get_by_text("Enter hours as 9 AM - 8 PM, or closed.")).to_be_visible()
    check_page(page, "rule-change-refused")
    page.goto(reverse("rule_change_new", args=["UT", "holidays"]))
    check_page(page, "rule-change-holidays")
    page.goto(reverse("compliance"))
    check_page(page, "compliance-rules")
