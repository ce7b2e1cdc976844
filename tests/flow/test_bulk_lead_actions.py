from datetime import timedelta
from uuid import uuid4

import pytest

from rooftree.flow import bulk_lead_actions as bulk
from rooftree.leads.models import Lead, LeadTag
from rooftree.ledger.models import Event
from rooftree.nurture import default_sequence, sequence_enrollment
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.routing.models import BulkAction, BulkChange, Ownership
from tests import make

UNTIL = make.NOON + 3 * make.DAY
NEVER_DUE = {"first_attempt_at": make.NOON, "response_due_at": None}


def order(kind, leads, target, **changes):
    return bulk.BulkOrder(
        kind=bulk.BulkKind(kind), lead_ids=[lead.pk for lead in leads], target=str(target),
        summary="Done", **changes,
    )  # fmt: skip


def run(the_order, by, key=None, at=make.NOON):
    return bulk.run_action(the_order, key=key or uuid4(), by=by, at=at)


@pytest.fixture
def kim(cast):
    """Another officer of Tampa, licensed in Florida only."""
    return make.officer("Kim Lee", licensed=("FL",), branch=cast.tampa)


def test_reassignment_passes_over_leads_of_states_without_a_license(cast, kim):
    florida = make.lead(officer=cast.dana, property_state="FL", **NEVER_DUE)
    california = make.lead(officer=cast.dana, property_state="CA", **NEVER_DUE)
    wanted = order("reassign", [florida, california], kim.pk)

    preview = bulk.preview_action(wanted, by=cast.ruth, at=make.NOON)

    assert [line.lead.pk for line in preview.changed] == [florida.pk]
    assert [(line.lead.pk, line.problem) for line in preview.refused] == [
        (california.pk, "The loan officer is not licensed in CA.")
    ]
    assert Lead.objects.get(pk=florida.pk).officer == cast.dana  # a preview changes nothing
    assert not Ownership.objects.filter(officer=kim).exists()

    action = run(wanted, cast.ruth)

    assert Lead.objects.get(pk=florida.pk).officer == kim
    assert Lead.objects.get(pk=california.pk).officer == cast.dana
    problems = dict(action.changes.values_list("lead_id", "problem"))
    assert problems == {
        florida.pk: "", california.pk: "The loan officer is not licensed in CA."
    }  # fmt: skip


def test_bulk_action_writes_one_event_for_each_changed_lead(cast, kim):
    leads = [make.lead(officer=cast.dana, **NEVER_DUE) for _ in range(3)]
    before = Event.objects.filter(kind="routing.lead.given").count()

    run(order("reassign", leads, kim.pk), cast.ruth)

    assert Event.objects.filter(kind="routing.lead.given").count() == before + 3


def test_repeated_submit_runs_the_action_once(cast, kim):
    lead = make.lead(officer=cast.dana, **NEVER_DUE)
    key = uuid4()

    first = run(order("reassign", [lead], kim.pk), cast.ruth, key)
    again = run(order("reassign", [lead], kim.pk), cast.ruth, key)

    assert first.pk == again.pk
    assert BulkChange.objects.count() == 1
    assert Ownership.objects.filter(lead=lead).count() == 2


def test_officer_cannot_reassign_and_cannot_touch_leads_of_others(cast, kim):
    lead = make.lead(officer=kim, **NEVER_DUE)

    with pytest.raises(bulk.CannotRun, match="Your role"):
        run(order("reassign", [lead], kim.pk), cast.dana.user)
    run(order("tag", [lead], "vip"), cast.dana.user)

    assert not LeadTag.objects.exists()


def test_manager_cannot_reassign_to_an_officer_of_another_branch(cast):
    lead = make.lead(officer=cast.dana, **NEVER_DUE)

    with pytest.raises(bulk.CannotRun, match="this loan officer"):
        run(order("reassign", [lead], cast.sam.pk), cast.ruth)
    assert Lead.objects.get(pk=lead.pk).officer == cast.dana


def test_too_many_leads_are_refused_before_any_changes(cast, monkeypatch):
    monkeypatch.setattr(bulk, "MAX_LEADS", 1)
    leads = [make.lead(officer=cast.dana, **NEVER_DUE) for _ in range(2)]

    with pytest.raises(bulk.CannotRun, match="The most at a time is 1"):
        run(order("tag", leads, "vip"), cast.dana.user)
    assert not BulkAction.objects.exists()


