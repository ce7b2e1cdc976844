"""Assignment: who is offered a lead, who takes it, and what happens to it in the end."""

from datetime import timedelta

import pytest

from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.org.models import License, LoanOfficer, StaffNotice
from rooftree.routing import (
    answer_offer,
    assign_leads,
    expired_licenses,
    lapsed_offers,
    lead_ownership,
    replay_decision,
    rule_sets,
    waiting_leads,
)
from rooftree.routing.answer_offer import CannotTake
from rooftree.routing.assign_leads import Assignment, Unassigned
from rooftree.routing.lead_ownership import CannotOwn
from rooftree.routing.models import Offer, Ownership, Promise, RoutingDecision, Turn
from rooftree.routing.routing_rules import Backup, BackupKind, Criteria, Pool, Rule, WhenNobody
from tests import make

LATER = make.NOON + timedelta(minutes=3)


def rules(*new_rules):
    return rule_sets.publish_rules(new_rules, by=None, at=make.NOON)


def route(lead, at=make.NOON, **options):
    return assign_leads.assign_to_best_officer(lead_id=lead.pk, at=at, **options)


def test_new_lead_is_offered_to_eligible_officer_with_time_to_take_it(cast):
    answer = route(cast.ben)

    assert isinstance(answer, Assignment)
    offer = Offer.objects.get()
    assert (offer.officer, offer.lead, offer.due_at) == (
        cast.dana,
        cast.ben,
        make.NOON + timedelta(minutes=2),
    )
    cast.ben.refresh_from_db()
    assert (cast.ben.response_due_at, cast.ben.officer) == (offer.due_at, None)
    event = Event.objects.get(kind="routing.offer.made")
    assert (event.lead_id, event.data["offer_id"]) == (cast.ben.pk, str(offer.pk))


def test_routing_lead_twice_offers_it_once(cast):
    first, second = route(cast.ben), route(cast.ben)

    assert (first.offer_id, first.is_new) == (second.offer_id, True)
    assert second.is_new is False
    assert (Offer.objects.count(), RoutingDecision.objects.count()) == (1, 1)


def test_every_decision_replays_from_its_stored_inputs(cast):
    make.license_of(cast.sam, "FL")
    for _ in range(5):
        route(make.lead())
    LoanOfficer.objects.update(paused_at=make.NOON)  # the present must not matter to a replay
    Turn.objects.update(taken=99)

    decisions = list(RoutingDecision.objects.select_related("rule_set"))
    assert [replay_decision.is_reproducible(decision) for decision in decisions] == [True] * 5
    reasons = replay_decision.replay_choice(decisions[0]).reasons
    assert {reason.officer_id for reason in reasons} == {str(cast.dana.pk), str(cast.sam.pk)}


def test_tampered_decision_does_not_replay(cast):
    route(cast.ben)
    RoutingDecision.objects.update(outcome={**RoutingDecision.objects.get().outcome, "turn": 7})

    assert not replay_decision.is_reproducible(RoutingDecision.objects.get())


def test_leads_are_assigned_round_robin(cast):
    make.license_of(cast.sam, "FL")

    got = [route(make.lead()).officer_id for _ in range(6)]

    assert got in ([cast.dana.pk, cast.sam.pk] * 3, [cast.sam.pk, cast.dana.pk] * 3)


