"""A stop at full pace, with real carriers, threads and processes: what leaves after is counted."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from rooftree.flow import release_runner
from rooftree.org import sending_pause
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message
from rooftree.outreach.releases import release_control, release_drafts, release_progress
from rooftree.outreach.releases.audience import Audience
from rooftree.outreach.releases.models import Release
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.usefixtures("committed", "carriers")
ROOT = Path(__file__).parent.parent.parent
PACE = 8  # messages a second


def second(number: float):
    return make.NOON + number * make.SECOND


@pytest.fixture
def omar(db):
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def going(dana, omar, settings) -> Release:
    """A release to sixty people that has its second person and its look."""
    settings.RELEASE_PER_SECOND = PACE
    make.release_limits(free_size=5, canary_size=1)
    for _ in range(60):
        make.lead(officer=dana, state="nurture")
    release = release_runner.create_release(
        title="To all", audience=Audience(), key="not_reached_2", medium="email",
        by=make.user("marketing"), at=make.NOON,
    )  # fmt: skip
    release_drafts.seal_draft(release.pk, by=None, at=make.NOON)
    release_control.approve_release(release, by=omar, at=make.NOON)
    release_runner.run_releases(at=second(0.1))
    release_control.continue_release(release, by=omar, at=second(0.2))
    release.refresh_from_db()
    return release


@contextmanager
def at_work(*, since: float) -> Iterator[Callable[[], object]]:
    """Two clocks that carry releases out as fast as they may; gives the moment it is by then."""
    began, is_over = time.monotonic(), threading.Event()

    def moment():
        return second(since + time.monotonic() - began)

    def work() -> None:
        while not is_over.is_set():
            release_runner.run_releases(at=moment())
            is_over.wait(0.02)
        connection.close()

    clocks = [threading.Thread(target=work) for _ in range(2)]
    for clock in clocks:
        clock.start()
    try:
        yield moment
    finally:
        is_over.set()
        for clock in clocks:
            clock.join()


def wait_for(release: Release, messages: int) -> None:
    """Return once so many of it have left."""
    for _ in range(1500):
        if release.messages.filter(state="sent").count() >= messages:
            return
        time.sleep(0.02)
    raise AssertionError(f"{messages} messages never left")


def read(carriers) -> set[str]:
    """To whom the carrier has something."""
    everybody = {letter["to"][0] for letter in carriers.letters}
    return {one for one in everybody if one.endswith("@home.example")}


def test_what_leaves_after_a_stop_at_full_pace_is_all_on_the_page(going, omar, carriers):
    with at_work(since=1) as moment:
        wait_for(going, 3 * PACE)
        release_control.stop_release(going, by=omar, because="Wrong rate", at=moment())
        before = read(carriers)
        time.sleep(1.5)  # they go on looking for work
        after = read(carriers)

    going.refresh_from_db()
    listed = {one.to_address for one in release_progress.messages_beyond_recall(going)}
    assert after - before <= listed
    assert len(listed) <= 2 * PACE
    assert not going.messages.filter(state__in=["waiting", "held", "claimed"]).exists()
    gone = going.messages.filter(state__in=release_progress.SUBMITTED_STATES)
    assert read(carriers) == set(gone.values_list("to_address", flat=True))
    assert len(after) < 60


def test_no_two_seconds_hold_more_than_two_seconds_of_the_pace(going, carriers):
    with at_work(since=1):
        wait_for(going, 4 * PACE)

    handed = sorted(going.messages.exclude(claimed_at=None).values_list("claimed_at", flat=True))
    for first in handed:
        together = [message for message in handed if first <= message < first + 2 * make.SECOND]
        assert len(together) <= 2 * PACE


def test_two_clocks_at_once_write_to_nobody_twice(going, carriers):
    with at_work(since=1):
        wait_for(going, 2 * PACE)

    addresses = [
        letter["to"][0] for letter in carriers.letters if "home.example" in letter["to"][0]
    ]
    assert len(addresses) == len(set(addresses))


def from_a_shell(*words: str) -> str:
    """One of our commands in a process of its own: no web, no worker, only the database."""
    held = connection.settings_dict
    address = f"postgresql://{held['USER']}@/{held['NAME']}?host={held['HOST']}"
    done = subprocess.run(
        [sys.executable, "-m", "rooftree", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "DATABASE_URL": address},
    )  # fmt: skip
    return done.stdout


def test_a_stop_from_a_shell_is_seen_by_workers_before_their_next_call(going, carriers):
    release_runner._create_messages(going, 4, second(1))
    ids = list(going.messages.filter(state="waiting").values_list("pk", flat=True))
    claimed = send._claim_messages(ids, second(1))  # a worker is about to hand them over
    had = len(carriers.letters)

    said = from_a_shell("stop-sending", "--because", "The wrong list.")

    assert "Sending is paused. The wrong list." in said
    assert send._recheck_claimed(claimed, second(2)) == []
    assert release_runner.run_releases(at=second(3)) == 0
    assert len(carriers.letters) == had
    waits = going.messages.filter(pk__in=ids)
    assert set(waits.values_list("state", "claimed_at")) == {("waiting", None)}
    assert len(claimed) == 4


def test_what_waited_for_the_end_of_a_pause_goes_at_the_pace(going, carriers):
    sending_pause.begin_pause(reason="A look.", backup_at=None, at=second(1))
    assert release_runner.run_releases(at=second(2)) == 0

    sending_pause.end_pause(by=make.user("administrator"), at=second(3))

    assert release_runner.run_releases(at=second(4)) == PACE
    assert release_runner.run_releases(at=second(4.5)) == 0


def test_the_first_answer_to_somebody_who_asks_now_is_not_held_up_by_a_release(going, carriers):
    release_runner.run_releases(at=second(1))
    lead = journey.deliver(journey.website(), journey.form_post(), at=second(1))

    assert {message.state for message in Message.objects.filter(lead=lead)} == {"sent"}
