"""Retention pages in a real Chromium: full, empty, and with problems."""

import pytest

from rooftree.compliance.models import Consent
from rooftree.flow import data_removal, privacy_fulfillment
from rooftree.leads.models import Lead
from rooftree.org.client_info import NO_CLIENT
from rooftree.org.models import User
from rooftree.reporting.exports import export_approval
from rooftree.reporting.exports.export_approval import ExportIntent
from rooftree.retention import legal_holds, privacy_requests, purges
from tests import make
from tests.web.browser.conftest import check_page, open_as


@pytest.fixture
def busy(people, noon, monkeypatch):
    """A completed, a late and a new request; a legal hold; a proven purge and a waiting one."""
    omar, ben, mei = people.omar, people.ben, people.mei
    make.consent(mei.person, at=noon)
    for lead, kind, days in ((mei, "deletion", 20), (ben, "access", 50), (ben, "correction", 1)):
        request_fields = privacy_requests.NewRequest(
            kind=kind, address=lead.person.phones.first().e164, person_id=lead.person_id,
            state="CA", received_via="letter", received_date=noon.date() - days * make.DAY,
        )  # fmt: skip
        row = privacy_requests.receive_request(request_fields, owner=omar, by=omar, at=noon)
        if kind == "deletion":
            privacy_requests.confirm_identity(
                row.pk, how="Called back on the number on file", by=omar, at=noon
            )
            privacy_fulfillment.delete_person_data(row.pk, by=omar, at=noon)
            data_removal.run_removals(at=noon)
            deletion = row
        late = row if kind == "access" else None
    legal_holds.place_hold(
        legal_holds.HoldScope(person_id=ben.person_id), matter="Ortiz v. Lindenfield",
        why="Complaint received, letter of counsel of November 3", by=omar, at=noon,
    )  # fmt: skip
    old = noon - 800 * make.DAY
    for _ in range(3):
        human = make.person(phone=None, email=None, at=old)
        make.lead(person=human, source=people.zillow, at=old, borrower_message="A plan")
    monkeypatch.setattr(purges, "SECOND_PERSON_ABOVE", 2)
    waiting = purges.plan_scheduled_purge(at=noon)
    ines = User.objects.get(name="Ines Prado")
    request_fields = ExportIntent(
        user_id=ines.pk, subject="records:funded", caller=NO_CLIENT,
        reason="The board's quarterly look at what was funded",
    )  # fmt: skip
    export_approval.request_approval(
        request_fields, number=412, approvers=User.objects.with_role("compliance"), at=noon
    )
    assert late is None and Consent.objects.exists() and Lead.objects.exists()
    return {
        "": "keeping/", "deletion": f"requests/{deletion.pk}/",
        "requests": "requests/", "holds": "legal-holds/", "exports": "exports/",
        "done": f"purges/{deletion.purges.get().pk}/", "waits": f"purges/{waiting.pk}/",
        "lead": ben.pk,
    }  # fmt: skip


def test_retention_pages_fit_and_are_accessible(chromium, front, busy):
    page = open_as(chromium, front, "Compliance")
    paths = {name: f"/compliance/{path}" for name, path in busy.items() if name != "lead"}
    paths |= {"lead": f"/leads/{busy['lead']}/", "person": f"/leads/{busy['lead']}/person/"}
    for name, path in paths.items():
        page.goto(path)
        check_page(page, f"retention {name}")


def test_empty_retention_pages_explain_themselves(chromium, front, people):
    page = open_as(chromium, front, "Compliance")
    for path in ("keeping/", "requests/", "legal-holds/", "exports/"):
        page.goto(f"/compliance/{path}")
        check_page(page, f"retention empty {path[:-1]}")
    page.goto("/compliance/legal-holds/")
    page.get_by_label("Matter").fill("Matter 1")
    page.get_by_label("Reason", exact=True).fill("Letter of counsel")
    page.get_by_role("button", name="Place hold").click()
    page.get_by_text("Enter a number, an email address").wait_for()
    assert page.get_by_label("Matter").input_value() == "Matter 1"
    check_page(page, "retention wrong hold")
