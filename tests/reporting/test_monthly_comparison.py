"""Monthly comparisons: when they are due, which leads count, and who is notified."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import ProgrammingError
from django.db.transaction import atomic

from rooftree.compliance.fair_lending import compliance_findings
from rooftree.compliance.models import Finding
from rooftree.ledger.models import Event
from rooftree.los.models import Connection, Handoff
from rooftree.org.models import StaffNotice
from rooftree.reporting.fair_lending_monitor import minority_shares, monthly_comparison
from rooftree.reporting.fair_lending_monitor.group_outcomes import Grouping, Measure
from rooftree.reporting.models import FairLendingReport, MinorityShareFile
from rooftree.routing import rule_sets
from rooftree.routing.models import Offer, RoutingDecision
from tests import make

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
MIDDLE = datetime(2026, 10, 15, 15, 0, tzinfo=UTC)
CLOSED = datetime(2026, 11, 8, 5, 0, tzinfo=UTC)  # seven days after October, New York time
FOLLOWED = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)  # thirty days after October
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def lender(db):
    make.company()


def leads(language="en", *, number=30, minutes=10, at=MIDDLE, **changes):
    """Make leads, each with a first attempt after some minutes."""
    attempted_at = None if minutes is None else at + timedelta(minutes=minutes)
    return [
        make.lead(
            at=at, person=make.person(language=language), first_attempt_at=attempted_at, **changes
        )
        for _ in range(number)
    ]  # fmt: skip


def groups(measure=Measure.RESPONSE, by=Grouping.LANGUAGE):
    report = FairLendingReport.objects.get(month=OCTOBER, measure=measure)
    return {group.name: group for group in monthly_comparison.report_groups(report)[by]}


def test_month_is_compared_once_after_the_follow_up_period():
    leads()

    assert monthly_comparison.compare_due_months(at=CLOSED - timedelta(seconds=1)) == 0
    assert monthly_comparison.compare_due_months(at=CLOSED) == 2  # no lead was offered
    assert monthly_comparison.compare_due_months(at=CLOSED) == 0
    assert set(FairLendingReport.objects.values_list("measure", flat=True)) == {
        "response",
        "worked",
    }
    assert monthly_comparison.compare_due_months(at=FOLLOWED) == 1


def test_month_begins_and_ends_in_company_time():
    end = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # midnight in New York
    leads("en", number=30, at=end - timedelta(seconds=1))
    leads("es", number=30, at=end)

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert set(groups()) == {"en"}


def test_test_leads_and_imported_lists_are_left_out():
    leads("en")
    leads("es", is_test=True)
    leads("zh", source=make.source("csv_import"))

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert set(groups()) == {"en"}


def test_lead_without_attempt_counts_as_seven_days():
    leads("en", minutes=10)
    leads("es", number=16, minutes=None)
    leads("es", number=14, minutes=10)

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert groups()["es"].value == 7 * 24 * 60
    assert groups()["en"].value == 10


def test_first_offer_counts_only_the_first_officer():
    officer = make.officer()
    for language, number in (("en", 30), ("es", 30), ("zh", 30)):
        for nth, lead in enumerate(leads(language, number=number)):
            if language == "zh":
                continue
            offer_lead(lead, officer, taken=language == "en" or nth < 15, minute=1)
            if language == "es" and nth >= 15:
                offer_lead(lead, officer, taken=True, minute=5)

    monthly_comparison.compare_month(OCTOBER, Measure.FIRST_OFFER, at=CLOSED)

    by_name = groups(Measure.FIRST_OFFER)
    assert set(by_name) == {"en", "es"}
    assert (by_name["en"].value, by_name["es"].value, by_name["es"].ratio) == (1, 0.5, 2)


def offer_lead(lead, officer, *, taken, minute):
    at = MIDDLE + timedelta(minutes=minute)
    decision = RoutingDecision.objects.create(
        lead=lead,
        rule_set=rule_sets.load_current_rule_set(at=MIDDLE),
        inputs={},
        outcome={},
        officer=officer,
        sentence="",
        at=at,
    )
    ended = {"accepted_at": at} if taken else {"expired_at": at}
    Offer.objects.create(
        lead=lead, officer=officer, decision=decision, offered_at=at,
        due_at=at + timedelta(minutes=2), **ended,
    )  # fmt: skip


def test_worked_needs_three_attempts_or_a_talk_within_a_week():
    late, week = MIDDLE + timedelta(days=7), timedelta(days=7)
    for lead in leads("en"):
        for nth in range(3):
            make_attempt(lead, nth, at=MIDDLE + timedelta(days=nth))
    leads("es", first_conversation_at=MIDDLE + week - timedelta(seconds=1))
    leads("vi", first_conversation_at=late)
    for lead in leads("zh"):
        make_attempt(lead, 0, at=MIDDLE)
        make_attempt(lead, 1, at=MIDDLE, is_automated=True)
        make_attempt(lead, 2, at=MIDDLE, direction="in")
        make_attempt(lead, 3, at=late)

    monthly_comparison.compare_month(OCTOBER, Measure.WORKED, at=CLOSED)

    values = {name: group.value for name, group in groups(Measure.WORKED).items()}
    assert values == {"en": 1, "es": 1, "vi": 0, "zh": 0}


def make_attempt(lead, nth, *, at, **changes):
    lead.attempts.create(
        person=lead.person, medium="call", idempotency_key=f"{lead.pk}:{nth}", at=at, **changes
    )


def test_handoff_within_thirty_days_counts():
    connection = Connection.objects.create(
        los="encompass", name="E", slug="e", base_url="http://localhost", instance="BE1"
    )
    end = MIDDLE + timedelta(days=30)
    for language, asked_at, state in (
        ("en", end - timedelta(seconds=1), "created"),
        ("es", end, "created"),
        ("zh", MIDDLE, "rejected"),
    ):
        for lead in leads(language):
            Handoff.objects.create(
                lead=lead, connection=connection, state=state, requested_at=asked_at
            )

    monthly_comparison.compare_month(OCTOBER, Measure.HANDED_OFF, at=FOLLOWED)

    values = {name: group.value for name, group in groups(Measure.HANDED_OFF).items()}
    assert values == {"en": 1, "es": 0, "zh": 0}


PLACES = b"""tract,ZIP,people,Minority_Share
48453001902,78745,3000,10
48453001903,78745,1000,90
48453001904,00501,0,50
"""
COUNTIES = b"county,state,minority_share\nTravis County,TX,55.5\nOrleans Parish,la,70\n"


def test_tracts_of_a_zip_are_weighted_by_population():
    clerk = make.user("compliance")

    file = minority_shares.load_file(PLACES, name="acs.csv", by=clerk, at=make.NOON)

    assert minority_shares.load_shares(file) == {"78745": 30.0}
    assert minority_shares.load_file(PLACES, name="again.csv", by=clerk, at=make.NOON) == file
    assert MinorityShareFile.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"\xff\xfe", "isn’t a CSV file"),
        (b"zip,share\n78745,5\n", "Name the columns"),
        (b"county,minority_share\nTravis,5\n", "Name the columns"),
        (b"zip,minority_share\n", "no lines"),
        (b"zip,minority_share\n78745,ten\n", "Line 2"),
        (b"zip,minority_share\n78745,100.1\n", "Line 2"),
        (b"zip,minority_share\n78745,5\n787,\n", "Line 3"),
        (b"zip,minority_share\nTX,5\n", "Line 2"),
        (b"county,state,minority_share\nTravis,Texas,5\n", "Line 2"),
    ],
)
def test_file_with_an_invalid_line_is_refused(body, problem):
    with pytest.raises(minority_shares.InvalidShareFile, match=problem):
        minority_shares.load_file(body, name="x.csv", by=make.user("compliance"), at=make.NOON)

    assert not MinorityShareFile.objects.exists()


def test_place_is_the_zip_or_else_the_county():
    minority_shares.load_file(
        b"zip,minority_share\n78745,5\n", name="zips.csv", by=make.user("compliance"), at=MIDDLE
    )
    minority_shares.load_file(
        COUNTIES + b"Here,TX,1\n", name="c.csv", by=make.user("compliance"), at=make.NOON
    )
    leads(minutes=60, property_state="TX", details={"property": {"county": "TRAVIS"}})
    leads(minutes=10, property_state="LA", details={"property": {"county": "Orleans Parish"}})
    leads(minutes=1, property_zip="78745")  # its ZIP is only in the old file

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    by_band = groups(by=Grouping.PLACE)
    assert {name: group.ratio for name, group in by_band.items()} == {"50–80%": None}
    assert by_band["50–80%"].leads == 60


def test_no_place_comparison_without_a_share_file():
    leads(property_zip="78745")

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert groups(by=Grouping.PLACE) == {}
    assert FairLendingReport.objects.get().places is None


def test_high_ratio_notifies_only_compliance_and_once():
    officer = make.user("compliance")
    for role in ("manager", "administrator", "operations", "executive"):
        make.user(role)
    leads("en", minutes=10)
    leads("es", minutes=13)

    monthly_comparison.compare_due_months(at=CLOSED)
    monthly_comparison.compare_due_months(at=CLOSED)

    finding = Finding.objects.get()
    assert (finding.rule, finding.closed_at) == ("FLR-01", None)
    assert "response time by language: Spanish" in finding.sentence
    assert "ratio 1.30; unlikely to be chance" in finding.sentence
    notice = StaffNotice.objects.get()
    assert notice.user == officer
    assert "1.3" not in notice.text
    assert "1.3" not in str(list(Event.objects.values_list("data", flat=True)))


def test_finding_is_closed_once_with_a_conclusion():
    by = make.user("compliance")
    leads("en", minutes=10)
    leads("es", minutes=13)
    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)
    finding = Finding.objects.get()

    with pytest.raises(compliance_findings.BadConclusion):
        compliance_findings.close_finding(finding_id=finding.pk, words=" fine ", by=by, at=CLOSED)
    words = "Night leads of one source; officers were added."
    assert compliance_findings.close_finding(finding_id=finding.pk, words=words, by=by, at=CLOSED)
    assert not compliance_findings.close_finding(
        finding_id=finding.pk, words="Another thing", by=by, at=CLOSED
    )

    finding.refresh_from_db()
    assert (finding.conclusion, finding.closed_by) == (words, by)


def test_report_is_append_only():
    leads()
    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    with pytest.raises(ProgrammingError, match="append-only"), atomic():
        FairLendingReport.objects.update(groups={})


def test_no_other_module_reads_the_monitors_tables():
    table_names = re.compile(
        r"FairLendingReport|MinorityShareFile|MinorityShare\b|fair_lending_report|minority_share"
    )
    readers = {
        str(file.relative_to(ROOT / "rooftree"))
        for file in (ROOT / "rooftree").rglob("*.py")
        if table_names.search(file.read_text())
    }

    assert {path for path in readers if not path.startswith("migrations/")} == {
        "reporting/models.py",
        "reporting/fair_lending_monitor/monthly_comparison.py",
        "reporting/fair_lending_monitor/minority_shares.py",
        "web/fairness/fair_lending_views.py",
        "reporting/retention_records.py",  # names the table for its retention only
        "management/database_grants.py",  # makes its rows read-only
        "reporting/triggers.py",  # likewise
    }
