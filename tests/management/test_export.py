"""`rooftree export`: the records behind a figure, with a name and a reason in the log."""

import csv
import io

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from rooftree.ledger.models import Event
from rooftree.management import command_base
from rooftree.money.company_day import company_day
from rooftree.org.models import AccessEntry
from rooftree.reporting.exports import export_approval
from rooftree.reporting.models import ExportRequest
from tests import make

pytestmark = pytest.mark.django_db

WHY = "The board's quarterly look."


@pytest.fixture
def ana():
    make.company()
    return make.user("operations")


def month():
    return f"{company_day(now()):%Y-%m}"


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def test_the_leads_of_a_period_leave_as_a_file_and_the_log_says_who_took_them(ana, tmp_path):
    lead = make.lead(at=now())
    path = tmp_path / "leads.csv"

    call_command(
        "export", "leads", "--period", month(), "--by", ana.email, "--because", WHY, "-o", str(path)
    )

    assert [row["Lead"] for row in rows_of(path.read_text())] == [str(lead.pk)]
    entry = AccessEntry.objects.get(kind="exported")
    assert (entry.user, entry.reason, entry.number) == (ana, WHY, 1)
    assert Event.objects.get(kind="reporting.leads.exported").actor == f"user:{ana.pk}"


def test_without_a_file_it_goes_to_standard_output(ana, capsys):
    make.lead(at=now())
    call_command("export", "leads", "--period", month(), "--by", ana.email, "--because", WHY)
    shown = capsys.readouterr()
    assert len(rows_of(shown.out)) == 1
    assert "1 leads" in shown.err


def test_a_period_without_leads_is_an_empty_file(ana, capsys):
    call_command("export", "funded", "--by", ana.email, "--because", WHY)
    assert rows_of(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--because", ""], "Say why"),
        (["--because", WHY, "--period", "soon"], "no period"),
        (["--because", WHY, "--source", "nowhere"], "no source named nowhere"),
    ],
)
def test_what_cannot_be_exported_is_told_in_a_sentence(ana, more, said):
    with pytest.raises(command_base.CommandError, match=said):
        call_command("export", "leads", "--by", ana.email, *more)
    assert not AccessEntry.objects.filter(kind="exported").exists()


def test_who_may_not_export_on_the_page_may_not_here(ana):
    with pytest.raises(command_base.UsageError, match="may not do this"):
        call_command("export", "leads", "--by", make.user("marketing").email, "--because", WHY)


def test_a_manager_takes_out_no_more_than_their_branch(ana, capsys):
    north, south = make.branch("North"), make.branch("South")
    for branch in (north, south):
        make.lead(at=now(), branch=branch)
    boss = make.user("manager", branch=north)

    call_command("export", "leads", "--period", month(), "--by", boss.email, "--because", WHY)

    assert len(rows_of(capsys.readouterr().out)) == 1


def test_of_more_than_a_few_people_a_second_person_is_asked_first(ana, capsys):
    source = make.source()
    for _ in range(export_approval.MAX_WITHOUT_APPROVAL + 1):
        make.lead(source=source, person=make.person(phone=None, email=None), at=now())
    order = ["export", "leads", "--period", month(), "--by", ana.email, "--because", WHY]
    for _ in range(2):
        with pytest.raises(command_base.CheckFailed, match="second person"):
            call_command(*order)
    ask = ExportRequest.objects.get()
    assert not AccessEntry.objects.filter(kind="exported").exists()
    export_approval.decide_request(ask.pk, is_allowed=True, by=make.user("compliance"), at=now())
    call_command(*order)
    assert len(rows_of(capsys.readouterr().out)) == export_approval.MAX_WITHOUT_APPROVAL + 1
