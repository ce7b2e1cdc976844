"""The promises to a borrower on the lead's timeline: due, late, escalated, kept."""

from datetime import timedelta

import pytest

from rooftree.flow import call_outcomes, promises
from rooftree.reporting.timeline import lead_history
from rooftree.reporting.timeline.timeline_entry import EntryMark
from rooftree.routing import lead_ownership
from rooftree.routing.models import Promise
from tests import make

pytestmark = pytest.mark.django_db


def take_ben(cast):
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)


def watch(*minutes):
    for minute in minutes:
        promises.watch_promises(at=make.NOON + minute * make.MINUTE)


def call_ben(cast, after):
    call_outcomes.record_outcome(
        lead_id=cast.ben.pk, result="no_answer", by=cast.dana.user, at=make.NOON + after
    )


def promise_lines(lead):
    """Return the lines about promises, oldest first, as the page reads them."""
    entries = reversed(lead_history.build_timeline(lead))
    return [
        f"{entry.title}, {entry.detail}" if entry.detail else f"{entry.title}. {entry.body}"
        for entry in entries
        if entry.key.startswith("promise:")
    ]


def test_forgotten_lead_says_who_was_reminded_and_who_was_told(cast):
    take_ben(cast)
    watch(1, 3, 8)
    call_ben(cast, 9 * make.MINUTE)

    assert promise_lines(cast.ben) == [
        "First call due, by 12:02 PM",
        "Dana Whitfield, was reminded: first call due by 12:02 PM",
        "Late first call, it was due by 12:02 PM",
        "Escalated the late first call. Dana Whitfield hasn’t called Ben. The first call was due"
        " 12:02 PM. Told Ruth Adler.",
        "First call made, late, due by 12:02 PM",
    ]


def test_promise_kept_in_time_is_one_line(cast):
    take_ben(cast)
    watch(1)
    call_ben(cast, make.MINUTE + 30 * make.SECOND)

    assert promise_lines(cast.ben) == ["First call made, on time, due by 12:02 PM"]
    marks = {entry.key[-4:]: entry.mark for entry in lead_history.build_timeline(cast.ben)}
    assert marks["kept"] is EntryMark.OK


def test_promise_that_lapsed_before_it_was_due_leaves_no_line(cast):
    take_ben(cast)
    Promise.objects.update(canceled_at=make.NOON, end_reason="nothing is owed anymore")

    assert promise_lines(cast.ben) == []


def test_late_promise_that_lapsed_says_why(cast):
    take_ben(cast)
    watch(3)
    at = make.NOON + 4 * make.MINUTE
    Promise.objects.update(canceled_at=at, end_reason="the borrower opted out")

    assert promise_lines(cast.ben)[-1] == "First call is no longer due, the borrower opted out"


def test_agreed_callback_names_its_day_and_not_its_grace(cast):
    take_ben(cast)
    due = make.NOON + timedelta(days=1)
    Promise.objects.update(kind="callback", due_at=due + timedelta(minutes=5))

    day = f"{due:%b} {due.day}"

    assert promise_lines(cast.ben) == [f"Callback due, by {day}, 12:00 PM"]
