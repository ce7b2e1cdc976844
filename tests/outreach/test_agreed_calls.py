"""Calls at the hour a borrower requested: allowed by the state's rule or by a supervisor."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.models import Verdict
from rooftree.flow import call_outcomes
from rooftree.leads import lead_tasks
from rooftree.leads.models import Task
from rooftree.org.models import User
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.messages import contact_permissions
from rooftree.routing import call_hours, task_lists
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 23, 21, 30, tzinfo=ZoneInfo("America/New_York"))
ASKED = NIGHT - timedelta(hours=4)
APPROVAL = "require:supervisor_approval_state_silent"
MOBILE = "+12125550142"  # a New York number


@pytest.fixture
def dana(db):
    journey.set_up_company(states=("FL", "NY"), telemarketer_states=["FL", "NY"])
    return make.officer("Dana Whitfield", licensed=("FL", "NY"))


def lead_in(dana, state: str, phone: str = MOBILE):
    at = NIGHT - make.DAY
    lead = make.lead(
        at=at, officer=dana, person=make.person(phone=phone, at=at),
        source=journey.create_website(), property_state=state,
    )  # fmt: skip
    make.touch(lead, at=at)
    return lead


def agree(lead, dana, when=NIGHT, at=ASKED) -> None:
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="call_back", by=dana.user, at=at, call_back_at=when
    )


def call_decision(lead, dana, at=NIGHT) -> tuple[str, str]:
    """Return the decision about a call now, and the result of the rule about hours and requests."""
    before = [*Verdict.objects.values_list("pk", flat=True)]
    dial_borrower.begin_call(lead_id=lead.pk, by=dana.user, at=at)
    verdict = Verdict.objects.exclude(pk__in=before).get()
    assert verdict_checker.find_problems(
        {
            "facts": verdict.facts, "facts_sha256": verdict.facts_sha256,
            "decision": verdict.decision, "reason": verdict.reason,
            "next_allowed_at": verdict.next_allowed_at and verdict.next_allowed_at.isoformat(),
        }
    ) == []  # fmt: skip
    hours = [result["reason"] for result in verdict.results if result["id"] in ("REQ-01", "HRS-02")]
    return verdict.decision, hours[0]


def test_new_york_borrower_can_request_a_late_call(dana):
    lead = lead_in(dana, "NY")
    assert call_decision(lead, dana) == ("defer", "after_window")

    agree(lead, dana)

    assert call_decision(lead, dana) == ("allow", "consumer_requested_time")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_unrequested_hour_stays_outside_calling_hours(dana, minutes):
    lead = lead_in(dana, "NY")
    agree(lead, dana)

    assert call_decision(lead, dana, NIGHT + timedelta(minutes=minutes)) == (
        "defer",
        "after_window",
    )


def test_agreed_call_that_was_made_allows_no_second_call(dana):
    lead = lead_in(dana, "NY")
    agree(lead, dana)
    call_outcomes.record_outcome(lead_id=lead.pk, result="spoken", by=dana.user, at=NIGHT)

    assert call_decision(lead, dana, NIGHT + 2 * make.MINUTE) == ("defer", "after_window")


def approve(lead, by, at) -> None:
    lead_tasks.finish_task(task_id=Task.objects.get(lead=lead, kind=APPROVAL).pk, by=by.pk, at=at)


def test_supervisor_approves_requested_hour_where_state_has_no_rule(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    agree(lead, dana)
    assert call_decision(lead, dana, NIGHT - 5 * make.MINUTE) == (
        "require", "supervisor_approval_state_silent",
    )  # fmt: skip

    approve(lead, make.user("manager"), NIGHT - 2 * make.MINUTE)

    assert call_decision(lead, dana) == ("allow", "decided_by_person")


def test_officers_own_checkbox_approves_nothing(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    agree(lead, dana)
    call_decision(lead, dana, NIGHT - 5 * make.MINUTE)

    approve(lead, dana.user, NIGHT - 2 * make.MINUTE)

    assert call_decision(lead, dana) == ("require", "supervisor_approval_state_silent")


def test_manager_cannot_approve_the_hour_of_a_call_to_their_own_lead(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    User.objects.filter(pk=dana.user_id).update(roles=["manager", "officer"])
    dana.user.refresh_from_db()
    agree(lead, dana)
    call_decision(lead, dana, NIGHT - 5 * make.MINUTE)
    task = Task.objects.get(lead=lead, kind=APPROVAL)
    assert not task_lists.can_finish(dana.user, task)
    assert not call_hours.list_hours_to_approve(dana.user)

    approve(lead, dana.user, NIGHT - 2 * make.MINUTE)

    assert call_decision(lead, dana) == ("require", "supervisor_approval_state_silent")


def test_approval_covers_only_the_hour_requested_then(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    agree(lead, dana, NIGHT - make.HOUR)
    call_decision(lead, dana, NIGHT - make.HOUR)
    approve(lead, make.user("manager"), NIGHT - 50 * make.MINUTE)

    agree(lead, dana, NIGHT, at=NIGHT - 40 * make.MINUTE)

    assert call_decision(lead, dana) == ("require", "supervisor_approval_state_silent")


def test_borrower_who_requests_call_gets_call_and_no_message(dana):
    lead = lead_in(dana, "NY")
    agree(lead, dana)

    badges = contact_permissions.permissions_of_lead(lead.pk, at=NIGHT)

    assert (badges["call"].decision, badges["text"].decision) == ("allow", "defer")
