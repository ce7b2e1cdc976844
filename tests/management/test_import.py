"""`rooftree import dnc`: do-not-call lists from files, checked before they count."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from rooftree.compliance.models import DncArea
from rooftree.management import command_base

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / f"{now():%Y-%m-%d}_813.txt"
    path.write_text("813,5550142\n813,5550143\n")
    return path


def test_list_is_loaded_with_the_date_in_its_name(file, capsys):
    call_command("import", "dnc", str(file))
    area = DncArea.objects.get()
    assert (area.registry, area.area, area.numbers, area.dated) == ("US", "813", 2, now().date())
    assert "2 added, 0 removed, 2 numbers in the file, area codes 813" in capsys.readouterr().out


def test_dry_run_shows_what_would_happen(file, capsys):
    call_command("import", "dnc", str(file), "--dry-run", "--json")
    result = json.loads(capsys.readouterr().out)
    assert (result["list"], result["added"], result["areas"]) == ("US", 2, ["813"])
    assert not DncArea.objects.exists()


def test_state_list_is_loaded_with_the_given_date(tmp_path):
    path = tmp_path / "florida.csv"
    path.write_text("Phone\n(813) 555-0142\n")
    day = now().date() - timedelta(days=2)
    call_command("import", "dnc", str(path), "--list", "FL", "--dated", day.isoformat())
    assert DncArea.objects.values_list("registry", "area", "dated").get() == ("FL", "", day)


def test_list_without_a_date_in_its_name_needs_the_dated_option(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("813,5550142\n")
    with pytest.raises(command_base.UsageError, match="--dated"):
        call_command("import", "dnc", str(path))


def test_unreadable_list_is_rejected_with_the_line(file):
    file.write_text("813,5550142\n813,bad\n")
    with pytest.raises(command_base.CheckFailed, match="Line 2"):
        call_command("import", "dnc", str(file))
    assert not DncArea.objects.exists()


def test_invalid_date_is_rejected(file):
    with pytest.raises((command_base.UsageError, SystemExit)):
        call_command("import", "dnc", str(file), "--dated", "soon")
    assert not DncArea.objects.exists()
