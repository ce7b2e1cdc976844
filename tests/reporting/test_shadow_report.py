"""The report of shadow mode, against a case that was computed by hand."""

from datetime import timedelta

import pytest

from rooftree.compliance.models import Verdict
from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import ShadowLead
from rooftree.money.models import SourcePrice
from rooftree.org import shadow_mode
from rooftree.org.models import ShadowPeriod
from rooftree.outreach.models import Message
from rooftree.reporting.models import ShadowList, ShadowResult
from rooftree.reporting.shadow import report_file, result_lists, shadow_report
from rooftree.routing import rule_sets
from rooftree.routing.models import RoutingDecision, RuleSet
from tests import make

pytestmark = pytest.mark.django_db
END = make.NOON + timedelta(days=14)
HOURS = [make.NOON + timedelta(hours=nth) for nth in range(12)]
OLD = (END - timedelta(days=200)).date().isoformat()


@pytest.fixture
def period() -> ShadowPeriod:
    make.company()
    return shadow_mode.begin_period(by=make.user("administrator"), at=make.NOON)


@pytest.fixture
def zillow(period):
    """Twelve leads of Zillow: ten texts at once, one blocked, one held for eight hours."""
    zillow = make.source("zillow", name="Zillow", cost_cents=60_00)
    SourcePrice.objects.create(
        source=zillow, from_date=make.NOON.date() - timedelta(days=999), cents=45_00, reason="x",
        made_by=period.started_by, made_at=make.NOON,
    )  # fmt: skip
    dana = make.officer("Dana Whitfield")
    for nth, arrived_at in enumerate(HOURS):
        lead = add_copy(zillow, nth, arrived_at, period)
        if nth == 10:
            add_message(lead, arrived_at, decision="block", state="blocked")
            continue
        held = nth == 11
        sent_at = arrived_at + (timedelta(hours=8) if held else timedelta(seconds=nth + 1))
        message = add_message(lead, sent_at)
        if held:
            add_verdict(lead, message, "defer", arrived_at)
        add_decision(lead, dana, arrived_at)
    add_message(lead, HOURS[11], medium="email")
    return zillow


def add_copy(source, nth, arrived_at, period):
    person = make.person(phone=f"+1813555{4100 + nth}")
    lead = make.lead(at=arrived_at, source=source, person=person)
    delivery = make.delivery(source, at=arrived_at)
    touch = make.touch(lead, at=arrived_at, delivery=delivery, vendor_lead_id=f"LC-{nth}")
    ShadowLead.objects.create(lead=lead, period=period, touch=touch, arrived_at=arrived_at)
    return lead


def add_message(lead, at, *, medium="text", decision="allow", state="shadow"):
    message = Message.objects.create(
        idempotency_key=f"touch:{lead.pk}", medium=medium, lead=lead, person_id=lead.person_id,
        purpose="marketing", to_address="x", body="Hi", state=state, created_at=lead.created_at,
    )  # fmt: skip
    message.verdict = add_verdict(lead, message, decision, at)
    message.save()
    return message


def add_verdict(lead, message, decision, at):
    return Verdict.objects.create(
        lead=lead, person_id=lead.person_id, idempotency_key=f"message:{message.pk}",
        medium=message.medium, purpose="marketing", stage="dequeued", decision=decision,
        reason="no_consent" if decision == "block" else "in_window",
        sentence="No written consent for this number." if decision == "block" else "Fine.",
        results=[], facts={}, facts_sha256="", rules_version="1", at=at,
    )  # fmt: skip


def add_decision(lead, officer, at):
    rules = RuleSet.objects.first() or rule_sets.load_current_rule_set(at=at)
    RoutingDecision.objects.create(
        lead=lead, rule_set=rules, inputs={}, outcome={}, officer=officer,
        sentence="Licensed in FL, next in turn.", at=at,
    )  # fmt: skip


def their_list() -> str:
    """Ten contacted after 10, 20 ... 100 minutes, one never, and 120 older leads."""
    heading = "vendor id,phone,source,received,first contact,officer,funded,revenue"
    lines = [heading]
    for nth, arrived_at in enumerate(HOURS[:10]):
        contact = (arrived_at + timedelta(minutes=10 * (nth + 1))).isoformat()
        lines.append(f"LC-{nth},,,,{contact},{'dana WHITFIELD' if nth < 8 else 'Ed Roe'},,")
    lines.append(",(813) 555-4110,,,,,,")
    for source, leads, funded in (("Zillow", 100, 5), ("Our site", 20, 4)):
        for nth in range(leads):
            end = f"{END.date()},7000" if nth < funded else ","
            lines.append(f",,{source},{OLD},,,{end}")
    lines.append(f",,Zillow,{(END - timedelta(days=20)).date()},,,,")
    return "\n".join(lines)


