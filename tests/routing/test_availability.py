"""Who is free: days off, holidays, the end of a pause, missed offers, and the waiting leads."""

from datetime import date

import pytest

from rooftree.flow import lead_offers
from rooftree.leads.models import Lead
from rooftree.org import officer_availability
from rooftree.org.models import Company, LoanOfficer, StaffNotice
from rooftree.routing import assign_leads, replay_decision, team_board, time_off
from rooftree.routing.assign_leads import Unassigned
from rooftree.routing.models import Offer, RoutingDecision, TimeOff
from tests import make

pytestmark = pytest.mark.django_db
MINUTE = make.MINUTE


def days_off(officer, cast, first=date(2026, 11, 23), last=date(2026, 11, 24)):
    return time_off.add_time_off(
        officer_id=officer and officer.pk, first=first, last=last, note="Vacation",
        by=cast.ruth, at=make.NOON,
    )  # fmt: skip


def route(lead, at=make.NOON):
    return assign_leads.assign_to_best_officer(lead_id=lead.pk, at=at)


def test_officer_on_days_off_gets_no_lead(cast):
    days_off(cast.dana, cast)

    answer = route(cast.ben)

    assert isinstance(answer, Unassigned)
    assert "Not taking leads" in answer.sentence


def test_officer_gets_leads_again_after_the_last_day_off(cast):
    days_off(cast.dana, cast)

    answer = route(cast.ben, at=make.NOON + 2 * make.DAY)

    assert answer.officer_id == cast.dana.pk


def test_holiday_is_a_day_off_for_everyone(cast):
    days_off(None, cast)

    assert isinstance(route(cast.ben), Unassigned)


def test_canceled_days_off_count_no_longer(cast):
    row = days_off(cast.dana, cast)
    time_off.cancel_time_off(time_off_id=row.pk, by=cast.ruth, at=make.NOON)

    assert route(cast.ben).officer_id == cast.dana.pk


def test_decision_made_on_days_off_replays_to_the_same_choice(cast):
    days_off(cast.dana, cast)
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)
    assert route(cast.ben).officer_id == kofi.pk
    TimeOff.objects.all().delete()

    decision = RoutingDecision.objects.get(lead=cast.ben)

    assert replay_decision.replay_choice(decision).officer_id == str(kofi.pk)


def test_last_day_off_cannot_be_before_the_first(cast):
    with pytest.raises(time_off.InvalidTimeOff):
        days_off(cast.dana, cast, last=date(2026, 11, 20))


def test_board_says_when_an_officer_is_back_from_days_off(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(hours=make.WORKDAYS)
    days_off(cast.dana, cast)

    member = team_board.load_team_board(cast.ruth, at=make.NOON).people[0]

    assert (member.availability, member.availability_text) == (
        "time_off",
        "Time off until Wed 8:00 AM (Vacation)",
    )


def test_pause_ends_at_its_time_and_waiting_leads_are_offered_at_once(cast):
    officer_availability.pause_officer(
        officer_id=cast.dana.pk, by=cast.dana.user, at=make.NOON, until=make.NOON + 30 * MINUTE
    )
    route(cast.ben, at=make.NOON + 29 * MINUTE + 50 * make.SECOND)

    assert lead_offers.end_due_pauses(at=make.NOON + 29 * MINUTE) == 0
    assert lead_offers.end_due_pauses(at=make.NOON + 30 * MINUTE) == 1

    assert Offer.objects.get(lead=cast.ben).officer == cast.dana


def lapse(lead, at):
    Lead.objects.filter(pk=lead.pk).update(property_state="FL")
    assert route(lead, at=at).officer_id
    lead_offers.pass_on_lapsed_offers(at=at + 3 * MINUTE)


def test_officer_who_misses_two_offers_is_off_until_the_next_working_day(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(hours=make.WORKDAYS)
    lapse(make.lead(), make.NOON)
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None

    lapse(make.lead(), make.NOON + 10 * MINUTE)

    dana = LoanOfficer.objects.get(pk=cast.dana.pk)
    assert dana.paused_at == make.NOON + 13 * MINUTE
    assert dana.paused_until == make.NOON + 20 * make.HOUR  # Tuesday 8 AM
    assert StaffNotice.objects.get(user=cast.ruth, kind="offers_missed").text == (
        "Dana Whitfield missed two offers in a row and gets no new leads until Tuesday 8:00 AM."
    )


def test_company_says_how_many_missed_offers_count_and_how_long_an_officer_is_off(cast):
    Company.objects.update(missed_offers_limit=3, missed_offers_hours=1, missed_offers_off_hours=2)
    for minutes in (0, 55, 65):
        lapse(make.lead(), make.NOON + minutes * MINUTE)
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None  # one was too long ago

    lapse(make.lead(), make.NOON + 75 * MINUTE)

    dana = LoanOfficer.objects.get(pk=cast.dana.pk)
    assert dana.paused_until == make.NOON + 78 * MINUTE + 2 * make.HOUR
    assert dana.pause_reason == "missed three offers in a row"


def test_company_can_let_officers_miss_any_number_of_offers(cast):
    Company.objects.update(missed_offers_limit=0)
    for minutes in (0, 10, 20):
        lapse(make.lead(), make.NOON + minutes * MINUTE)

    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None


def test_declining_an_offer_is_an_answer(cast):
    lapse(make.lead(), make.NOON)
    answer = route(cast.ben, at=make.NOON + 10 * MINUTE)
    lead_offers.decline_offer(
        offer_id=answer.offer_id, officer_id=cast.dana.pk, at=make.NOON + 10 * MINUTE
    )
    lapse(make.lead(), make.NOON + 20 * MINUTE)

    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None


def test_offers_missed_before_the_switch_was_turned_on_do_not_count(cast):
    lapse(make.lead(), make.NOON)
    lapse(make.lead(), make.NOON + 10 * MINUTE)
    lead_offers.resume_officer(
        officer_id=cast.dana.pk, by=cast.dana.user, at=make.NOON + 20 * MINUTE
    )
    lapse(make.lead(), make.NOON + 30 * MINUTE)

    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None


def test_waiting_leads_are_offered_oldest_promise_first_the_moment_somebody_is_free(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(paused_at=make.NOON, open_cap=1)
    newer, older = make.lead(), make.lead()
    for lead, minutes in ((older, 1), (newer, 2)):
        route(lead, at=make.NOON + minutes * MINUTE)
    assert not Offer.objects.exists()

    lead_offers.resume_officer(
        officer_id=cast.dana.pk, by=cast.ruth, at=make.NOON + 2 * MINUTE + 5 * make.SECOND
    )

    assert [offer.lead for offer in Offer.objects.all()] == [older]


def test_lead_that_went_through_its_chain_is_offered_to_somebody_free_later(cast):
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa, paused_at=make.NOON)
    answer = route(cast.ben)
    lead_offers.decline_offer(offer_id=answer.offer_id, officer_id=cast.dana.pk, at=make.NOON)

    lead_offers.resume_officer(officer_id=kofi.pk, by=cast.ruth, at=make.NOON + MINUTE)

    assert Offer.objects.get(lead=cast.ben, declined_at=None).officer == kofi
