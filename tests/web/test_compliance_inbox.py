"""The compliance inbox: due dates, and decisions that wait for a second person."""

from datetime import date, timedelta

import pytest

from rooftree.compliance.models import CreditClock, Finding, PayPlan
from rooftree.compliance.rule_changes import change_approval
from rooftree.leads.models import Agreement
from rooftree.org.models import License
from rooftree.reporting.models import ExportRequest
from rooftree.retention.models import PrivacyRequest
from rooftree.web.compliance import compliance_inbox
from tests import make

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)


def inbox_sentences(user) -> list[str]:
    return [line.text for line in compliance_inbox.list_inbox_lines(user, make.NOON)]


def clock(lead, days: int) -> CreditClock:
    due = DAY + timedelta(days=days)
    return CreditClock.objects.create(
        lead=lead, kind="decision", began_on=DAY, due_on=due, due_at=make.NOON, alarm_at=make.NOON,
        sentence="A whole application.", opened_at=make.NOON,
        idempotency_key=f"test:{make.number()}",
    )  # fmt: skip


def receive_request(cast, *, days: int = 0) -> PrivacyRequest:
    return PrivacyRequest.objects.create(
        kind="access", address="+18135550142", received_via="letter", received_date=DAY,
        due_date=DAY + timedelta(days=days), owner=cast.omar, entered_by=cast.omar,
        entered_at=make.NOON,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def empty_inbox(cast):
    License.objects.update(until_date=None)
    assert inbox_sentences(cast.omar) == []


def test_notices_and_requests_are_listed_when_due_soon_and_flagged_when_overdue(cast):
    clock(cast.ben, 5)
    clock(make.lead(), 6)
    receive_request(cast, days=0)
    assert inbox_sentences(cast.omar) == [
        "1 credit notice due within 5 days", "1 privacy request due within 5 days",
    ]  # fmt: skip
    receive_request(cast, days=-1)
    receive_request(cast, days=-2)
    first = compliance_inbox.list_inbox_lines(cast.omar, make.NOON)[0]
    assert (first.text, first.is_late) == ("2 privacy requests overdue", True)


def test_decision_for_a_second_person_is_not_in_its_authors_list(cast):
    other = make.user("compliance", name="Ida Berg")
    ExportRequest.objects.create(
        subject="records:funded", number=40, reason="For the board", requested_by=cast.omar,
        requested_at=make.NOON,
    )  # fmt: skip
    PayPlan.objects.create(
        officer=cast.dana, number=1, basis="flat_per_loan", from_date=DAY, decision="allow",
        reason="permitted_basis", written_by=cast.omar, written_at=make.NOON,
    )  # fmt: skip
    Agreement.objects.create(
        source=cast.zillow, payee="lead_vendor", basis="msa", description="Desks", cents=100,
        document="a.pdf", from_date=DAY, until_date=DAY, decision="require",
        reason="counsel_review_msa", entered_by=cast.omar, entered_at=make.NOON,
    )  # fmt: skip
    change_approval.propose_change(
        place="FL",
        item="caps",
        value=[{"n": 2, "days": 1}],
        by=cast.omar,
        at=make.NOON,
        grounds=change_approval.ChangeGrounds(
            from_date=DAY + make.DAY, cite="Fla. HB 761", why="It begins"
        ),
    )
    assert inbox_sentences(cast.omar) == []
    assert inbox_sentences(other) == [
        "1 export needs your approval",
        "1 agreement needs counsel’s document",
        "1 pay plan needs your approval",
        "1 rule change needs your approval",
    ]


def test_findings_and_expiring_licenses_are_listed(cast):
    Finding.objects.create(
        rule="FLR-01", idempotency_key="test:1", sentence="Slower.", link="/", found_at=make.NOON
    )
    license_row = License.objects.filter(officer=cast.dana).first()
    License.objects.filter(pk=license_row.pk).update(until_date=DAY + timedelta(days=30))
    assert inbox_sentences(cast.omar) == [
        "1 finding needs your review", "1 license expires within 30 days",
    ]  # fmt: skip


def test_administrator_inbox_lists_only_administrator_work(cast):
    Finding.objects.create(
        rule="FLR-01", idempotency_key="test:1", sentence="Slower.", link="/", found_at=make.NOON
    )
    receive_request(cast, days=-1)
    clock(cast.ben, -1)
    assert inbox_sentences(make.user("administrator")) == ["1 credit notice overdue"]


def test_compliance_page_shows_the_inbox(cast, signed_in):
    assert "need you today" in signed_in(cast.omar).get("/compliance/").text
    clock(cast.ben, -1)
    page = signed_in(cast.omar).get("/compliance/").text
    assert "1 credit notice overdue" in page
