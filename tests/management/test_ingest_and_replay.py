import json

import pytest
from django.core.management import call_command

from rooftree.leads.models import Delivery, Lead
from rooftree.management import command_base
from tests import make
from tests.flow import journey

LATER = make.NOON + 4000 * make.DAY  # the commands read the real clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company():
    journey.set_up_company()


def test_ingested_file_becomes_a_lead(tmp_path, capsys):
    journey.create_zillow()
    file = tmp_path / "lost.json"
    file.write_text(json.dumps(journey.zillow_contact()))

    call_command("ingest", "zillow", str(file))
    journey.run(LATER)

    assert "lost.json: 200, delivery" in capsys.readouterr().out
    assert Lead.objects.get().person.last_name == "Ortiz"


def test_unknown_source_is_rejected_with_the_available_ones(tmp_path):
    journey.create_zillow()
    with pytest.raises(command_base.UsageError, match="Available: zillow"):
        call_command("ingest", "zilow", str(tmp_path / "x.json"))


def test_replayed_quarantined_delivery_becomes_a_lead():
    received = journey.arrive(journey.create_zillow(), journey.zillow_contact())
    Delivery.objects.filter(pk=received.delivery.pk).update(
        state="quarantined", outcome="quarantined", reason="no_contact", due_at=None
    )  # as an older adapter left it

    call_command("replay", "--quarantined")
    journey.run(LATER)

    assert Delivery.objects.get().state == "worked"
    assert Lead.objects.count() == 1
