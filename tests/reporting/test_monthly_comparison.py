"""The months of the monitor: when they are compared, of what, and who hears of it."""

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
CLOSED = datetime(2026, 11, 8, 5, 0, tzinfo=UTC)  # seven days after October, by New York
FOLLOWED = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)  # and thirty
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def lender(db):
    make.company()


def leads(language="en", *, number=30, minutes=10, at=MIDDLE, **changes):
    """So many, each first tried after some minutes."""
    tried = None if minutes is None else at + timedelta(minutes=minutes)
    return [
        make.lead(
            at=at, person=make.person(language=language), first_attempt_at=tried, **changes
        )
        for _ in range(number)
    ]  # fmt: skip


def groups(measure=Measure.RESPONSE, by=Grouping.LANGUAGE):
    report = FairLendingReport.objects.get(month=OCTOBER, measure=measure)
    return {one.name: one for one in monthly_comparison.report_groups(report)[by]}


def test_a_month_is_compared_once_its_leads_were_followed_and_never_again():
    leads()

    assert monthly_comparison.compare_due_months(at=CLOSED - timedelta(seconds=1)) == 0
    assert monthly_comparison.compare_due_months(at=CLOSED) == 2  # nobody was offered any
    assert monthly_comparison.compare_due_months(at=CLOSED) == 0
    assert set(FairLendingReport.objects.values_list("measure", flat=True)) == {
        "response",
        "worked",
    }
    assert monthly_comparison.compare_due_months(at=FOLLOWED) == 1


def test_a_month_begins_and_ends_by_the_company_s_clock():
    end = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # midnight in New York
    leads("en", number=30, at=end - timedelta(seconds=1))
    leads("es", number=30, at=end)

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert set(groups()) == {"en"}


def test_tests_and_lists_are_left_out():
    leads("en")
    leads("es", is_test=True)
    leads("zh", source=make.source("csv_import"))

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert set(groups()) == {"en"}


def test_a_lead_nobody_tried_waited_to_the_end():
    leads("en", minutes=10)
    leads("es", number=16, minutes=None)
    leads("es", number=14, minutes=10)

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert groups()["es"].value == 7 * 24 * 60
    assert groups()["en"].value == 10


def test_the_first_officer_asked_counts_and_a_lead_never_offered_does_not():
    officer = make.officer()
    for language, number in (("en", 30), ("es", 30), ("zh", 30)):
        for nth, lead in enumerate(leads(language, number=number)):
            if language == "zh":
                continue
            offered(lead, officer, taken=language == "en" or nth < 15, minute=1)
            if language == "es" and nth >= 15:
                offered(lead, officer, taken=True, minute=5)

    monthly_comparison.compare_month(OCTOBER, Measure.FIRST_OFFER, at=CLOSED)

    found = groups(Measure.FIRST_OFFER)
    assert set(found) == {"en", "es"}
    assert (found["en"].value, found["es"].value, found["es"].ratio) == (1, 0.5, 2)


def offered(lead, officer, *, taken, minute):
    at = MIDDLE + timedelta(minutes=minute)
    decision = RoutingDecision.objects.create(
        lead=lead,
        rule_set=rule_sets.current_rule_set(at=MIDDLE),
        inputs={},
        outcome={},
        officer=officer,
        sentence="",
        at=at,
    )
    ended = {"taken_at": at} if taken else {"lapsed_at": at}
    Offer.objects.create(
        lead=lead, officer=officer, decision=decision, offered_at=at,
        due_at=at + timedelta(minutes=2), **ended,
    )  # fmt: skip


def test_three_tries_by_a_person_or_a_talk_within_a_week_are_enough():
    late, week = MIDDLE + timedelta(days=7), timedelta(days=7)
    for lead in leads("en"):
        for nth in range(3):
            attempt(lead, nth, at=MIDDLE + timedelta(days=nth))
    leads("es", first_talk_at=MIDDLE + week - timedelta(seconds=1))
    leads("vi", first_talk_at=late)
    for lead in leads("zh"):
        attempt(lead, 0, at=MIDDLE)
        attempt(lead, 1, at=MIDDLE, is_automated=True)
        attempt(lead, 2, at=MIDDLE, direction="in")
        attempt(lead, 3, at=late)

    monthly_comparison.compare_month(OCTOBER, Measure.WORKED, at=CLOSED)

    values = {name: one.value for name, one in groups(Measure.WORKED).items()}
    assert values == {"en": 1, "es": 1, "vi": 0, "zh": 0}


def attempt(lead, nth, *, at, **changes):
    lead.attempts.create(
        person=lead.person, medium="call", cause=f"{lead.pk}:{nth}", at=at, **changes
    )


