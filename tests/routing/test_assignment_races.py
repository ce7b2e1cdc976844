"""Workers and officers at the same moment: one offer, one owner, no cap exceeded."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from rooftree.leads.models import Lead
from rooftree.org.models import LoanOfficer
from rooftree.routing import (
    answer_offer,
    lapsed_offers,
    lead_ownership,
    replay_decision,
)
from rooftree.routing.assign_leads import Assignment
from rooftree.routing.lead_ownership import CannotOwn
from rooftree.routing.models import Offer, Ownership, RoutingDecision, Turn
from tests import make
from tests.cast import gather
from tests.routing.test_assign_leads import LATER, route


def run_together(count, act):
    """Call `act(n)` in `count` threads at once; return the result or exception of each."""
    gate = Barrier(count)

    def run(nth):
        gate.wait()
        try:
            return act(nth)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
def test_eight_workers_on_one_lead_make_one_offer():
    people = gather()

    answers = run_together(8, lambda _: route(people.ben))

    assert [answer.is_new for answer in answers].count(True) == 1
    assert len({answer.offer_id for answer in answers}) == 1
    assert Offer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_leads_use_every_turn_and_exceed_no_cap():
    people = gather()
    for nth in range(3):
        make.officer(f"Extra {nth}", licensed=("FL",))
    LoanOfficer.objects.update(daily_cap=2)
    leads = [make.lead() for _ in range(8)]

    answers = run_together(8, lambda nth: route(leads[nth]))

    assert all(isinstance(answer, Assignment) for answer in answers), answers
    counts = [
        Offer.objects.filter(officer=loan_officer).count()
        for loan_officer in LoanOfficer.objects.all()
    ]
    assert sorted(counts) == [0, 2, 2, 2, 2]  # Sam is not licensed
    assert sum(Turn.objects.values_list("taken", flat=True)) == 8
    stored = RoutingDecision.objects.select_related("rule_set")
    assert all(replay_decision.is_reproducible(routing_decision) for routing_decision in stored)
    assert people.dana.pk in {answer.officer_id for answer in answers}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_concurrent_take_and_lapse_have_one_winner(round_):
    people = gather()
    offer_id = route(people.ben).offer_id

    def act(nth):
        if nth:
            return lapsed_offers.end_overdue_offers(at=LATER, limit=10)
        return answer_offer.take_offer(offer_id=offer_id, officer_id=people.dana.pk, at=LATER)

    took, lapsed = run_together(2, act)

    offer = Offer.objects.get()
    assert (offer.accepted_at is None) != (offer.expired_at is None)
    assert isinstance(took, Ownership) is (offer.accepted_at is not None)
    assert len(lapsed) == (0 if offer.accepted_at else 1)
    assert Ownership.objects.count() == (1 if offer.accepted_at else 0)


@pytest.mark.django_db(transaction=True)
def test_overdue_offer_does_not_lapse_while_its_lead_is_locked():
    """Taking an offer locks the lead first, so taking and lapsing never deadlock."""
    people = gather()
    route(people.ben)

    with transaction.atomic():
        Lead.objects.select_for_update(no_key=True).get(pk=people.ben.pk)
        assert run_together(1, lambda _: lapsed_offers.end_overdue_offers(at=LATER, limit=10)) == [
            []
        ]

    assert len(lapsed_offers.end_overdue_offers(at=LATER, limit=10)) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_leave_one_owner():
    people = gather()
    make.license_of(people.sam, "FL")
    both = [people.dana, people.sam]

    answers = run_together(
        2,
        lambda nth: lead_ownership.claim_lead(
            lead_id=people.ben.pk, officer_id=both[nth].pk, at=make.NOON
        ),
    )

    assert sorted(isinstance(answer, CannotOwn) for answer in answers) == [False, True]
    assert Ownership.objects.count() == 1
