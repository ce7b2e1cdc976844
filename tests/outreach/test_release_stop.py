"""A stop at full pace with simulated carriers, threads and processes: messages sent after it."""

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
PACE = 8  # messages per second


def at_second(number: float):
    return make.NOON + number * make.SECOND


@pytest.fixture
def omar(db):
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def running_release(dana, omar, settings) -> Release:
    """Create a campaign to sixty people that is approved and past its canary."""
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
    release_runner.run_releases(at=at_second(0.1))
    release_control.continue_release(release, by=omar, at=at_second(0.2))
    release.refresh_from_db()
    return release


@contextmanager
def at_work(*, since: float) -> Iterator[Callable[[], object]]:
    """Run two schedulers at full pace; yield a function that returns the current moment."""
    began, is_over = time.monotonic(), threading.Event()

    def moment():
        return at_second(since + time.monotonic() - began)

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
    """Return once this many messages were sent."""
    for _ in range(1500):
        if release.messages.filter(state="sent").count() >= messages:
            return
        time.sleep(0.02)
    raise AssertionError(f"{messages} messages never left")


def recipients_of(carriers) -> set[str]:
    """Return the addresses the carrier has messages for."""
    everybody = {letter["to"][0] for letter in carriers.letters}
    return {address for address in everybody if address.endswith("@home.example")}


def test_stop_page_lists_every_message_sent_after_stop(running_release, omar, carriers):
    with at_work(since=1) as moment:
        wait_for(running_release, 3 * PACE)
        release_control.stop_release(running_release, by=omar, because="Wrong rate", at=moment())
        before = recipients_of(carriers)
        time.sleep(1.5)  # the workers keep looking for work
        after = recipients_of(carriers)

    running_release.refresh_from_db()
    listed = {
        message.to_address for message in release_progress.messages_beyond_recall(running_release)
    }
    assert after - before <= listed
    assert len(listed) <= 2 * PACE
    assert not running_release.messages.filter(state__in=["waiting", "held", "claimed"]).exists()
    submitted = running_release.messages.filter(state__in=release_progress.SUBMITTED_STATES)
    assert recipients_of(carriers) == set(submitted.values_list("to_address", flat=True))
    assert len(after) < 60


def test_any_two_seconds_stay_within_pace(running_release, carriers):
    with at_work(since=1):
        wait_for(running_release, 4 * PACE)

    handed = sorted(
        running_release.messages.exclude(claimed_at=None).values_list("claimed_at", flat=True)
    )
    for first in handed:
        together = [message for message in handed if first <= message < first + 2 * make.SECOND]
        assert len(together) <= 2 * PACE


def test_two_schedulers_message_no_one_twice(running_release, carriers):
    with at_work(since=1):
        wait_for(running_release, 2 * PACE)

    addresses = [
        letter["to"][0] for letter in carriers.letters if "home.example" in letter["to"][0]
    ]
    assert len(addresses) == len(set(addresses))


def from_a_shell(*words: str) -> str:
    """Run one of our commands in its own process: no web, no worker, only the database."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    done = subprocess.run(
        [sys.executable, "-m", "rooftree", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "DATABASE_URL": address},
    )  # fmt: skip
    return done.stdout


def test_stop_from_command_line_applies_before_next_carrier_call(running_release, carriers):
    release_runner._create_messages(running_release, 4, at_second(1))
    ids = list(running_release.messages.filter(state="waiting").values_list("pk", flat=True))
    claimed = send._claim_messages(ids, at_second(1))  # a worker is about to send them
    had = len(carriers.letters)

    output = from_a_shell("stop-sending", "--because", "The wrong list.")

    assert "Sending is paused. The wrong list." in output
    assert send._recheck_claimed(claimed, at_second(2)) == []
    assert release_runner.run_releases(at=at_second(3)) == 0
    assert len(carriers.letters) == had
    waits = running_release.messages.filter(pk__in=ids)
    assert set(waits.values_list("state", "claimed_at")) == {("waiting", None)}
    assert len(claimed) == 4


def test_messages_held_by_pause_are_sent_at_pace(running_release, carriers):
    sending_pause.begin_pause(reason="A look.", backup_at=None, at=at_second(1))
    assert release_runner.run_releases(at=at_second(2)) == 0

    sending_pause.end_pause(by=make.user("administrator"), at=at_second(3))

    assert release_runner.run_releases(at=at_second(4)) == PACE
    assert release_runner.run_releases(at=at_second(4.5)) == 0


def test_campaign_does_not_delay_first_response(running_release, carriers):
    release_runner.run_releases(at=at_second(1))
    lead = journey.deliver(journey.create_website(), journey.form_post(), at=at_second(1))

    assert {message.state for message in Message.objects.filter(lead=lead)} == {"sent"}