def test_a_hand_off_within_thirty_days_counts():
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
            Handoff.objects.create(lead=lead, connection=connection, state=state, asked_at=asked_at)

    monthly_comparison.compare_month(OCTOBER, Measure.HANDED_OFF, at=FOLLOWED)

    values = {name: one.value for name, one in groups(Measure.HANDED_OFF).items()}
    assert values == {"en": 1, "es": 0, "zh": 0}


PLACES = b"""tract,ZIP,people,Minority_Share
48453001902,78745,3000,10
48453001903,78745,1000,90
48453001904,00501,0,50
"""
COUNTIES = b"county,state,minority_share\nTravis County,TX,55.5\nOrleans Parish,la,70\n"


def test_the_tracts_of_a_zip_are_added_by_their_people():
    clerk = make.user("compliance")

    file = minority_shares.load_file(PLACES, name="acs.csv", by=clerk, at=make.NOON)

    assert minority_shares.load_shares(file) == {"78745": 30.0}
    assert minority_shares.load_file(PLACES, name="again.csv", by=clerk, at=make.NOON) == file
    assert MinorityShareFile.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff\xfe", "no CSV file"),
        (b"zip,share\n78745,5\n", "Name the columns"),
        (b"county,minority_share\nTravis,5\n", "Name the columns"),
        (b"zip,minority_share\n", "no line"),
        (b"zip,minority_share\n78745,ten\n", "Line 2"),
        (b"zip,minority_share\n78745,100.1\n", "Line 2"),
        (b"zip,minority_share\n78745,5\n787,\n", "Line 3"),
        (b"zip,minority_share\nTX,5\n", "Line 2"),
        (b"county,state,minority_share\nTravis,Texas,5\n", "Line 2"),
    ],
)
def test_a_file_with_any_line_that_cannot_be_read_is_refused_whole(body, said):
    with pytest.raises(minority_shares.InvalidShareFile, match=said):
        minority_shares.load_file(body, name="x.csv", by=make.user("compliance"), at=make.NOON)

    assert not MinorityShareFile.objects.exists()


def test_leads_are_compared_by_the_zip_and_else_by_the_county():
    minority_shares.load_file(
        b"zip,minority_share\n78745,5\n", name="zips.csv", by=make.user("compliance"), at=MIDDLE
    )
    minority_shares.load_file(
        COUNTIES + b"Here,TX,1\n", name="c.csv", by=make.user("compliance"), at=make.NOON
    )
    leads(minutes=60, property_state="TX", details={"property": {"county": "TRAVIS"}})
    leads(minutes=10, property_state="LA", details={"property": {"county": "Orleans Parish"}})
    leads(minutes=1, property_zip="78745")  # of a file that counts no more

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    found = groups(by=Grouping.PLACE)
    assert {name: one.ratio for name, one in found.items()} == {"50–80%": None}
    assert found["50–80%"].leads == 60


def test_without_a_file_nothing_is_compared_by_place():
    leads(property_zip="78745")

    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    assert groups(by=Grouping.PLACE) == {}
    assert FairLendingReport.objects.get().places is None


def test_compliance_alone_hears_of_a_ratio_above_the_limit_and_once():
    heard = make.user("compliance")
    for role in ("manager", "administrator", "operations", "executive"):
        make.user(role)
    leads("en", minutes=10)
    leads("es", minutes=13)

    monthly_comparison.compare_due_months(at=CLOSED)
    monthly_comparison.compare_due_months(at=CLOSED)

    finding = Finding.objects.get()
    assert (finding.rule, finding.closed_at) == ("FLR-01", None)
    assert "response time by language: Spanish" in finding.sentence
    assert "ratio 1.30; more than chance explains" in finding.sentence
    notice = StaffNotice.objects.get()
    assert notice.user == heard
    assert "1.3" not in notice.text
    assert "1.3" not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_finding_is_closed_once_and_with_words():
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


def test_a_report_cannot_be_changed():
    leads()
    monthly_comparison.compare_month(OCTOBER, Measure.RESPONSE, at=CLOSED)

    with pytest.raises(ProgrammingError, match="append-only"), atomic():
        FairLendingReport.objects.update(groups={})


def test_nothing_else_of_the_product_reads_what_the_monitor_stores():
    named = re.compile(
        r"FairLendingReport|MinorityShareFile|MinorityShare\b|fair_report|place_share|place_file"
    )
    found = {
        str(file.relative_to(ROOT / "rooftree"))
        for file in (ROOT / "rooftree").rglob("*.py")
        if named.search(file.read_text())
    }

    assert {one for one in found if not one.startswith("migrations/")} == {
        "reporting/models.py",
        "reporting/fair_lending_monitor/monthly_comparison.py",
        "reporting/fair_lending_monitor/minority_shares.py",
        "web/fairness/fair_lending_views.py",
        "retention/table_classes.py",  # how long each table is kept, by its name alone
        "management/database_grants.py",  # that its rows stay as they are
    }