def test_daily_cap_counts_owned_and_offered_leads(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(daily_cap=2)
    lead_ownership.give_lead(lead_id=make.lead().pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    route(make.lead())

    answer = route(cast.ben)

    assert isinstance(answer, Unassigned)
    assert "Daily cap reached: 2 of 2 leads" in answer.sentence
    tomorrow = make.NOON + timedelta(days=1)
    Offer.objects.update(expired_at=make.NOON)
    assert isinstance(route(cast.ben, at=tomorrow), Assignment)


def test_open_cap_frees_when_borrower_was_reached(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(open_cap=1)
    owned = make.lead(officer=cast.dana)
    assert isinstance(route(cast.ben), Unassigned)

    Lead.objects.filter(pk=owned.pk).update(first_conversation_at=make.NOON)

    assert isinstance(route(cast.ben), Assignment)


def test_unclaimed_lead_waits_and_alarm_contact_is_notified_once(cast):
    LoanOfficer.objects.update(paused_at=make.NOON)

    route(cast.ben)
    route(cast.ben, at=LATER)

    notice = StaffNotice.objects.get()
    assert (notice.user, notice.kind) == (cast.ruth, "unclaimed")
    assert "Ortiz" not in notice.text
    assert RoutingDecision.objects.filter(officer=None).count() == 2
    assert Event.objects.filter(kind="routing.alarm.raised").count() == 1
    cast.ben.refresh_from_db()
    assert cast.ben.response_due_at == make.NOON


def test_waiting_lead_is_offered_again_when_officer_is_back(cast):
    LoanOfficer.objects.update(paused_at=make.NOON)
    route(cast.ben)
    assert waiting_leads.find_leads_to_offer(at=make.NOON + timedelta(seconds=30), limit=10) == []
    assert waiting_leads.find_leads_to_offer(at=LATER, limit=10) == [cast.ben.pk]

    LoanOfficer.objects.update(paused_at=None)
    lapsed_offers.pass_on_lead(lead_id=cast.ben.pk, at=LATER)

    assert Offer.objects.get().officer == cast.dana
    assert waiting_leads.find_leads_to_offer(at=LATER + timedelta(minutes=5), limit=10) == []


def test_lead_that_no_one_can_have_waits_without_new_decisions_and_promises(cast):
    nowhere = make.lead(property_state="MT")
    route(nowhere)
    Lead.objects.filter(pk=nowhere.pk).update(response_due_at=None)  # no lawful call is possible
    before = (RoutingDecision.objects.count(), Promise.objects.count(), Event.objects.count())

    for minute in range(1, 6):
        at = make.NOON + timedelta(minutes=minute, seconds=3)
        assert waiting_leads.find_leads_to_offer(at=at, limit=10) == [nowhere.pk]
        answer = lapsed_offers.pass_on_lead(lead_id=nowhere.pk, at=at)
        assert isinstance(answer, Unassigned)

    after = (RoutingDecision.objects.count(), Promise.objects.count(), Event.objects.count())
    assert after == before
    assert not waiting_leads.find_leads_to_offer(at=at + timedelta(seconds=30), limit=10)


def test_alarm_about_a_lead_that_no_one_can_have_is_raised_again_the_next_day(cast):
    nowhere = make.lead(property_state="MT")
    route(nowhere)

    lapsed_offers.pass_on_lead(lead_id=nowhere.pk, at=make.NOON + make.DAY)

    assert StaffNotice.objects.filter(kind="unclaimed", user=cast.ruth).count() == 2
    assert Event.objects.filter(kind="routing.lead.unclaimed").count() == 2


def test_imported_lead_is_not_offered_automatically(cast):
    assert waiting_leads.find_leads_to_offer(at=LATER, limit=10) == []

    Lead.objects.filter(pk=cast.ben.pk).update(response_due_at=make.NOON)

    assert waiting_leads.find_leads_to_offer(at=LATER, limit=10) == [cast.ben.pk]


def test_rule_can_hold_lead_until_morning_without_alarm(cast):
    rules(Rule(name="Hold", nobody=WhenNobody.HOLD))
    LoanOfficer.objects.update(hours=make.WORKDAYS)

    answer = route(cast.ben, at=make.NIGHT)

    morning = make.NIGHT + timedelta(hours=9)  # 8:00 in New York
    assert answer.hold_until == morning
    assert waiting_leads.find_leads_to_offer(at=morning - timedelta(minutes=1), limit=10) == []
    assert waiting_leads.find_leads_to_offer(at=morning, limit=10) == [cast.ben.pk]
    assert not StaffNotice.objects.exists()


def test_taking_offer_gives_officer_the_lead(cast):
    offer_id = route(cast.ben).offer_id

    ownership = answer_offer.take_offer(offer_id=offer_id, officer_id=cast.dana.pk, at=LATER)
    again = answer_offer.take_offer(offer_id=offer_id, officer_id=cast.dana.pk, at=LATER)

    assert ownership == again
    cast.ben.refresh_from_db()
    assert (cast.ben.officer, cast.ben.branch) == (cast.dana, cast.tampa)
    assert Event.objects.get(kind="routing.offer.taken").data["seconds"] == 180
    assert route(cast.ben).is_new is False


def test_officer_cannot_take_or_decline_offer_to_another(cast):
    offer_id = route(cast.ben).offer_id

    with pytest.raises(CannotTake):
        answer_offer.take_offer(offer_id=offer_id, officer_id=cast.sam.pk, at=make.NOON)
    with pytest.raises(CannotTake):
        answer_offer.decline_offer(offer_id=offer_id, officer_id=cast.sam.pk, at=make.NOON)

    assert not Ownership.objects.exists()


def test_unlawful_offer_cannot_be_taken(cast):
    offer_id = route(cast.ben).offer_id
    someday = make.NOON.replace(year=2126)  # still ahead, by the database's own clock
    License.objects.filter(officer=cast.dana, state="FL").update(until_date=someday.date())

    with pytest.raises(CannotTake, match="not licensed in FL"):
        answer_offer.take_offer(offer_id=offer_id, officer_id=cast.dana.pk, at=someday)


def test_unanswered_lead_goes_down_the_chain_and_then_to_alarm_contact(cast):
    lena = make.officer("Lena", licensed=("FL",), branch=cast.tampa)
    omar = cast.omar
    rules(
        Rule(
            name="Chain",
            pool=Pool(officers=(str(cast.dana.pk),)),
            chain=(Backup(kind=BackupKind.OFFICERS, officers=(str(lena.pk),), take_seconds=30),),
            alarm_user_id=str(omar.pk),
        )
    )
    route(cast.ben)
    promised = Lead.objects.get(pk=cast.ben.pk).response_due_at

    (lapsed,) = lapsed_offers.end_overdue_offers(at=LATER, limit=10)
    second = lapsed_offers.pass_on_lead(lead_id=lapsed.lead_id, at=LATER)
    lapsed_offers.end_overdue_offers(at=LATER + timedelta(seconds=30), limit=10)
    third = lapsed_offers.pass_on_lead(lead_id=cast.ben.pk, at=LATER + timedelta(seconds=31))

    assert (lapsed.officer_id, lapsed.place) == (cast.dana.pk, 0)
    assert (second.officer_id, second.due_at) == (lena.pk, LATER + timedelta(seconds=30))
    assert isinstance(third, Unassigned)
    assert StaffNotice.objects.get().user == omar
    assert (
        Lead.objects.get(pk=cast.ben.pk).response_due_at == promised
    )  # the borrower's deadline stays
    assert Event.objects.filter(kind="routing.offer.lapsed").count() == 2


def test_offer_not_overdue_or_taken_never_lapses(cast):
    offer_id = route(cast.ben).offer_id
    assert lapsed_offers.end_overdue_offers(at=make.NOON, limit=10) == []

    answer_offer.take_offer(offer_id=offer_id, officer_id=cast.dana.pk, at=make.NOON)

    assert lapsed_offers.end_overdue_offers(at=LATER, limit=10) == []


def test_passing_lead_on_twice_offers_it_once(cast):
    make.license_of(cast.sam, "FL")
    rules(Rule(name="Again", chain=(Backup(kind=BackupKind.POOL),)))
    route(cast.ben)
    lapsed_offers.end_overdue_offers(at=LATER, limit=10)

    first, second = (lapsed_offers.pass_on_lead(lead_id=cast.ben.pk, at=LATER) for _ in range(2))

    assert (first.offer_id, second.is_new) == (second.offer_id, False)
    assert Offer.objects.count() == 2


def test_declined_lead_goes_to_another_officer(cast):
    make.license_of(cast.sam, "FL")
    rules(Rule(name="Again", chain=(Backup(kind=BackupKind.POOL),)))
    offer = route(cast.ben)

    lead_id = answer_offer.decline_offer(
        offer_id=offer.offer_id, officer_id=offer.officer_id, at=make.NOON
    )
    onward = lapsed_offers.pass_on_lead(lead_id=lead_id, at=make.NOON)

    assert onward.officer_id != offer.officer_id
    with pytest.raises(CannotTake):
        answer_offer.take_offer(offer_id=offer.offer_id, officer_id=offer.officer_id, at=make.NOON)


def test_reassigned_lead_notifies_new_owner(cast):
    make.license_of(cast.sam, "FL")
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)

    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.sam.pk, by=cast.ruth, at=LATER)

    cast.ben.refresh_from_db()
    assert (cast.ben.officer, cast.ben.branch) == (cast.sam, cast.austin)
    first = Ownership.objects.get(officer=cast.dana)
    assert (first.until_at, first.end_reason) == (LATER, "reassigned")
    assert (
        StaffNotice.objects.get(user=cast.sam.user).text == "Ruth Adler assigned you a lead: Ben O."
    )
    assert Event.objects.get(kind="routing.lead.given").actor == f"user:{cast.ruth.pk}"


def test_lead_cannot_be_reassigned_to_unlicensed_officer(cast):
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)

    with pytest.raises(CannotOwn, match="not licensed in FL"):
        lead_ownership.give_lead(
            lead_id=cast.ben.pk, officer_id=cast.sam.pk, by=cast.ruth, at=LATER
        )

    assert Ownership.objects.get().until_at is None


