"""Imports of another system's export: opt-outs apply and no one is contacted."""

from pathlib import Path

import pytest

from rooftree.capture.imports import import_staging
from rooftree.capture.models import Spreadsheet
from rooftree.compliance.models import Consent, Revocation
from rooftree.leads.models import Lead, Remark
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from tests import make
from tests.flow import journey
from tests.flow.test_spreadsheet_imports import run_import, upload

SALESFORCE = (
    b'"Id","FirstName","LastName","Email","Phone","MobilePhone","State","LeadSource","Status",'
    b'"DoNotCall","HasOptedOutOfEmail","IsConverted","CreatedDate","OwnerId","Description",'
    b'"Loan_Amount__c"\r\n'
    b'"00QHs00001AbCdG","Ivo","Petrov","ivo@home.example","","8135550114","FL","Web","Open",'
    b'"0","1","0","2025-07-01 10:00:00","005Hs000001XYZ","Call after the fair","285000"\r\n'
    b'"00QHs00001AbCdH","Mara","Lind","mara@home.example","8135550115","","FL","Web","Open",'
    b'"1","0","0","2025-07-02 10:00:00","005Hs000001XYZ","",""\r\n'
)
MONDAY = (
    Path(__file__).parents[1] / "capture/deliveries/crm_monday/good_02_excel_export_as_csv/body.csv"
)
pytestmark = pytest.mark.django_db


@pytest.fixture
def salesforce():
    journey.set_up_company()
    return make.source("crm_salesforce")


def test_export_columns_are_recognized_by_system_names(salesforce):
    sheet = upload(salesforce, SALESFORCE)

    mapping = {line["path"]: line["field"] for line in sheet.lines}
    assert mapping["Loan_Amount__c"] == "loan_amount"
    assert (mapping["Phone"], mapping["MobilePhone"]) == ("work_phone", "mobile")
    assert sheet.findings["counts"] == {"new": 2}


def test_export_is_imported_with_history_and_contacts_no_one(salesforce):
    run_import(salesforce, SALESFORCE)

    ivo = Lead.objects.get(person__first_name="Ivo")
    touch = ivo.touches.get()
    assert touch.vendor_lead_id == "00QHs00001AbCdGMAV"
    assert ivo.amount_cents == 285_000_00
    assert ivo.details["vendor_ids"]["owner_id"] == "005Hs000001XYZ"
    assert ivo.details["message"] == "Call after the fair"
    note = Remark.objects.get(lead=ivo).text
    for words in ("Stage: Open", "Created there: 2025-07-01", "Notes: Call after the fair"):
        assert words in note
    assert not Message.objects.exists()
    assert not Offer.objects.exists()


def test_imported_opt_outs_apply_and_imported_consent_does_not(salesforce):
    run_import(salesforce, SALESFORCE)

    live = Revocation.objects.filter(ended_at=None)
    assert live.filter(address="ivo@home.example", media__contains=["email"]).exists()
    assert live.filter(address="+18135550115", media__contains=["call"]).exists()
    assert not live.filter(address="+18135550114").exists()
    assert {consent.status for consent in Consent.objects.all()} == {"not_provided"}


def test_people_exported_again_are_not_duplicated(salesforce):
    run_import(salesforce, SALESFORCE)

    again = run_import(salesforce, SALESFORCE.replace(b"Call after the fair", b"Called"))

    assert again.counts == {"repeated": 2}
    assert Lead.objects.count() == 2


def test_monday_board_rows_are_read_under_their_group_header():
    journey.set_up_company()
    board = make.source("crm_monday")

    sheet = run_import(board, MONDAY.read_bytes())

    assert sheet.counts == {"new": 1}
    lead = Lead.objects.get()
    assert lead.details["sub_source"] == "Leads/New Leads"
    assert lead.details["vendor_status"] == "Done"


def test_non_export_file_is_refused_with_advice(salesforce):
    with pytest.raises(import_staging.InvalidImport, match="Excel"):
        import_staging.store_upload(
            source_id=salesforce.pk,
            name="x.csv",
            body=b"PK\x03\x04" + bytes(40),
            by=make.user("operations"),
            at=make.NOON,
        )
    assert not Spreadsheet.objects.exists()