def test_snooze_leaves_leads_that_are_owed_a_first_call(cast):
    owed = make.lead(officer=cast.dana, response_due_at=make.NOON + make.MINUTE)
    free = make.lead(officer=cast.dana, **NEVER_DUE)

    action = run(order("snooze", [owed, free], UNTIL.isoformat(), reason="Away"), cast.dana.user)

    assert Lead.objects.get(pk=free.pk).snoozed_until == UNTIL
    assert Lead.objects.get(pk=owed.pk).snoozed_until is None
    assert "first call is due" in action.changes.get(lead=owed).problem


def test_undo_wakes_snoozed_leads_but_not_those_snoozed_again(cast):
    one, two = (make.lead(officer=cast.dana, **NEVER_DUE) for _ in range(2))
    action = run(order("snooze", [one, two], UNTIL.isoformat(), reason="Away"), cast.dana.user)
    Lead.objects.filter(pk=two.pk).update(snoozed_until=UNTIL + make.DAY)

    undone = bulk.undo_action(action, by=cast.dana.user, at=make.NOON + make.MINUTE)

    assert undone == 1
    assert Lead.objects.get(pk=one.pk).snoozed_until is None
    assert Lead.objects.get(pk=two.pk).snoozed_until == UNTIL + make.DAY
    assert action.changes.get(lead=two).undo_problem == "The lead has changed since."
    assert bulk.undo_action(action, by=cast.dana.user, at=make.NOON + make.MINUTE) == 0


def test_undo_gives_leads_back_to_the_officer_before(cast, kim):
    lead = make.lead(officer=cast.dana, **NEVER_DUE)
    unowned = make.lead(branch=cast.tampa, **NEVER_DUE)
    action = run(order("reassign", [lead, unowned], kim.pk), cast.ruth)

    assert bulk.undo_action(action, by=cast.ruth, at=make.NOON + make.MINUTE) == 2

    assert Lead.objects.get(pk=lead.pk).officer == cast.dana
    assert Lead.objects.get(pk=unowned.pk).officer is None


def test_undo_ends_after_an_hour(cast):
    lead = make.lead(officer=cast.dana, **NEVER_DUE)
    action = run(order("tag", [lead], "VIP"), cast.dana.user)

    with pytest.raises(bulk.CannotRun, match="too late"):
        bulk.undo_action(action, by=cast.dana.user, at=make.NOON + timedelta(hours=2))
    assert LeadTag.objects.get().name == "vip"


def test_tag_is_added_once_and_undo_removes_it(cast):
    lead, tagged = (make.lead(officer=cast.dana, **NEVER_DUE) for _ in range(2))
    run(order("tag", [tagged], "Past client"), cast.dana.user)

    action = run(order("tag", [lead, tagged], " past  CLIENT "), cast.dana.user)
    bulk.undo_action(action, by=cast.dana.user, at=make.NOON)

    assert [tag.lead_id for tag in LeadTag.objects.all()] == [tagged.pk]
    kinds = Event.objects.filter(lead_id=lead.pk).values_list("kind", flat=True)
    assert {"leads.lead.tagged", "leads.lead.untagged"} <= set(kinds)


def test_sequence_starts_only_for_leads_not_reached_yet(cast):
    sequence_enrollment.ensure_first_sequence(at=make.NOON)
    Sequence.objects.update(approved_until=make.NOON + 365 * make.DAY)
    fresh = make.lead(officer=cast.dana, **NEVER_DUE)
    reached = make.lead(officer=cast.dana, first_conversation_at=make.NOON, **NEVER_DUE)
    key = default_sequence.NOT_REACHED

    action = run(order("enroll", [fresh, reached], key), cast.dana.user)

    assert Enrollment.objects.get().lead == fresh
    assert Event.objects.get(kind="nurture.lead.enrolled").actor == f"user:{cast.dana.user.pk}"
    assert "talked with this borrower" in action.changes.get(lead=reached).problem
    bulk.undo_action(action, by=cast.dana.user, at=make.NOON + make.MINUTE)
    assert Enrollment.objects.get().end_reason == "undone"
