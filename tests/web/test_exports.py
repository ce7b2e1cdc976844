"""Lead exports: the file, its cells, the approval and the log."""

import csv
import io
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.org.client_info import NO_CLIENT
from rooftree.org.models import AccessEntry, StaffNotice, User
from rooftree.reporting.exports import export_approval, lead_export
from rooftree.reporting.exports.export_approval import ExportIntent
from rooftree.reporting.models import ExportRequest
from tests import make

WHY = {"reason": "State examination, request 14"}
ALL = "?period=12m-2026-11"


def file_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_export_requires_a_reason_and_is_logged(cast, signed_in):
    lead = make.lead(officer=cast.dana)
    Lead.objects.filter(pk=lead.pk).update(branch=cast.tampa)
    address = reverse("records_export", args=["leads"]) + ALL

    answer = signed_in(cast.ruth).post(address, WHY)

    rows = file_of(answer)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert str(lead.pk) in {row["Lead"] for row in rows}
    entry = AccessEntry.objects.get(kind="exported")
    assert (entry.user, entry.reason, entry.subject) == (cast.ruth, WHY["reason"], "records:leads")
    assert entry.number == len(rows)
    event = Event.objects.get(kind="reporting.leads.exported")
    assert event.data["access_entry_id"] == str(entry.pk)
    assert WHY["reason"] not in str(event.data)


@pytest.mark.parametrize("reason", ["", "  ", "because", " a \n b "])
def test_export_without_a_reason_is_refused(cast, signed_in, reason):
    make.lead(officer=cast.dana)

    page = signed_in(cast.omar).post(
        reverse("records_export", args=["leads"]) + ALL, {"reason": reason}
    )

    assert page.status_code == 422
    assert "Say why" in page.text
    assert not AccessEntry.objects.filter(kind="exported").exists()
    assert not Event.objects.filter(kind="reporting.leads.exported").exists()


def test_export_has_only_leads_that_its_reader_can_see(cast, signed_in):
    visible_lead, hidden_lead = make.lead(), make.lead()
    Lead.objects.filter(pk=visible_lead.pk).update(branch=cast.tampa)
    Lead.objects.filter(pk=hidden_lead.pk).update(branch=cast.austin)

    answer = signed_in(cast.ruth).post(reverse("records_export", args=["leads"]) + ALL, WHY)

    listed = {row["Lead"] for row in file_of(answer)}
    assert str(visible_lead.pk) in listed
    assert str(hidden_lead.pk) not in listed


def test_borrower_named_like_a_formula_stays_text(cast, signed_in):
    human = make.person(first_name='=HYPERLINK("x")', last_name="@SUM(A1)")
    make.lead(person=human)

    rows = file_of(signed_in(cast.omar).post(reverse("records_export", args=["leads"]) + ALL, WHY))

    [row] = [row for row in rows if "HYPERLINK" in row["First name"]]
    assert row["First name"] == '\'=HYPERLINK("x")'
    assert row["Last name"] == "'@SUM(A1)"
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


def test_export_of_too_many_leads_is_refused(cast, signed_in, monkeypatch):
    monkeypatch.setattr(lead_export, "MAX_LEADS", 0)

    page = signed_in(cast.omar).post(reverse("records_export", args=["leads"]) + ALL, WHY)

    assert page.status_code == 422
    assert "Choose a shorter period" in page.text


def test_officers_and_marketing_cannot_export(cast, signed_in):
    for user in (cast.dana.user, make.user("marketing")):
        assert signed_in(user).get(reverse("records_export", args=["leads"])).status_code == 403
        assert signed_in(user).get(reverse("pipeline_export")).status_code == 403
    assert Client().get(reverse("pipeline_export")).status_code == 302


def test_export_is_offered_only_to_roles_that_can_export(cast, signed_in):
    page = signed_in(cast.omar).get(reverse("records", args=["leads"]) + ALL)

    assert f"{reverse('records_export', args=['leads'])}?period=12m-2026-11" in page.text
    assert (
        "Export"
        not in signed_in(make.user("marketing")).get(reverse("records", args=["leads"]) + ALL).text
    )


def many(cast, number: int = export_approval.MAX_WITHOUT_APPROVAL) -> None:
    for _ in range(number):
        make.lead(person=make.person(phone=None, email=None), source=cast.zillow)


