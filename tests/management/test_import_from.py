"""`rooftree import from SOURCE`: people and history through another system's API."""

import json

import pytest
from django.core.management import call_command

from rooftree.capture.models import Spreadsheet
from rooftree.leads.models import Lead
from rooftree.management import command_base
from rooftree_simulators.crms import pipedrive
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import start_simulators
from tests import make
from tests.flow.senders import create_source

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def vendor(settings):
    make.company()
    with start_simulators(clock=SimulatedClock(at=make.NOON, speed=0)) as simulators:
        settings.UPSTREAMS = {"crm_pipedrive": simulators.urls["pipedrive"]}
        pipedrive_system = simulators.pipedrive
        sam = pipedrive_system.add_record("users", name="Sam Gone", email="sam@elsewhere.example")
        ivo = pipedrive_system.add_record(
            "persons",
            name="Ivo Petrov",
            phones=[{"value": "8135550114", "primary": True, "label": "mobile"}],
            emails=[],
        )
        pipedrive_system.add_record("leads", title="Refi", owner_id=sam, person_id=ivo, value=None)
        pipedrive_system.add_record(
            "notes", content="Call after the fair", person_id=ivo, user_id=sam
        )
        yield pipedrive_system


@pytest.fixture
def clerk(vendor):
    return make.user("operations")


def run_import(clerk, *more):
    call_command("import", "from", "crm-pipedrive", "--by", clerk.email, "--json", *more)


def read_output(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_crm_import_reads_and_imports_everything(clerk, capsys):
    create_source("crm_pipedrive", api_token=pipedrive.TOKEN)

    run_import(clerk)

    answer = read_output(capsys)
    assert (answer["state"], answer["counts"]) == ("done", {"new": 1})
    assert answer["owners_nobody_here"] == {"Sam Gone": 1}
    assert answer["history"] == {"note": {"read": 1, "came_along": 1}}
    assert Lead.objects.get().person.last_name == "Petrov"


def test_crm_dry_run_keeps_nothing(clerk, capsys):
    create_source("crm_pipedrive", api_token=pipedrive.TOKEN)

    run_import(clerk, "--dry-run")

    assert read_output(capsys)["counts"] == {"new": 1}
    assert not Lead.objects.exists()
    assert Spreadsheet.objects.get().state == "dropped"


def test_wrong_token_stops_the_import_with_a_remedy(clerk):
    create_source("crm_pipedrive", api_token="wrong-token")

    with pytest.raises(command_base.CheckFailed, match="Personal preferences, API"):
        run_import(clerk)


def test_loan_officer_cannot_import_from_a_crm(vendor):
    create_source("crm_pipedrive", api_token=pipedrive.TOKEN)

    with pytest.raises(command_base.UsageError):
        run_import(make.officer().user)
    assert not Spreadsheet.objects.exists()