def test_unowned_lead_can_be_claimed_once(cast):
    make.license_of(cast.sam, "FL")

    lead_ownership.claim_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, at=make.NOON)
    lead_ownership.claim_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, at=make.NOON)

    with pytest.raises(CannotOwn, match="gone to another"):
        lead_ownership.claim_lead(lead_id=cast.ben.pk, officer_id=cast.sam.pk, at=make.NOON)
    assert Ownership.objects.count() == 1


def test_released_lead_has_no_owner(cast):
    lead_ownership.claim_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, at=make.NOON)

    assert lead_ownership.release_lead(
        lead_id=cast.ben.pk, by=cast.ruth, at=LATER, because="given_up"
    )
    assert not lead_ownership.release_lead(
        lead_id=cast.ben.pk, by=cast.ruth, at=LATER, because="given_up"
    )

    cast.ben.refresh_from_db()
    assert cast.ben.officer is None


def test_expired_license_releases_leads_at_midnight(cast):
    License.objects.filter(officer=cast.dana, state="FL").update(
        until_date=(make.NOON + timedelta(days=1)).date()
    )
    lead_ownership.claim_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, at=make.NOON)
    kept = make.lead(property_state="CA", officer=cast.dana)

    assert expired_licenses.end_unlawful_assignments(at=make.NOON) == []
    midnight = make.NOON + timedelta(hours=12, minutes=1)
    assert expired_licenses.end_unlawful_assignments(at=midnight) == [cast.ben.pk]

    ended = Ownership.objects.get(lead=cast.ben)
    assert (ended.until_at, ended.end_reason) == (midnight, "license_expired")
    assert Ownership.objects.get(lead=kept).until_at is None
    assert waiting_leads.find_leads_to_offer(at=midnight, limit=10) == [cast.ben.pk]


def test_lead_with_changed_state_restarts_the_chain(cast):
    route(cast.ben)
    Lead.objects.filter(pk=cast.ben.pk).update(property_state="TX")

    answer = lapsed_offers.pass_on_lead(lead_id=cast.ben.pk, at=LATER)

    assert answer.officer_id == cast.sam.pk
    assert RoutingDecision.objects.order_by("-at").first().place == 0


def test_lead_without_state_goes_to_named_pool_or_raises_alarm(cast):
    nowhere = make.lead(property_state="")
    assert isinstance(route(nowhere), Unassigned)

    rules(
        Rule(
            name="Ask",
            criteria=Criteria(without_state=True),
            pool=Pool(officers=(str(cast.sam.pk),)),
        )
    )

    assert route(nowhere, at=LATER).officer_id == cast.sam.pk
