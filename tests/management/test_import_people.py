"""`rooftree import hubspot FILE` and `import undo`, from a shell."""

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


def read_output(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def import_file(file, clerk, *more):
    call_command("import", "leads", str(file), "--by", clerk.email, "--json", *more)


def test_file_is_imported_to_its_last_row(file, clerk, capsys):
    import_file(file, clerk)

    answer = read_output(capsys)
    assert (answer["state"], answer["rows"]) == ("done", 3)
    assert answer["counts"] == {"new": 2, "refused": 1}
    assert [(row["line"], row["reason"]) for row in answer["refused"]] == [(4, "no_contact")]
    assert Lead.objects.count() == 2


def test_import_offers_and_messages_no_one_by_default(file, clerk):
    import_file(file, clerk)
    assert not Offer.objects.exists()
    assert not Message.objects.exists()


def test_dry_run_leaves_nothing_behind(file, clerk, capsys):
    import_file(file, clerk, "--dry-run")

    assert read_output(capsys)["counts"] == {"new": 2, "refused": 1}
    assert not Person.objects.exists()
    sheet = Spreadsheet.objects.get()
    assert (sheet.state, sheet.parts.count()) == ("dropped", 0)


def test_same_file_again_shows_the_first_import(file, clerk, capsys):
    import_file(file, clerk)
    import_file(file, clerk)

    assert read_output(capsys)["import"] == str(Spreadsheet.objects.get())
    assert Lead.objects.count() == 2


def test_dry_run_of_an_imported_file_does_not_drop_it(file, clerk, capsys):
    import_file(file, clerk, "--dry-run")
    import_file(file, clerk)
    import_file(file, clerk, "--dry-run")

    assert read_output(capsys)["state"] == "done"


def test_import_is_undone_by_its_number(file, clerk, capsys):
    import_file(file, clerk)
    number = read_output(capsys)["import"]

    call_command("import", "undo", number, "--by", clerk.email)

    assert "closed 2 leads" in capsys.readouterr().out
    assert set(Lead.objects.values_list("state", flat=True)) == {"retired"}
    with pytest.raises(command_base.CheckFailed, match="only once"):
        call_command("import", "undo", number, "--by", clerk.email)


@pytest.mark.parametrize("role", ["officer", "compliance"])
def test_import_needs_the_same_permission_as_the_page(file, clerk, role):
    with pytest.raises(command_base.UsageError, match="doesn't have permission to do this"):
        import_file(file, make.user(role))
    assert not Spreadsheet.objects.exists()


def test_source_option_is_required_unless_exactly_one_fits(file, clerk):
    with pytest.raises(command_base.UsageError, match="add --source.*none"):
        call_command("import", "hubspot", str(file), "--by", clerk.email)
    make.source("csv_import", slug="second")
    with pytest.raises(command_base.UsageError, match="add --source.*second"):
        import_file(file, clerk)
    import_file(file, clerk, "--source", "second")
    assert Spreadsheet.objects.get().source.slug == "second"


def test_file_that_is_not_a_list_is_rejected_in_a_sentence(tmp_path, clerk):
    path = tmp_path / "brochure.csv"
    path.write_bytes(b"%PDF-1.7 ...")
    with pytest.raises(command_base.CheckFailed, match="This is a PDF"):
        import_file(path, clerk)


def test_unknown_import_cannot_be_undone(clerk):
    with pytest.raises(command_base.UsageError, match="there is no import imp99"):
        call_command("import", "undo", "imp99", "--by", clerk.email)
