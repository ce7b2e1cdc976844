"""A removal killed in the middle leaves nothing half; a hold that comes meanwhile wins."""

import threading

import pytest
from django.db import connection

from rooftree.flow import data_removal
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.retention import legal_holds, purge_proof, purges
from rooftree.retention.models import Purge, PurgeRow
from tests import make
from tests.flow.test_crash import killed

pytestmark = pytest.mark.usefixtures("committed")
LATER = make.NOON + 800 * make.DAY
MINUTES = 800 * 24 * 60


def planned(number: int) -> Purge:
    make.company()
    source = make.source()
    for nth in range(number):
        make.lead(source=source, person=make.person(phone=None, email=None), asked=f"Plan {nth}")
    purge = purges.plan_scheduled_purge(at=LATER)
    assert purge is not None
    return purge


@pytest.mark.parametrize(
    ("mine", "after"),
    [
        ("rooftree.retention.purges:_claim_slice", True),
        ("rooftree.retention.purges:write_event", False),
        ("rooftree.retention.purges:write_event", True),
        ("rooftree.retention.purges:_remove_rows", True),
    ],
)
def test_a_removal_killed_in_the_middle_of_a_slice_is_taken_up_again(
    mine: str, after: bool
) -> None:
    planned(3)
    killed("rooftree.flow.data_removal.run_removals", mine, after=after, minutes=MINUTES)
    assert Lead.objects.exclude(asked="").count() == 3, "nothing is half removed"
    assert not Event.objects.filter(kind=purges.PURGED_EVENT).exists()
    data_removal.run_removals(at=LATER)
    assert not Lead.objects.exclude(asked="").exists()
    assert Event.objects.filter(kind=purges.PURGED_EVENT, data__holding="lead").count() == 1
    assert purge_proof.prove_purges().problems == []
    assert Purge.objects.get().ended_at


def test_two_clocks_remove_every_record_once() -> None:
    planned(150)

    def clock() -> None:
        data_removal.run_removals(at=LATER)
        connection.close()

    clocks = [threading.Thread(target=clock) for _ in range(2)]
    for one in clocks:
        one.start()
    for one in clocks:
        one.join()
    data_removal.run_removals(at=LATER)
    entries = Event.objects.filter(kind=purges.PURGED_EVENT, data__holding="lead")
    assert sum(entry.data["count"] for entry in entries) == 150
    assert not PurgeRow.objects.filter(removed_at=None).exists()
    assert purge_proof.prove_purges().problems == []


def test_a_hold_waits_for_the_slice_under_way_and_stops_the_next(monkeypatch) -> None:
    monkeypatch.setattr(purges, "SLICE_SIZE", 1)
    planned(2)
    omar, source_id = make.user("compliance"), Lead.objects.first().source_id
    for lead in Lead.objects.all():
        make.touch(lead, inquiry={})
    in_slice, placed = threading.Event(), threading.Event()
    real = purges._remove_rows

    def slowly(*given) -> None:
        in_slice.set()
        assert not placed.wait(0.5), "no hold can be placed in the middle of a slice"
        real(*given)

    monkeypatch.setattr(purges, "_remove_rows", slowly)

    def counsel() -> None:
        in_slice.wait(20)
        scope = legal_holds.HoldScope(source_id=source_id)
        legal_holds.place_hold(scope, matter="Matter 3", why="Subpoena of July", by=omar, at=LATER)
        placed.set()
        connection.close()

    other = threading.Thread(target=counsel)
    other.start()
    assert purges.remove_next_slice(at=LATER) == 1
    other.join()
    monkeypatch.setattr(purges, "_remove_rows", real)
    data_removal.run_removals(at=LATER)
    assert Lead.objects.exclude(asked="").count() == 1
    assert PurgeRow.objects.filter(holding="lead", kept_because="legal_hold").count() == 1
