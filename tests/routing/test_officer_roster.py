"""The roster that a process keeps is never older than what staff last changed."""

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


def known(state="FL", **pool):
    return choice_inputs.load_choice_inputs([Pool(**pool)], state=state, at=make.NOON)


def one_of(officer, **asked):
    found = {candidate.id: candidate for candidate in known(**asked).candidates}
    return found.get(str(officer.pk))


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
def test_a_change_of_an_officer_counts_for_the_next_lead(officers, column):
    before = one_of(officers[0])

    CHANGES[column](officers[0])
    after = one_of(officers[0])

    assert getattr(after, column) != getattr(before, column)


@pytest.mark.parametrize("column", CHANGES)
def test_a_change_that_was_undone_leaves_nothing_behind(officers, column):
    before = one_of(officers[0])
    with pytest.raises(Undone), transaction.atomic():
        CHANGES[column](officers[0])
        one_of(officers[0])  # seen inside, and kept
        raise Undone

    assert one_of(officers[0]) == before
    CHANGES[column](officers[0])
    assert getattr(one_of(officers[0]), column) != getattr(before, column)


def test_an_officer_who_left_or_came_is_gone_or_there_for_the_next_lead(officers):
    assert one_of(officers[0])
    LoanOfficer.objects.filter(pk=officers[0].pk).update(terminated_at=make.NOON)
    another = make.officer()

    assert one_of(officers[0]) is None
    assert one_of(another)


def test_a_license_of_the_company_counts_for_the_next_lead(officers):
    assert known().lender.permits

    CompanyLicense.objects.all().delete()

    assert known().lender.permits == ()


def test_what_an_officer_has_in_hand_is_counted_anew_for_every_lead(officers):
    assert (one_of(officers[0]).today, one_of(officers[0]).open) == (0, 0)

    lead_ownership.give_lead(
        lead_id=make.lead().pk, officer_id=officers[0].pk, by=None, at=make.NOON
    )

    assert (one_of(officers[0]).today, one_of(officers[0]).open) == (1, 1)
    mine = {"officers": (str(officers[0].pk),)}
    assert one_of(officers[0], **mine) == one_of(officers[0])
    assert one_of(officers[1], **mine) is None


def test_leads_between_two_changes_of_staff_share_one_roster_on_file(officers):
    for _ in range(3):
        assert isinstance(assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON), Assignment)
    LoanOfficer.objects.filter(pk=officers[0].pk).update(daily_cap=7)
    assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)

    assert Roster.objects.count() == 2
    decisions = RoutingDecision.objects.select_related("rule_set")
    assert [replay_decision.is_reproducible(decision) for decision in decisions] == [True] * 4


def test_a_roster_that_was_undone_with_its_lead_is_filed_with_the_next(officers):
    with pytest.raises(Undone), transaction.atomic():
        assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)
        raise Undone
    assert not Roster.objects.exists()

    assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)

    assert Roster.objects.count() == 1
    assert replay_decision.is_reproducible(RoutingDecision.objects.select_related("rule_set").get())


def test_a_decision_of_before_rosters_is_made_again_from_itself(officers):
    assign_to_best_officer(lead_id=make.lead().pk, at=make.NOON)
    decision = RoutingDecision.objects.select_related("rule_set").get()
    whole = {**decision.inputs, **Roster.objects.get().people}
    decision.inputs = {key: value for key, value in whole.items() if key not in ("roster", "now")}
    Roster.objects.all().delete()

    assert replay_decision.is_reproducible(decision)
    assert len(replay_decision.replay_choice(decision).reasons) == 3
