"""Taking leads out: the file, its cells, and what is written down of it."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.org.models import AccessEntry
from rooftree.reporting import export
from tests import make

WHY = {"reason": "State examination, request 14"}
ALL = "?period=12m-2026-11"


def file_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_an_export_takes_a_reason_and_leaves_its_trace(cast, signed_in):
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
def test_without_a_reason_nothing_leaves(cast, signed_in, reason):
    make.lead(officer=cast.dana)

    page = signed_in(cast.omar).post(
        reverse("records_export", args=["leads"]) + ALL, {"reason": reason}
    )

    assert page.status_code == 422
    assert "Say why" in page.text
    assert not AccessEntry.objects.filter(kind="exported").exists()
    assert not Event.objects.filter(kind="reporting.leads.exported").exists()


def test_a_file_holds_only_what_its_reader_may_see(cast, signed_in):
    ours, theirs = make.lead(), make.lead()
    Lead.objects.filter(pk=ours.pk).update(branch=cast.tampa)
    Lead.objects.filter(pk=theirs.pk).update(branch=cast.austin)

    answer = signed_in(cast.ruth).post(reverse("records_export", args=["leads"]) + ALL, WHY)

    listed = {row["Lead"] for row in file_of(answer)}
    assert str(ours.pk) in listed
    assert str(theirs.pk) not in listed


def test_a_borrower_named_like_a_formula_stays_text(cast, signed_in):
    human = make.person(first_name='=HYPERLINK("x")', last_name="@SUM(A1)")
    make.lead(person=human)

    rows = file_of(signed_in(cast.omar).post(reverse("records_export", args=["leads"]) + ALL, WHY))

    [row] = [row for row in rows if "HYPERLINK" in row["First name"]]
    assert row["First name"] == '\'=HYPERLINK("x")'
    assert row["Last name"] == "'@SUM(A1)"
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


def test_too_many_leads_are_no_file(cast, signed_in, monkeypatch):
    monkeypatch.setattr(export, "MOST", 0)

    page = signed_in(cast.omar).post(reverse("records_export", args=["leads"]) + ALL, WHY)

    assert page.status_code == 422
    assert "choose a shorter time" in page.text


def test_officers_and_marketing_export_nothing(cast, signed_in):
    for user in (cast.dana.user, make.user("marketing")):
        assert signed_in(user).get(reverse("records_export", args=["leads"])).status_code == 403
        assert signed_in(user).get(reverse("pipeline_export")).status_code == 403
    assert Client().get(reverse("pipeline_export")).status_code == 302


def test_the_list_offers_its_export_to_whoever_may(cast, signed_in):
    page = signed_in(cast.omar).get(reverse("records", args=["leads"]) + ALL)

    assert f"{reverse('records_export', args=['leads'])}?period=12m-2026-11" in page.text
    assert (
        "Export"
        not in signed_in(make.user("marketing")).get(reverse("records", args=["leads"]) + ALL).text
    )
