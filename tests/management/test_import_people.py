"""`rooftree import hubspot FILE` and `import undo`: the pages' import, from a shell."""

import json

import pytest
from django.core.management import call_command

from rooftree.capture.models import Spreadsheet
from rooftree.leads.models import Lead, Person
from rooftree.management import command_base
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from tests import make

pytestmark = pytest.mark.django_db

ROWS = (
    "First name,Last name,Mobile,Email,Property state,Purpose\n"
    "Nina,Kowalczyk,4145550117,nina@example.com,FL,Refi\n"
    "Omar,Haddad,4145550118,omar@example.com,TX,Purchase\n"
    "Nobody,Reachable,,,FL,Refi\n"
)


@pytest.fixture
def clerk():
    make.company()
    make.source("csv_import")
    return make.user("operations")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(ROWS)
    return path


def said(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def take_in(file, clerk, *more):
    call_command("import", "leads", str(file), "--by", clerk.email, "--json", *more)


def test_a_file_is_taken_in_to_its_last_row(file, clerk, capsys):
    take_in(file, clerk)

    answer = said(capsys)
    assert (answer["state"], answer["rows"]) == ("done", 3)
    assert answer["counts"] == {"new": 2, "refused": 1}
    assert [(one["line"], one["reason"]) for one in answer["refused"]] == [(4, "no_contact")]
    assert Lead.objects.count() == 2


def test_nobody_is_rung_or_written_to_unless_asked_for(file, clerk):
    take_in(file, clerk)
    assert not Offer.objects.exists()
    assert not Message.objects.exists()


def test_a_dry_run_leaves_nothing_behind(file, clerk, capsys):
    take_in(file, clerk, "--dry-run")

    assert said(capsys)["counts"] == {"new": 2, "refused": 1}
    assert not Person.objects.exists()
    put_away = Spreadsheet.objects.get()
    assert (put_away.state, put_away.parts.count()) == ("dropped", 0)


def test_the_same_file_again_says_what_became_of_it(file, clerk, capsys):
    take_in(file, clerk)
    take_in(file, clerk)

    assert said(capsys)["import"] == str(Spreadsheet.objects.get())
    assert Lead.objects.count() == 2


def test_a_dry_run_puts_no_file_away_that_waits_on_the_page(file, clerk, capsys):
    take_in(file, clerk, "--dry-run")
    take_in(file, clerk)
    take_in(file, clerk, "--dry-run")

    assert said(capsys)["state"] == "done"


def test_an_import_is_taken_back_by_its_number(file, clerk, capsys):
    take_in(file, clerk)
    number = said(capsys)["import"]

    call_command("import", "undo", number, "--by", clerk.email)

    assert "2 leads are closed" in capsys.readouterr().out
    assert set(Lead.objects.values_list("state", flat=True)) == {"retired"}
    with pytest.raises(command_base.CheckFailed, match="only once"):
        call_command("import", "undo", number, "--by", clerk.email)


@pytest.mark.parametrize("role", ["officer", "compliance"])
def test_who_may_not_import_on_the_page_may_not_here(file, clerk, role):
    with pytest.raises(command_base.UsageError, match="may not do this"):
        take_in(file, make.user(role))
    assert not Spreadsheet.objects.exists()


def test_a_source_is_asked_for_where_there_is_none_or_more_than_one(file, clerk):
    with pytest.raises(command_base.UsageError, match="name the source.*none"):
        call_command("import", "hubspot", str(file), "--by", clerk.email)
    make.source("csv_import", slug="second")
    with pytest.raises(command_base.UsageError, match="name the source.*second"):
        take_in(file, clerk)
    take_in(file, clerk, "--source", "second")
    assert Spreadsheet.objects.get().source.slug == "second"


def test_a_file_that_is_no_list_is_refused_in_a_sentence(tmp_path, clerk):
    path = tmp_path / "brochure.csv"
    path.write_bytes(b"%PDF-1.7 ...")
    with pytest.raises(command_base.CheckFailed, match="This is a PDF"):
        take_in(path, clerk)


def test_what_is_no_import_cannot_be_taken_back(clerk):
    with pytest.raises(command_base.UsageError, match="is no import"):
        call_command("import", "undo", "imp99", "--by", clerk.email)
