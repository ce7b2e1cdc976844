"""A removal killed midway leaves nothing half done, and a hold placed meanwhile wins."""

import threading

import pytest
from django.db import connection

from rooftree.flow import data_removal
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.retention import legal_holds, purge_proof, purges
from rooftree.retention.models import Purge, PurgeRow
from tests import make
from tests.flow.test_crash import run_until_crash

pytestmark = pytest.mark.usefixtures("committed")
LATER = make.NOON + 800 * make.DAY
MINUTES = 800 * 24 * 60


def plan_purge(number: int) -> Purge:
    make.company()
    source = make.source()
    for nth in range(number):
        make.lead(
            source=source,
            person=make.person(phone=None, email=None),
            borrower_message=f"Plan {nth}",
        )
    purge = purges.plan_scheduled_purge(at=LATER)
    assert purge is not None
    return purge


@pytest.mark.parametrize(
    ("crash_point", "after"),
    [
        ("rooftree.retention.purges:_claim_slice", True),
        ("rooftree.retention.purges:write_event", False),
        ("rooftree.retention.purges:write_event", True),
        ("rooftree.retention.purges:_remove_rows", True),
    ],
)
def test_removal_killed_mid_slice_is_resumed(crash_point: str, after: bool) -> None:
    plan_purge(3)
    run_until_crash(
        "rooftree.flow.data_removal.run_removals", crash_point, after=after, minutes=MINUTES
    )
    assert Lead.objects.exclude(borrower_message="").count() == 3, "nothing is half removed"
    assert not Event.objects.filter(kind=purges.PURGED_EVENT).exists()
    data_removal.run_removals(at=LATER)
    assert not Lead.objects.exclude(borrower_message="").exists()
    assert Event.objects.filter(kind=purges.PURGED_EVENT, data__holding="lead").count() == 1
    assert purge_proof.prove_purges().problems == []
    assert Purge.objects.get().ended_at


def test_two_schedulers_remove_every_record_once() -> None:
    plan_purge(150)

    def clock() -> None:
        data_removal.run_removals(at=LATER)
        connection.close()

    threads = [threading.Thread(target=clock) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data_removal.run_removals(at=LATER)
    entries = Event.objects.filter(kind=purges.PURGED_EVENT, data__holding="lead")
    assert sum(entry.data["count"] for entry in entries) == 150
    assert not PurgeRow.objects.filter(removed_at=None).exists()
    assert purge_proof.prove_purges().problems == []


def test_hold_waits_for_running_slice_and_stops_next(monkeypatch) -> None:
    monkeypatch.setattr(purges, "SLICE_SIZE", 1)
    plan_purge(2)
    omar, source_id = make.user("compliance"), Lead.objects.first().source_id
    for lead in Lead.objects.all():
        make.touch(lead, inquiry={})
    in_slice, hold_placed = threading.Event(), threading.Event()
    real = purges._remove_rows

    def remove_slowly(*args) -> None:
        in_slice.set()
        assert not hold_placed.wait(0.5), "no hold can be placed in the middle of a slice"
        real(*args)

    monkeypatch.setattr(purges, "_remove_rows", remove_slowly)

    def counsel() -> None:
        in_slice.wait(20)
        scope = legal_holds.HoldScope(source_id=source_id)
        legal_holds.place_hold(scope, matter="Matter 3", why="Subpoena of July", by=omar, at=LATER)
        hold_placed.set()
        connection.close()

    other = threading.Thread(target=counsel)
    other.start()
    assert purges.remove_next_slice(at=LATER) == 1
    other.join()
    monkeypatch.setattr(purges, "_remove_rows", real)
    data_removal.run_removals(at=LATER)
    assert Lead.objects.exclude(borrower_message="").count() == 1
    assert PurgeRow.objects.filter(record_set="lead", kept_reason="legal_hold").count() == 1
