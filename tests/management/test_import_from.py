"""`rooftree import from SOURCE`: another system is asked from a shell."""

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
from tests.flow.senders import source

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def vendor(settings):
    make.company()
    with start_simulators(clock=SimulatedClock(at=make.NOON, speed=0)) as simulators:
        settings.UPSTREAMS = {"crm_pipedrive": simulators.urls["pipedrive"]}
        made = simulators.pipedrive
        sam = made.add_record("users", name="Sam Gone", email="sam@elsewhere.example")
        ivo = made.add_record(
            "persons",
            name="Ivo Petrov",
            phones=[{"value": "8135550114", "primary": True, "label": "mobile"}],
            emails=[],
        )
        made.add_record("leads", title="Refi", owner_id=sam, person_id=ivo, value=None)
        made.add_record("notes", content="Call after the fair", person_id=ivo, user_id=sam)
        yield made


@pytest.fixture
def clerk(vendor):
    return make.user("operations")


def take(clerk, *more):
    call_command("import", "from", "crm-pipedrive", "--by", clerk.email, "--json", *more)


def said(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_it_is_read_and_taken_in_to_the_end(clerk, capsys):
    source("crm_pipedrive", api_token=pipedrive.TOKEN)

    take(clerk)

    answer = said(capsys)
    assert (answer["state"], answer["counts"]) == ("done", {"new": 1})
    assert answer["owners_nobody_here"] == {"Sam Gone": 1}
    assert answer["history"] == {"note": {"read": 1, "came_along": 1}}
    assert Lead.objects.get().person.last_name == "Petrov"


def test_a_dry_run_keeps_nothing(clerk, capsys):
    source("crm_pipedrive", api_token=pipedrive.TOKEN)

    take(clerk, "--dry-run")

    assert said(capsys)["counts"] == {"new": 1}
    assert not Lead.objects.exists()
    assert Spreadsheet.objects.get().state == "dropped"


def test_a_wrong_token_ends_it_with_what_to_change(clerk):
    source("crm_pipedrive", api_token="wrong-token")

    with pytest.raises(command_base.CheckFailed, match="Personal preferences, API"):
        take(clerk)


def test_an_officer_may_not(vendor):
    source("crm_pipedrive", api_token=pipedrive.TOKEN)

    with pytest.raises(command_base.UsageError):
        take(make.officer().user)
    assert not Spreadsheet.objects.exists()