def test_report_says_what_rooftree_would_have_done(period, zillow):
    report = shadow_report.build_report(period, at=END)

    row = report.total
    assert (row.leads, row.texts, row.emails, row.blocked) == (12, 11, 1, 1)
    assert (report.at_once.count, report.at_once.median, report.at_once.p90) == (10, 5.5, 9)
    assert (report.later.count, report.later.median) == (1, None)  # one lead is no median
    assert (report.without_text, report.without_officer) == (1, 1)
    assert [(group.sentence, group.count) for group in report.blocked] == [
        ("No written consent for this number.", 1)
    ]
    assert report.comparison is None
    text, leads = report_file.render_report(report)
    assert leads == 12
    assert '"LC-11"' in text and '"28800.0"' in text and '"Dana Whitfield"' in text


def test_comparison_follows_from_the_list(period, zillow):
    make.source("website_form", name="Our site", slug="our-site", cost_cents=10_00)
    checked = result_lists.check_list(their_list(), period, at=END)
    assert (len(checked.matched), len(checked.unknown), checked.refused) == (11, 121, ())
    assert (checked.contacted, checked.funded, checked.unlisted) == (10, 9, 1)
    for _ in range(2):  # a second list replaces the first
        result_lists.keep_list(checked, period, by=period.started_by, at=END)
    assert (ShadowList.objects.count(), ShadowResult.objects.count()) == (1, 132)

    comparison = shadow_report.build_report(period, at=END).comparison

    assert (comparison.matched, comparison.unknown, comparison.unlisted) == (11, 121, 1)
    assert (comparison.theirs.median, comparison.theirs.p90) == (55 * 60, 90 * 60)
    assert (comparison.ours.median, comparison.ours.count) == (5.5, 10)
    assert (comparison.never, comparison.never_cents) == (1, 45_00)
    assert (comparison.compared_officers, comparison.different_officers) == (10, 2)
    assert [(pair.theirs, pair.ours, pair.leads) for pair in comparison.pairs] == [
        ("Ed Roe", "Dana Whitfield", 2)
    ]
    costs = {row.name: row for row in comparison.costs}
    zillow_row, site = costs["Zillow"], costs["Our site"]
    assert (zillow_row.leads, zillow_row.funded, zillow_row.spend_cents) == (100, 5, 4_500_00)
    assert (zillow_row.cost_cents, zillow_row.revenue_cents) == (900_00, 35_000_00)
    # Wilson, 90 %: 5 of 100 is 2.455 % to 9.916 %, and a lead costs $45.
    assert zillow_row.range_cents == pytest.approx((453_80, 1_833_21), abs=10)
    assert (site.funded, site.cost_cents, site.range_cents) == (4, None, None)  # too few
    assert (costs["Total"].leads, costs["Total"].funded) == (120, 9)
    assert costs["Total"].cost_cents == round((4_500_00 + 200_00) / 9)
    assert (comparison.young, comparison.undated) == (12, 0)


def test_list_names_each_line_that_it_cannot_use(period, zillow):
    lines = {
        "LC-0,,,,,": "",
        "LC-0,,,,,,": "Line 2 is the same lead.",
        ",12,,,,": "The phone number isn't readable.",
        ",,Quicken,,,": "No source is named “Quicken”.",
        ",,,2026-11-23,,": "Name the lead by vendor ID, phone or email, or give its source.",
        "LC-1,,,soon,,": "The received time isn't readable. Write 2026-11-30 14:05.",
        "LC-1,,,2026-11-23 14:00,2026-11-23 13:00,": (
            "The first contact is before the lead was received."
        ),
        "LC-1,,,,2199-01-01,": "A time is in the future.",
        "LC-1,,,2026-11-23,,2026-11-20": "The funding date is before the lead was received.",
        "LC-1,,,,,,about $7k to 9k": (
            "The revenue isn't readable. Write dollars, for example 7450.00."
        ),
    }  # fmt: skip
    heading = "Vendor ID,Phone,Source,Received,First contact,Funded,Revenue"

    checked = result_lists.check_list("\n".join([heading, *lines]), period, at=END)

    assert {problem.line: problem.reason for problem in checked.refused} == {
        number: reason for number, reason in enumerate(lines.values(), start=2) if reason
    }
    assert len(checked.matched) == 1 and not ShadowResult.objects.exists()
    with pytest.raises(InvalidField, match="must name the columns"):
        result_lists.check_list("a,b\n1,2", period, at=END)
