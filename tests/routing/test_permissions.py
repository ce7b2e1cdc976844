from datetime import timedelta

import pytest

from rooftree.org.models import PARTNER, ROLES, LoanOfficer, User
from rooftree.routing import assign_leads, lapsed_offers, promise_staff
from rooftree.routing.models import Offer
from rooftree.routing.permissions import (
    LANDING_PAGES,
    ROLES_BY_PERMISSION,
    UnknownPermission,
    can_act_on,
    has_company_permission,
    has_permission,
    leads_visible_to,
    officers_visible_to,
)
from tests import make

pytestmark = pytest.mark.django_db


def seen(user):
    return set(leads_visible_to(user).values_list("pk", flat=True))


def test_officer_sees_own_leads_and_live_offers(cast):
    own = make.lead(officer=cast.dana)
    others = make.lead(officer=cast.sam, property_state="TX")
    offered = make.lead()
    assign_leads.assign_to_best_officer(lead_id=offered.pk, at=make.NOON)

    assert seen(cast.dana.user) == {own.pk, offered.pk}
    assert seen(cast.sam.user) == {others.pk}

    lapsed_offers.end_overdue_offers(at=make.NOON + timedelta(minutes=5), limit=10)
    assert seen(cast.dana.user) == {own.pk}


def test_assistant_sees_leads_of_assisted_officers(cast):
    own = make.lead(officer=cast.dana)
    make.lead(officer=cast.sam, property_state="TX")
    helper = make.assistant(cast.dana)

    assert seen(helper) == {own.pk}
    assert set(officers_visible_to(helper)) == {cast.dana}


def test_manager_sees_own_branch_and_those_below(cast):
    team = make.branch("Night team", parent=cast.tampa, kind="team")
    nora = make.officer("Nora", licensed=("FL",), branch=team)
    below, beside = (
        make.lead(officer=nora),
        make.lead(officer=cast.sam, property_state="TX"),
    )

    assert seen(cast.ruth) == {below.pk}
    assert set(officers_visible_to(cast.ruth)) == {cast.dana, nora}
    assert beside.pk in seen(cast.omar)  # the whole company
    assert not has_permission(cast.ruth, "reassign", beside)
    assert has_permission(cast.ruth, "reassign", below)


def test_manager_sees_leads_offered_in_the_branch(cast):
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    assert cast.ben.pk in seen(cast.ruth)
    assert cast.mei.pk not in seen(cast.ruth)


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("officer", "assistant")])
def test_other_staff_see_whole_company_or_their_branch(cast, role):
    make.lead(officer=cast.sam, property_state="TX")

    assert len(seen(make.user(role))) == 3
    assert len(seen(make.user(role, branch=cast.austin))) == 1


def test_inactive_user_sees_nothing_and_has_no_permission(cast):
    make.lead(officer=cast.dana)
    User.objects.update(is_active=False)
    for user in User.objects.all():
        assert seen(user) == set()
        assert not officers_visible_to(user).exists()
        assert not any(has_permission(user, verb) for verb in ROLES_BY_PERMISSION)


def test_terminated_officer_with_open_account_sees_nothing(cast):
    make.lead(property_state="CA", officer=cast.dana)
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(terminated_at=make.NOON)

    assert seen(cast.dana.user) == set()


@pytest.mark.parametrize("role", ["marketing", "executive"])
def test_marketing_and_executives_can_only_read_leads(cast, role):
    reader = make.user(role)

    assert has_permission(reader, "read_lead", cast.ben)
    for verb in ("contact_lead", "change_lead", "take_offer", "claim_lead", "reassign",
                 "release", "hand_off", "merge_leads"):  # fmt: skip
        assert not has_permission(reader, verb, cast.ben)


def test_each_role_of_a_user_holds_for_the_leads_that_this_role_sees(cast):
    own, others = make.lead(officer=cast.dana), make.lead(officer=cast.sam, property_state="TX")
    helper = make.assistant(cast.sam)
    User.objects.filter(pk=helper.pk).update(roles=["executive", "assistant"], branch=None)
    User.objects.filter(pk=cast.dana.user_id).update(roles=["marketing", "officer"], branch=None)
    both = User.objects.get(pk=cast.dana.user_id)
    executive = User.objects.get(pk=helper.pk)

    assert {own.pk, others.pk, cast.mei.pk} <= seen(both)
    assert has_permission(both, "take_offer")
    assert has_permission(both, "contact_lead", own)
    assert can_act_on(both, "contact_lead", own)
    assert not has_permission(both, "contact_lead", others)
    assert not can_act_on(both, "contact_lead", others)
    assert has_permission(both, "edit_sources", others)
    assert not has_permission(both, "reassign")
    assert set(leads_visible_to(both, "change_lead")) == {own}
    assert set(officers_visible_to(both, "set_availability")) == {cast.dana}
    assert has_company_permission(both, "edit_sources")
    assert not has_company_permission(both, "set_availability")  # only of oneself
    assert set(leads_visible_to(executive, "contact_lead")) == {others}
    assert own.pk in seen(executive)


def test_officer_whose_primary_role_is_manager_is_offered_leads(cast):
    User.objects.filter(pk=cast.dana.user_id).update(roles=["manager", "officer"])

    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    assert Offer.objects.get(lead=cast.ben).officer == cast.dana
    owner = User.objects.get(pk=cast.dana.user_id)
    assert has_permission(owner, "take_offer", cast.ben)
    assert has_permission(owner, "reassign", cast.ben)


def test_late_lead_of_an_officer_who_is_a_manager_goes_to_the_next_manager_above(cast):
    User.objects.filter(pk=cast.dana.user_id).update(roles=["officer", "manager"])
    assert promise_staff.managers_of_officer(cast.dana) == [cast.ruth]

    User.objects.filter(pk=cast.ruth.pk).update(roles=["marketing"])
    assert promise_staff.managers_of_officer(cast.dana) == [cast.ruth]  # the alarm contact
    owner = make.user(roles=["administrator", "manager"])
    assert promise_staff.managers_of_officer(cast.dana) == [owner]


def test_every_role_has_landing_page_and_table_names_only_roles():
    everybody = {*ROLES, PARTNER}
    assert set(LANDING_PAGES) == everybody
    assert {role for roles in ROLES_BY_PERMISSION.values() for role in roles} == everybody
    assert [act for act, roles in ROLES_BY_PERMISSION.items() if PARTNER in roles] == ["see_portal"]


def test_unknown_permission_raises_error(cast):
    with pytest.raises(UnknownPermission):
        has_permission(cast.omar, "fly")
