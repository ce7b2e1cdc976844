"""Vendor status files: numbered, with changes only, and without personal data."""

import csv
import io
from datetime import date

import pytest

from rooftree.leads.models import Lead, Loan
from rooftree.reporting.exports import vendor_status_file
from rooftree.reporting.exports.vendor_status_file import NothingToReport
from rooftree.reporting.models import StatusFile
from tests import make
from tests.flow.returns.claiming import record_contract

pytestmark = pytest.mark.django_db
STATUS_WORDS = {"contacted": "CONTACTED", "funded": "CLOSED_LOAN"}


@pytest.fixture
def pat(db):
    make.company()
    return make.user("operations")


@pytest.fixture
def zillow(pat):
    source = make.source(name="Zillow", slug="zillow")
    record_contract(source, pat, statuses=STATUS_WORDS)
    return source


def deliver_lead(source, **changes) -> Lead:
    lead = make.lead(source=source, **changes)
    nth = make.number()
    make.touch(
        lead, vendor_lead_id=f"LC-{nth}", inquiry={"vendor_ids": {"applicant_id": f"A{nth}"}}
    )
    return lead


def fund_loan(lead, **changes) -> Loan:
    return Loan.objects.create(
        lead=lead, los="encompass", instance="BE1", los_loan_id=str(make.number()),
        **{"funded_date": date(2026, 11, 20), "created_at": make.NOON, **changes},
    )  # fmt: skip


def next_file_rows(source, by, at=make.NOON) -> list[dict]:
    text = vendor_status_file.render_file(
        vendor_status_file.create_file(source_id=source.pk, by=by, at=at)
    )
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_line_has_vendor_ids_word_and_time(zillow, pat):
    lead = deliver_lead(zillow)
    fund_loan(lead)
    touch = lead.touches.get()

    assert next_file_rows(zillow, pat) == [
        {
            "lead_id": touch.vendor_lead_id, "status": "CLOSED_LOAN",
            "status_at": "2026-11-20T05:00:00Z", "file": "1",
            "applicant_id": touch.inquiry["vendor_ids"]["applicant_id"],
        }
    ]  # fmt: skip


def test_next_file_has_only_changes(zillow, pat):
    first, second = deliver_lead(zillow, first_conversation_at=make.NOON), deliver_lead(zillow)
    assert [row["status"] for row in next_file_rows(zillow, pat)] == ["CONTACTED"]
    with pytest.raises(NothingToReport):
        next_file_rows(zillow, pat)

    fund_loan(first)
    Lead.objects.filter(pk=second.pk).update(first_conversation_at=make.NOON)

    assert sorted(row["status"] for row in next_file_rows(zillow, pat)) == [
        "CLOSED_LOAN",
        "CONTACTED",
    ]


def test_wrong_status_is_corrected_in_the_next_file(zillow, pat):
    loan = fund_loan(deliver_lead(zillow))
    next_file_rows(zillow, pat)
    Loan.objects.filter(pk=loan.pk).update(funded_date=None)

    assert [row["status"] for row in next_file_rows(zillow, pat)] == ["corrected"]
    with pytest.raises(NothingToReport):
        next_file_rows(zillow, pat)


def test_old_file_renders_the_same_again(zillow, pat):
    lead = deliver_lead(zillow, first_conversation_at=make.NOON)
    next_file_rows(zillow, pat)
    first = vendor_status_file.render_file(StatusFile.objects.get())
    fund_loan(lead)
    record_contract(zillow, pat, statuses={"funded": "ANOTHER WORD"})
    next_file_rows(zillow, pat)

    assert vendor_status_file.render_file(StatusFile.objects.get(number=1)) == first


def test_statuses_outside_the_contract_are_not_reported(pat):
    silent, uncontracted = make.source(name="Quiet"), make.source(name="Nosy")
    record_contract(silent, pat)
    for source in (silent, uncontracted):
        fund_loan(deliver_lead(source))

    for source in (silent, uncontracted):
        with pytest.raises(NothingToReport):
            next_file_rows(source, pat)


def test_test_leads_and_leads_without_vendor_id_are_not_reported(zillow, pat):
    fund_loan(deliver_lead(zillow, is_test=True))
    without_id = make.lead(source=zillow)
    make.touch(without_id)
    fund_loan(without_id)

    with pytest.raises(NothingToReport):
        next_file_rows(zillow, pat)


def test_changes_of_the_next_file_are_counted_by_status(zillow, pat):
    deliver_lead(zillow, first_conversation_at=make.NOON)
    fund_loan(deliver_lead(zillow))

    assert vendor_status_file.count_changes(zillow, at=make.NOON) == [
        ("We talked with the borrower", 1),
        ("Loan funded", 1),
    ]
