"""Two simulated years of sequences: replies, opt-outs, edits and restarts; two clocks at once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from rooftree.leads.models import Lead, Person
from rooftree.ledger.models import Event
from rooftree.nurture import due_steps, sequence_enrollment, sequence_starts, sequence_switches
from rooftree.nurture.models import Enrollment, EnrollmentStep, Sequence
from rooftree.nurture.sequence_enrollment import plan_of
from rooftree.outreach.wording.version_approval import MAX_APPROVAL
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
PEOPLE, DAYS, SEED = 200, 730, 20261203
WINDOW = 7  # days between two looks of the clock
STEPS = [
    {"id": "a", "kind": "wait", "after_minutes": 0, "after_days": 2, "at": "09:00"},
    {"id": "b", "kind": "branch", "if": "state is TX", "then": "go:d", "after_minutes": 0},
    {"id": "c", "kind": "call_task", "words": {"en": "Call"}, "after_days": 20, "business": True},
    {"id": "d", "kind": "officer_alert", "words": {"en": "Look"}, "after_days": 60},
    {"id": "e", "kind": "branch", "if": "score at least 90", "then": "move:later",
     "after_minutes": 30},
    {"id": "f", "kind": "wait", "after_minutes": 0, "after_days": 300, "at": "10:00"},
    {"id": "g", "kind": "exit", "after_days": 90},
]  # fmt: skip


class Restart(Exception):
    """The process dies before its work is committed."""


def approve(key, version, steps, at, **rules):
    Sequence.objects.filter(key=key, until_at=None).update(until_at=at)
    return Sequence.objects.create(
        key=key, name=key, version=version, steps=steps, rules=rules, summary="x", written_at=at,
        decided_at=at, from_at=at, approved_until=at + MAX_APPROVAL,
    )  # fmt: skip


def arrive(source, chance, at):
    person = Person.objects.create(first_name="A", last_name="B", created_at=at)
    return Lead.objects.create(
        person=person, source=source, created_at=at, last_inquiry_at=at,
        property_state=chance.choice(["FL", "TX", "CA"]), score=chance.randint(0, 100),
    )  # fmt: skip


def one_day(chance, leads, mia, at):
    """Do to some leads what happens to leads, in a random order."""
    for lead_id in chance.sample(leads, min(len(leads), 3)):
        act = chance.choice(["replied", "opted out", "spoken", "hand", "nothing", "nothing"])
        if act == "hand":
            sequence_enrollment.enroll_lead(lead_id=lead_id, key="year", at=at)
        elif act != "nothing":
            sequence_enrollment.stop_sequence(lead_id=lead_id, because=act, at=at)
    if chance.random() < 0.02:
        sequence_switches.pause_sequence("later", by=mia, at=at)
    elif chance.random() < 0.2:
        sequence_switches.resume_sequence("later", by=mia, at=at)


def run_clocks(monkeypatch, chance, at):
    """Run two clocks one into the other; now and then the inner work of one is lost."""
    for _ in range(2):
        sequence_starts.enroll_due_leads(at=at)
    if chance.random() < 0.1:
        with monkeypatch.context() as broken:
            broken.setattr(due_steps, "_carry_out", _die)
            with pytest.raises(Restart):
                if due_steps.queue_due_steps(at=at) == 0:
                    raise Restart  # nothing was due
    while due_steps.queue_due_steps(at=at):
        due_steps.queue_due_steps(at=at, limit=1)


def _die(*args):
    raise Restart


def test_two_years_lose_and_double_nothing(monkeypatch):
    journey.set_up_company()
    chance, mia = random.Random(SEED), make.user("marketing")
    source, start = journey.create_website(), make.NOON
    approve("later", 1, [{"kind": "wait", "after_days": 30}] * 3, start, start="hand", priority=40)
    approve("year", 1, STEPS, start, start="lead_created", audience="score at least 10")
    leads = []
    for day in range(0, DAYS, WINDOW):
        at = start + timedelta(days=day, minutes=chance.randint(1, 600))
        if len(leads) < PEOPLE:
            leads += [arrive(source, chance, at).pk for _ in range(6)]
        if day % 175 == 168:  # an edit: somebody moves the people of the version before
            old = Sequence.objects.get(key="year", until_at=None)
            kept = [step for step in STEPS if step["id"] not in chance.sample("acf", 1)]
            approve("year", old.version + 1, kept, at, **old.rules)
            sequence_switches.move_people(old, by=mia, at=at)
            waits = [{"kind": "wait", "after_days": 30}] * 3
            approve("later", old.version + 1, waits, at, start="hand", priority=40)
        one_day(chance, leads, mia, at)
        run_clocks(monkeypatch, chance, at)
    check_ledger_and_clock_agree(at)


def check_ledger_and_clock_agree(at):
    paused = set(sequence_enrollment.switched_off_keys(paused_only=True))
    rows = Enrollment.objects.select_related("sequence")
    assert rows.count() > PEOPLE * 0.8
    steps = Counter(EnrollmentStep.objects.values_list("enrollment_id", "number"))
    assert max(steps.values()) == 1
    done = {}
    for enrollment_id, number in steps:
        done.setdefault(enrollment_id, []).append(number)
    for row in rows:
        plan, numbers = plan_of(row.sequence), sorted(done.get(row.pk, []))
        if row.ended_at is None:  # nothing is lost: what is live has a time, and it isn't past
            assert row.due_at is not None
            assert row.due_at > at or row.sequence.key in paused
            assert row.next_step not in numbers
            assert all(number < row.next_step for number in numbers)
        else:
            assert row.due_at is None
            assert row.end_reason
        assert len(numbers) <= len(plan.steps)
    live = Counter(rows.filter(ended_at=None).values_list("lead__person", flat=True))
    assert max(live.values(), default=1) == 1
    began = Counter(Enrollment.objects.exclude(idempotency_key=None).values_list(
        "idempotency_key", flat=True))  # fmt: skip
    assert max(began.values()) == 1
    moved = Enrollment.objects.filter(idempotency_key__startswith="move:").count()
    said = Counter(Event.objects.filter(kind__startswith="nurture.").values_list("kind", flat=True))
    assert said["nurture.lead.enrolled"] == rows.count() - moved
    ended = rows.exclude(ended_at=None).exclude(end_reason__startswith="moved to v").count()
    assert said["nurture.enrolment.ended"] == ended
    for reason in ("replied", "opted out", "finished", "moved to later"):
        assert rows.filter(end_reason=reason).exists(), reason


def test_two_clocks_at_the_same_time_do_each_step_once(committed):
    journey.set_up_company()
    chance, source = random.Random(SEED), journey.create_website()
    approve("calls", 1, [STEPS[2], {**STEPS[2], "id": "z"}], make.NOON, start="hand")
    leads = [arrive(source, chance, make.NOON).pk for _ in range(30)]
    for lead_id in leads * 2:
        sequence_enrollment.enroll_lead(lead_id=lead_id, key="calls", at=make.NOON)
    at = make.NOON + timedelta(days=35)

    def run_clock(_):
        try:
            return sum(due_steps.queue_due_steps(at=at, limit=5) for _ in range(8))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as clocks:
        moved = sum(clocks.map(run_clock, range(4)))
    while left := due_steps.queue_due_steps(at=at):  # a step another clock held has its turn
        moved += left
    assert moved == len(leads) == EnrollmentStep.objects.count() == Enrollment.objects.count()
    assert Enrollment.objects.filter(next_step=1, due_at__gt=at).count() == len(leads)
