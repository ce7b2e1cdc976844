"""Several connections: each lead goes through the first that takes it, and once."""

import pytest
from django.urls import reverse

from rooftree.los import connection_choice, handoff_outbox
from rooftree.los.handoff_outbox import HandoffNotReady
from rooftree.los.models import Connection, Handoff
from tests import make as rows
from tests.flow import journey
from tests.los import systems


def connect(name: str, **changes) -> Connection:
    return Connection.objects.create(
        los="encompass", name=name, slug=name, base_url="http://127.0.0.1:9",
        instance=f"TEBE-{name}", folder="Prospects", **{"enabled_at": rows.NOON, **changes},
    )  # fmt: skip


def taker(lead) -> str:
    connection, _ = connection_choice.find_connection(lead)
    return connection.name if connection else ""


def test_lead_goes_to_the_first_connection_that_takes_its_branch_and_purpose(world, dana):
    region = rows.branch("South", kind="region")
    dana.branch = rows.branch("Tampa", parent=region)
    dana.save()
    connect("retail", position=9)
    connect("south", position=2, branch_ids=[str(region.pk)], purposes=["heloc"])
    connect("dallas", position=0, branch_ids=[str(rows.branch("Dallas").pk)])
    connect("off", position=1, enabled_at=None)
    sandbox = connect("sandbox", position=0, is_for_tests=True)

    assert taker(systems.new_lead(dana)) == "retail"
    assert taker(systems.new_lead(dana, "Bo Li", purpose="heloc")) == "south"
    assert taker(systems.new_lead(dana, "Cy Roe", is_test=True)) == "sandbox"
    Connection.objects.filter(pk=sandbox.pk).update(enabled_at=None)
    assert taker(systems.new_lead(dana, "Di Fox", is_test=True)) == "retail"
    Connection.objects.filter(name="retail").update(purposes=["purchase"])
    unfit = systems.new_lead(dana, "Ed Poe", purpose="reverse")
    with pytest.raises(HandoffNotReady, match="none is for its branch and purpose"):
        handoff_outbox.queue_handoff(lead_id=unfit.pk, by=dana.user, at=rows.NOON)


def test_lead_handed_over_by_two_paths_is_one_handoff(world, encompass, dana):
    lead = systems.new_lead(dana)
    first = handoff_outbox.queue_handoff(lead_id=lead.pk, by=dana.user, at=rows.NOON)
    connect("newer", position=0, officer_users={dana.nmls_id: "dana"})
    Connection.objects.filter(pk=encompass.pk).update(position=5)

    second = handoff_outbox.queue_handoff(lead_id=lead.pk, by=None, at=journey.later(5))

    assert (second.pk, Handoff.objects.count()) == (first.pk, 1)


def test_leads_of_a_connection_are_set_on_its_page(world, dana):
    lender = systems.Lender("encompass")
    connect("retail")
    branch = rows.branch("Dallas")
    typed = {"position": 3, "branch_ids": [str(branch.pk)], "purposes": ["heloc"]}

    assert lender.post("set_leads_taken", **typed, is_for_tests="on").status_code == 303
    refused = lender.post("set_leads_taken", **typed | {"purposes": ["gift"]})

    row = lender.connection
    assert (row.position, row.branch_ids, row.purposes) == (3, [str(branch.pk)], ["heloc"])
    assert row.is_for_tests and refused.status_code == 422
    listed = lender.browser.get(reverse("setup_los"))
    assert "test leads only" in listed.text and "?los=lendingpad" in listed.text
