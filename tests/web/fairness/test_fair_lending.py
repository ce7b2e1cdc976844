"""The fair lending monitor and routing rules decide as `rooftree decide` does (FLR-01)."""

from datetime import timedelta

import pytest
from django.urls import reverse

from rooftree.compliance.models import Finding
from rooftree.org.models import AccessEntry
from rooftree.reporting.fair_lending_monitor import monthly_comparison
from rooftree.reporting.fair_lending_monitor.group_outcomes import Measure
from rooftree.reporting.models import FairLendingReport, MinorityShareFile
from rooftree.routing import rule_check, rule_sets
from rooftree.routing.models import RuleSet
from tests import make
from tests.web.fairness.ruled import decide

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", ["race", "property_zip", "last_name", "area_code", "shoe_size"])
def test_routing_rule_is_rejected_for_the_reason_decide_gives(field):
    decision, reason = decide(use="route", field=field)
    assert (decision, reason) != ("allow", "legitimate_need")

    with pytest.raises(rule_check.BadRules, match="FLR-01, 12 CFR 1002.4") as refused:
        rule_sets.publish_rules(
            rule_check.parse_rules([{"name": "R", "criteria": {field: ["x"]}}]),
            by=None,
            at=make.NOON,
        )

    message = str(refused.value)
    assert ("reviewed for fair lending" in message) is (reason == "fair_lending_review")
    assert not RuleSet.objects.exists()


def test_routing_rule_on_officer_pay_is_rejected_as_decide_rules():
    decision, _ = decide(routing_rule="offer_product_with_highest_lo_comp")

    with pytest.raises(rule_check.BadRules, match="can't steer borrowers .LOC-01, 12 CFR"):
        rule_check.parse_rules(
            [{"name": "R", "criteria": {"offer_product_with_highest_lo_comp": True}}]
        )
    assert decision == "block"


def build_comparison(spanish_minutes=13):
    arrived = make.NOON - timedelta(days=40)  # in October
    for language, minutes in (("en", 10), ("es", spanish_minutes)):
        for _ in range(30):
            make.lead(
                at=arrived, person=make.person(language=language),
                first_attempt_at=arrived + timedelta(minutes=minutes),
            )  # fmt: skip
    make.lead(at=arrived, person=make.person(language="ko"))
    monthly_comparison.compare_due_months(at=make.NOON)


@pytest.mark.parametrize("minutes", [12, 13])
def test_disparity_ratio_is_referred_to_compliance_as_decide_rules(minutes, compliance):
    build_comparison(minutes)
    decision, _ = decide(use="monitor", metric="response", ratio=minutes / 10)

    assert Finding.objects.exists() is (decision == "require")
    page = compliance.get(reverse("fair_lending")).text
    assert f"{minutes / 10:.2f}" in page
    assert ("against the reference group, ratio 1.30" in page) is (decision == "require")


def test_monitor_shows_groups_with_intervals_and_hides_small_groups(compliance):
    build_comparison()

    page = compliance.get(reverse("fair_lending")).text

    assert "Fair lending: October 2026" in page
    assert "Privileged and confidential" in page
    assert "13 min" in page
    assert "Korean" in page
    assert "Fewer than 30 leads" in page
    assert "no census file was loaded" in page
    assert "Bonferroni" in page


def test_monitor_before_the_first_month_says_when_it_starts(compliance):
    assert "No months compared yet" in compliance.get(reverse("fair_lending")).text
    assert compliance.get(reverse("fair_lending_taken_out")).status_code == 404
    assert compliance.get(reverse("fair_lending") + "?month=x").status_code == 200


def test_finding_is_closed_with_a_sentence_and_stays_listed(compliance):
    build_comparison()
    finding = Finding.objects.get()
    address = reverse("finding_conclusion", args=[finding.pk])

    compliance.post(address, {"words": ""})
    finding.refresh_from_db()
    assert finding.closed_at is None
    compliance.post(address, {"words": "One source sends at night; its hours were changed."})

    page = compliance.get(reverse("fair_lending")).text
    assert "its hours were changed" in page
    assert "Close finding" not in page


def test_month_export_needs_a_reason_is_marked_and_logged(compliance):
    build_comparison()
    address = reverse("fair_lending_taken_out")

    assert compliance.post(address, {"reason": " "}).status_code == 422
    assert not AccessEntry.objects.filter(kind="exported").exists()
    answer = compliance.post(address, {"reason": "General counsel, yearly review"})

    lines = answer.content.decode("utf-8-sig").splitlines()[1:]
    assert lines
    assert all("prepared at the direction of counsel" in line for line in lines)
    assert any('"Spanish"' in line and '"1.3"' in line for line in lines)
    assert any('"Korean"' in line and '"too few"' in line for line in lines)
    entry = AccessEntry.objects.get(kind="exported")
    assert (entry.subject, entry.reason) == (
        "fair_lending:2026-10",
        "General counsel, yearly review",
    )


def test_census_tract_file_is_loaded_or_rejected_with_a_sentence(compliance, tmp_path):
    good, bad = tmp_path / "acs.csv", tmp_path / "bad.csv"
    good.write_text("zip,minority_share\n78745,40\n")
    bad.write_text("zip,share\n78745,40\n")

    with bad.open("rb") as file:
        refused = compliance.post(reverse("fair_lending"), {"file": file})
    assert (refused.status_code, "Name the columns" in refused.text) == (422, True)
    with good.open("rb") as file:
        compliance.post(reverse("fair_lending"), {"file": file})

    assert MinorityShareFile.objects.get().places == 1
    assert "acs.csv, 1 location" in compliance.get(reverse("fair_lending")).text


@pytest.mark.parametrize("role", ["manager", "administrator", "executive", "operations", "officer"])
def test_only_compliance_sees_the_monitor(role, signed_in):
    build_comparison()
    browser = signed_in(make.officer().user if role == "officer" else make.user(role))

    assert browser.get(reverse("fair_lending")).status_code == 403
    assert browser.post(reverse("fair_lending_taken_out"), {"reason": "x" * 20}).status_code == 403
    assert reverse("fair_lending") not in browser.get(reverse("more")).text
    assert FairLendingReport.objects.filter(measure=Measure.RESPONSE).exists()


def test_branch_compliance_cannot_see_the_company_monitor(signed_in):
    build_comparison()
    browser = signed_in(make.user("compliance", branch=make.branch("Tampa")))

    assert browser.get(reverse("fair_lending")).status_code == 403
    assert browser.get(reverse("fair_lending_taken_out")).status_code == 403
    finding = Finding.objects.get()
    form = {"words": "One source sends at night; its hours were changed."}
    address = reverse("finding_conclusion", args=[finding.pk])
    assert browser.post(address, form).status_code == 403
    finding.refresh_from_db()
    assert finding.closed_at is None
