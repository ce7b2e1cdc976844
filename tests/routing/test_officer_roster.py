"""The cached roster of a process is never older than the last staff change."""

from datetime import timedelta

import pytest
from django.db import transaction

from rooftree.org.models import Branch, CompanyLicense, License, LoanOfficer, User
from rooftree.routing import choice_inputs, lead_ownership, replay_decision
from rooftree.routing.assign_leads import Assignment, assign_to_best_officer
from rooftree.routing.models import Roster, RoutingDecision
from rooftree.routing.routing_rules import Pool
from tests import make


@pytest.fixture
def officers(db):
    make.company()
    return [make.officer() for _ in range(3)]


class Undone(Exception):
    """Raised to undo a transaction."""


def load_inputs(state="FL", **pool):
    return choice_inputs.load_choice_inputs([Pool(**pool)], state=state, at=make.NOON)


def candidate_of(officer, **query):
    candidates = {candidate.id: candidate for candidate in load_inputs(**query).candidates}
    return candidates.get(str(officer.pk))


CHANGES = {
    "hours": lambda o: LoanOfficer.objects.filter(pk=o.pk).update(
        hours={"mon": ["01:00", "02:00"]}
    ),
    "languages": lambda o: LoanOfficer.objects.filter(pk=o.pk).update(languages=["es"]),
    "daily_cap": lambda o: LoanOfficer.objects.filter(pk=o.pk).update(daily_cap=3),
    "paused_at": lambda o: LoanOfficer.objects.filter(pk=o.pk).update(paused_at=make.NOON),
    "terminated_at": lambda o: LoanOfficer.objects.filter(pk=o.pk).update(
        terminated_at=make.NOON + timedelta(hours=1)
    ),
    "name": lambda o: User.objects.filter(pk=o.user_id).update(name="Renamed"),
    "branch_path": lambda o: Branch.objects.filter(pk=o.branch_id).update(path="/elsewhere/"),
    "permits": lambda o: License.objects.filter(officer=o, state="FL").delete(),
}


@pytest.mark.parametrize("column", CHANGES)
def test_officer_change_counts_for_the_next_lead(officers, column):
    before = candidate_of(officers[0])

    CHANGES[column](officers[0])
    after = candidate_of(officers[0])

    assert getattr(after, column) != getattr(before, column)


@pytest.mark.parametrize("column", CHANGES)
def test_rolled_back_officer_change_leaves_no_trace(officers, column):
    before = candidate_of(officers[0])
    with pytest.raises(Undone), transaction.atomic():
        CHANGES[column](officers[0])
        candidate_of(officers[0])  # seen inside, and kept
        raise Undone

    assert candidate_of(officers[0]) == before
    CHANGES[column](officers[0])
    assert getattr(candidate_of(officers[0]), column) != getattr(before, column)


def test_terminated_and_new_officers_count_for_the_next_lead(officers):
    assert candidate_of(officers[0])
    LoanOfficer.objects.filter(pk=officers[0].pk).update(terminated_at=make.NOON)
    another = make.officer()

    assert candidate_of(officers[0]) is None
    assert candidate_of(another)


def test_company_license_counts_for_the_next_lead(officers):
    assert load_inputs().lender.permits

    CompanyLicense.objects.all().delete()

    assert load_inputs().lender.permits == ()


def test_officer_load_is_counted_for_every_lead(officers):
    assert (candidate_of(officers[0]).today, candidate_of(officers[0]).open) == (0, 0)

    lead_ownership.give_lead(
        lead_id=make.lead().pk, officer_id=officers[0].pk, by=None, at=make.NOON
    )

    assert (candidate_of(officers[0]).today, candidate_of(officers[0]).open) == (1, 1)
    query = {"officers": (str(officers[0].pk),)}
    assert candidate_of(officers[0], **query) == candidate_of(officers[0])
    assert candidate_of(officers[1], **query) is None


def test_leads_between_staff_changes_share_one_stored_roster(officers):
    for _ in range(3):
        assert isinstance(assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON), Assignment)
    LoanOfficer.objects.filter(pk=officers[0].pk).update(daily_cap=7)
    assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)

    assert Roster.objects.count() == 2
    decisions = RoutingDecision.objects.select_related("rule_set")
    assert [replay_decision.is_reproducible(decision) for decision in decisions] == [True] * 4


def test_rolled_back_roster_is_stored_with_the_next_lead(officers):
    with pytest.raises(Undone), transaction.atomic():
        assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)
        raise Undone
    assert not Roster.objects.exists()

    assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)

    assert Roster.objects.count() == 1
    assert replay_decision.is_reproducible(RoutingDecision.objects.select_related("rule_set").get())


def test_decision_from_before_rosters_still_replays(officers):
    assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)
    decision = RoutingDecision.objects.select_related("rule_set").get()
    whole = {**decision.inputs, **Roster.objects.get().people}
    decision.inputs = {key: value for key, value in whole.items() if key not in ("roster", "now")}
    Roster.objects.all().delete()

    assert replay_decision.is_reproducible(decision)
    assert len(replay_decision.replay_choice(decision).reasons) == 3
