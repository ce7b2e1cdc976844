"""What vendors are told of their leads: what changed, in numbered files, and nothing of people."""

import csv
import io
from datetime import date

import pytest

from rooftree.leads.models import Lead, Loan
from rooftree.reporting.exports import vendor_status_file
from rooftree.reporting.exports.vendor_status_file import NothingToReport
from rooftree.reporting.models import StatusFile
from tests import make
from tests.flow.returns.claiming import agree

pytestmark = pytest.mark.django_db
TOLD = {"contacted": "CONTACTED", "funded": "CLOSED_LOAN"}


@pytest.fixture
def pat(db):
    make.company()
    return make.user("operations")


@pytest.fixture
def zillow(pat):
    source = make.source(name="Zillow", slug="zillow")
    agree(source, pat, statuses=TOLD)
    return source


def arrived(source, **changes) -> Lead:
    lead = make.lead(source=source, **changes)
    nth = make.number()
    make.touch(
        lead, vendor_lead_id=f"LC-{nth}", inquiry={"vendor_ids": {"applicant_id": f"A{nth}"}}
    )
    return lead


def funded(lead, **changes) -> Loan:
    return Loan.objects.create(
        lead=lead, los="encompass", instance="BE1", los_loan_id=str(make.number()),
        **{"funded_date": date(2026, 11, 20), "created_at": make.NOON, **changes},
    )  # fmt: skip


def made(source, by, at=make.NOON) -> list[dict]:
    text = vendor_status_file.file_text(
        vendor_status_file.create_file(source_id=source.pk, by=by, at=at)
    )
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_file_says_their_ids_their_word_and_the_moment(zillow, pat):
    lead = arrived(zillow)
    funded(lead)
    touch = lead.touches.get()

    assert made(zillow, pat) == [
        {
            "lead_id": touch.vendor_lead_id, "status": "CLOSED_LOAN",
            "status_at": "2026-11-20T05:00:00Z", "file": "1",
            "applicant_id": touch.inquiry["vendor_ids"]["applicant_id"],
        }
    ]  # fmt: skip


def test_only_what_changed_since_the_last_file_is_in_the_next(zillow, pat):
    first, second = arrived(zillow, first_talk_at=make.NOON), arrived(zillow)
    assert [one["status"] for one in made(zillow, pat)] == ["CONTACTED"]
    with pytest.raises(NothingToReport):
        made(zillow, pat)

    funded(first)
    Lead.objects.filter(pk=second.pk).update(first_talk_at=make.NOON)

    assert sorted(one["status"] for one in made(zillow, pat)) == ["CLOSED_LOAN", "CONTACTED"]


def test_what_was_told_and_proves_wrong_is_corrected(zillow, pat):
    loan = funded(arrived(zillow))
    made(zillow, pat)
    Loan.objects.filter(pk=loan.pk).update(funded_date=None)

    assert [one["status"] for one in made(zillow, pat)] == ["corrected"]
    with pytest.raises(NothingToReport):
        made(zillow, pat)


def test_an_old_file_is_the_same_when_it_is_sent_again(zillow, pat):
    lead = arrived(zillow, first_talk_at=make.NOON)
    made(zillow, pat)
    first = vendor_status_file.file_text(StatusFile.objects.get())
    funded(lead)
    agree(zillow, pat, statuses={"funded": "ANOTHER WORD"})
    made(zillow, pat)

    assert vendor_status_file.file_text(StatusFile.objects.get(number=1)) == first


def test_what_the_contract_does_not_want_is_not_told(pat):
    quiet, nosy = make.source(name="Quiet"), make.source(name="Nosy")
    agree(quiet, pat)
    for source in (quiet, nosy):
        funded(arrived(source))

    for source in (quiet, nosy):
        with pytest.raises(NothingToReport):
            made(source, pat)


def test_tests_and_leads_without_their_id_are_not_told(zillow, pat):
    funded(arrived(zillow, is_test=True))
    nameless = make.lead(source=zillow)
    make.touch(nameless)
    funded(nameless)

    with pytest.raises(NothingToReport):
        made(zillow, pat)


def test_the_next_file_is_announced_with_counts(zillow, pat):
    arrived(zillow, first_talk_at=make.NOON)
    funded(arrived(zillow))

    assert vendor_status_file.count_changes(zillow, at=make.NOON) == [
        ("A person of ours has talked with them", 1),
        ("Their loan funded", 1),
    ]
