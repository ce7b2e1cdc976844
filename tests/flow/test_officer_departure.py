"""A loan officer who leaves: who gets the leads, as the preview says."""

import pytest

from rooftree.flow import officer_departure
from rooftree.leads.models import Lead, Task
from rooftree.org.models import StaffNotice
from rooftree.routing import handover
from rooftree.routing.models import Promise
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaver(cast):
    """Dana with a working, a nurture and an application lead in Florida, and one in California."""
    return {
        "working": make.lead(officer=cast.dana, state="working", property_state="FL"),
        "nurture": make.lead(officer=cast.dana, state="nurture", property_state="FL"),
        "application": make.lead(officer=cast.dana, state="application", property_state="FL"),
        "california": make.lead(officer=cast.dana, state="nurture", property_state="CA"),
    }


def owner(lead):
    return Lead.objects.get(pk=lead.pk).officer


def leave(cast, successor):
    return officer_departure.deactivate_user(
        user_id=cast.dana.user_id, successor=successor, by=cast.omar, at=make.NOON + make.HOUR
    )


def test_nurture_and_application_go_to_the_successor_and_working_leads_to_routing(cast, leaver):
    kofi = make.officer("Kofi Mensah", licensed=("CA", "FL"), branch=cast.tampa)

    leave(cast, kofi)

    assert [owner(leaver[name]) for name in ("nurture", "application", "california")] == [kofi] * 3
    assert owner(leaver["working"]) is None
    assert StaffNotice.objects.get(user=kofi.user).text == (
        "Omar Haddad assigned you 3 leads of a loan officer who left."
    )


def test_lead_that_the_successor_may_not_have_goes_to_a_licensed_colleague(cast, leaver):
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)
    lena = make.officer("Lena Ortiz", licensed=("CA",), branch=cast.tampa)

    leave(cast, kofi)

    assert (owner(leaver["nurture"]), owner(leaver["california"])) == (kofi, lena)


def test_lead_nobody_is_licensed_for_becomes_a_task_of_the_manager(cast, leaver):
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)

    leave(cast, kofi)

    assert owner(leaver["california"]) is None
    assert Task.objects.get(lead=leaver["california"]).role == "manager"


def test_preview_names_who_gets_what_and_changes_nothing(cast, leaver):
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)

    plan = handover.plan_handover(cast.dana, successor=kofi, at=make.NOON)

    shares = [(share.officer, share.nurture, share.application) for share in plan.shares]
    assert shares == [(kofi, 1, 1), (None, 1, 0)]
    assert plan.returned == 1
    assert {row.reason for row in plan.rows} == {"", "Kofi Mensah: Not licensed in CA"}
    assert owner(leaver["nurture"]) == cast.dana


def test_without_a_successor_the_branch_shares_the_leads(cast, leaver):
    officers = [
        make.officer(name, licensed=("CA", "FL"), branch=cast.tampa) for name in ("Ann", "Bob")
    ]

    plan = handover.plan_handover(cast.dana, successor=None, at=make.NOON)

    assert {share.officer for share in plan.shares} == {*officers}


def test_callbacks_of_the_leaver_are_the_successors(cast, leaver):
    kofi = make.officer("Kofi Mensah", licensed=("CA", "FL"), branch=cast.tampa)
    task = Task.objects.create(
        lead=leaver["nurture"], kind="call_back", user=cast.dana.user, title="Call back",
        idempotency_key="t", due_at=make.NOON + make.DAY, created_at=make.NOON,
    )  # fmt: skip

    leave(cast, kofi)

    assert Task.objects.get(pk=task.pk).user is None
    assert Promise.objects.get(kind="callback").officer == kofi
