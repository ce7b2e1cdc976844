"""A call at the hour for which they asked: their state says whether it may be, or a supervisor."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.models import Verdict
from rooftree.flow import call_outcomes
from rooftree.leads import lead_tasks
from rooftree.leads.models import Task
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.messages import contact_permissions
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 23, 21, 30, tzinfo=ZoneInfo("America/New_York"))
ASKED = NIGHT - timedelta(hours=4)
APPROVAL = "require:supervisor_approval_state_silent"
MOBILE = "+12125550142"  # New York's


@pytest.fixture
def dana(db):
    journey.ready(states=("FL", "NY"), telemarketer_states=["FL", "NY"])
    return make.officer("Dana Whitfield", licensed=("FL", "NY"))


def lead_in(dana, state: str, phone: str = MOBILE):
    at = NIGHT - make.DAY
    lead = make.lead(
        at=at, officer=dana, person=make.person(phone=phone, at=at), source=journey.website(),
        property_state=state,
    )  # fmt: skip
    make.touch(lead, at=at)
    return lead


def agree(lead, dana, when=NIGHT, at=ASKED) -> None:
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="call_back", by=dana.user, at=at, call_back_at=when
    )


def said(lead, dana, at=NIGHT) -> tuple[str, str]:
    """The decision about a call now, and the answer of the rule about hours and requests."""
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


def test_new_york_lets_them_choose_a_late_hour(dana):
    lead = lead_in(dana, "NY")
    assert said(lead, dana) == ("defer", "after_window")

    agree(lead, dana)

    assert said(lead, dana) == ("allow", "consumer_requested_time")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_an_hour_they_did_not_ask_for_stays_as_late_as_it_is(dana, minutes):
    lead = lead_in(dana, "NY")
    agree(lead, dana)

    assert said(lead, dana, NIGHT + timedelta(minutes=minutes)) == ("defer", "after_window")


def test_a_call_that_was_made_answers_no_second_one(dana):
    lead = lead_in(dana, "NY")
    agree(lead, dana)
    call_outcomes.record_outcome(lead_id=lead.pk, result="spoken", by=dana.user, at=NIGHT)

    assert said(lead, dana, NIGHT + 2 * make.MINUTE) == ("defer", "after_window")


def approve(lead, by, at) -> None:
    lead_tasks.finish_task(task_id=Task.objects.get(lead=lead, kind=APPROVAL).pk, by=by.pk, at=at)


def test_where_the_state_is_silent_a_supervisor_approves_the_hour_they_asked_for(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    agree(lead, dana)
    assert said(lead, dana, NIGHT - 5 * make.MINUTE) == (
        "require", "supervisor_approval_state_silent",
    )  # fmt: skip

    approve(lead, make.user("manager"), NIGHT - 2 * make.MINUTE)

    assert said(lead, dana) == ("allow", "decided_by_person")


def test_the_officers_own_tick_approves_nothing(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    agree(lead, dana)
    said(lead, dana, NIGHT - 5 * make.MINUTE)

    approve(lead, dana.user, NIGHT - 2 * make.MINUTE)

    assert said(lead, dana) == ("require", "supervisor_approval_state_silent")


def test_an_approval_is_of_the_hour_that_was_asked_for_then(dana):
    lead = lead_in(dana, "FL", phone="+18135550142")
    agree(lead, dana, NIGHT - make.HOUR)
    said(lead, dana, NIGHT - make.HOUR)
    approve(lead, make.user("manager"), NIGHT - 50 * make.MINUTE)

    agree(lead, dana, NIGHT, at=NIGHT - 40 * make.MINUTE)

    assert said(lead, dana) == ("require", "supervisor_approval_state_silent")


def test_who_asks_to_be_called_is_called_and_not_written_to(dana):
    lead = lead_in(dana, "NY")
    agree(lead, dana)

    badges = contact_permissions.permissions_of_lead(lead.pk, at=NIGHT)

    assert (badges["call"].decision, badges["text"].decision) == ("allow", "defer")
