"""`rooftree export`: the leads behind a figure, with the user and the reason in the log."""

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


def test_export_writes_the_periods_leads_and_logs_the_user(ana, tmp_path):
    lead = make.lead(at=now())
    path = tmp_path / "leads.csv"

    call_command(
        "export", "leads", "--period", month(), "--by", ana.email, "--because", WHY, "-o", str(path)
    )

    assert [row["Lead"] for row in rows_of(path.read_text())] == [str(lead.pk)]
    entry = AccessEntry.objects.get(kind="exported")
    assert (entry.user, entry.reason, entry.number) == (ana, WHY, 1)
    assert Event.objects.get(kind="reporting.leads.exported").actor == f"user:{ana.pk}"


def test_export_without_a_file_goes_to_standard_output(ana, capsys):
    make.lead(at=now())
    call_command("export", "leads", "--period", month(), "--by", ana.email, "--because", WHY)
    output = capsys.readouterr()
    assert len(rows_of(output.out)) == 1
    assert "1 leads" in output.err


def test_export_of_a_period_without_leads_is_empty(ana, capsys):
    call_command("export", "funded", "--by", ana.email, "--because", WHY)
    assert rows_of(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--because", ""], "Say why"),
        (["--because", WHY, "--period", "soon"], "isn't a period"),
        (["--because", WHY, "--source", "nowhere"], "no source named nowhere"),
    ],
)
def test_invalid_export_is_rejected_in_a_sentence(ana, options, problem):
    with pytest.raises(command_base.CommandError, match=problem):
        call_command("export", "leads", "--by", ana.email, *options)
    assert not AccessEntry.objects.filter(kind="exported").exists()


def test_export_needs_the_same_permission_as_the_page(ana):
    with pytest.raises(command_base.UsageError, match="doesn't have permission to do this"):
        call_command("export", "leads", "--by", make.user("marketing").email, "--because", WHY)


def test_manager_exports_only_their_branch(ana, capsys):
    north, south = make.branch("North"), make.branch("South")
    for branch in (north, south):
        make.lead(at=now(), branch=branch)
    manager = make.user("manager", branch=north)

    call_command("export", "leads", "--period", month(), "--by", manager.email, "--because", WHY)

    assert len(rows_of(capsys.readouterr().out)) == 1


def test_large_export_needs_a_second_person(ana, capsys):
    source = make.source()
    for _ in range(export_approval.MAX_WITHOUT_APPROVAL + 1):
        make.lead(source=source, person=make.person(phone=None, email=None), at=now())
    command = ["export", "leads", "--period", month(), "--by", ana.email, "--because", WHY]
    for _ in range(2):
        with pytest.raises(command_base.CheckFailed, match="second person"):
            call_command(*command)
    request = ExportRequest.objects.get()
    assert not AccessEntry.objects.filter(kind="exported").exists()
    export_approval.decide_request(
        request.pk, is_allowed=True, by=make.user("compliance"), at=now()
    )
    call_command(*command)
    assert len(rows_of(capsys.readouterr().out)) == export_approval.MAX_WITHOUT_APPROVAL + 1