def test_large_export_needs_a_second_persons_approval(cast, signed_in):
    many(cast)
    address = reverse("records_export", args=["leads"]) + ALL
    ines, omar = signed_in(make.user("executive", name="Ines Prado")), signed_in(cast.omar)

    page = ines.post(address, WHY, follow=True)
    assert "Waiting for a second person." in page.text
    assert ines.post(address, WHY, follow=True)["Content-Type"].startswith("text/html")
    ask = ExportRequest.objects.get()
    assert not AccessEntry.objects.filter(kind="exported").exists()

    assert WHY["reason"] in omar.get(reverse("export_asks")).text
    omar.post(reverse("export_decision", args=[ask.pk]), {"say": "allow"})
    assert "approved it" in ines.get(address).text
    download = ines.post(address)
    assert len(file_of(download)) == ask.number
    assert AccessEntry.objects.get(kind="exported").reason == WHY["reason"]

    repeated = ines.post(address, WHY, follow=True)
    assert "Waiting for a second person." in repeated.text, "once is once"


def test_export_that_outgrew_its_approval_needs_a_new_one(cast, signed_in):
    many(cast)
    address = reverse("records_export", args=["leads"]) + ALL
    ines, omar = signed_in(make.user("executive")), signed_in(cast.omar)
    ines.post(address, WHY)
    first = ExportRequest.objects.get()
    omar.post(reverse("export_decision", args=[first.pk]), {"say": "allow"})
    many(cast, export_approval.MAX_WITHOUT_APPROVAL + 1)

    page = ines.post(address, WHY, follow=True)

    assert "Waiting for a second person." in page.text
    second = ExportRequest.objects.exclude(pk=first.pk).get()
    omar.post(reverse("export_decision", args=[second.pk]), {"say": "allow"})
    assert len(file_of(ines.post(address))) == second.number
    first.refresh_from_db()
    assert first.downloaded_at is None


def test_branch_compliance_is_not_asked_for_company_approvals(cast, signed_in):
    many(cast)
    bound = make.user("compliance", branch=cast.tampa)
    signed_in(make.user("executive")).post(reverse("records_export", args=["leads"]) + ALL, WHY)
    notified_ids = {
        staff_notice.user_id for staff_notice in StaffNotice.objects.filter(kind="export")
    }
    assert cast.omar.pk in notified_ids and bound.pk not in notified_ids


def test_users_cannot_approve_their_own_export(cast, signed_in):
    many(cast)
    omar = signed_in(cast.omar)
    omar.post(reverse("records_export", args=["leads"]) + ALL, WHY)
    ask = ExportRequest.objects.get()
    page = omar.post(reverse("export_decision", args=[ask.pk]), {"say": "allow"}, follow=True)
    assert "You can’t decide your own request" in page.text
    ask.refresh_from_db()
    assert ask.decided_at is None


def test_refused_export_cannot_be_downloaded(cast, signed_in):
    many(cast)
    address = reverse("records_export", args=["leads"]) + ALL
    ines = signed_in(make.user("executive"))
    ines.post(address, WHY)
    ask = ExportRequest.objects.get()
    signed_in(cast.omar).post(reverse("export_decision", args=[ask.pk]), {"say": "refuse"})
    assert ines.post(address, WHY, follow=True)["Content-Type"].startswith("text/html")
    assert not AccessEntry.objects.filter(kind="exported").exists()


def test_export_approval_does_not_cover_another_or_a_much_larger_list(cast):
    many(cast)
    user = make.user("executive")
    intent = ExportIntent(
        user_id=user.pk, subject="records:leads", query="a=1", reason="x" * 10, caller=NO_CLIENT
    )
    ask = export_approval.request_approval(
        intent, number=12, approvers=User.objects.with_role("compliance"), at=make.NOON
    )
    assert StaffNotice.objects.get(kind="export").user == cast.omar
    export_approval.decide_request(ask.pk, is_allowed=True, by=cast.omar, at=make.NOON)
    with pytest.raises(export_approval.NotAllowed):
        export_approval.use_approval(replace(intent, query="a=2"), number=12, at=make.NOON)
    with pytest.raises(export_approval.NotAllowed, match="now has 23"):
        export_approval.use_approval(intent, number=23, at=make.NOON)
    with pytest.raises(export_approval.NotAllowed):
        export_approval.use_approval(
            intent, number=12, at=make.NOON + export_approval.APPROVAL_VALID_FOR
        )
    export_approval.use_approval(intent, number=22, at=make.NOON)
    with pytest.raises(export_approval.NotAllowed):
        export_approval.use_approval(intent, number=12, at=make.NOON)
