"""Crashes at any line between claim, hand-off and record lose nothing and send nothing twice."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as now
from django.db import connection, transaction

from rooftree.flow import lead_arrival, lead_offers, loan_milestones, los_handoff
from rooftree.leads.models import Delivery, Lead, Loan, Milestone, Touch
from rooftree.los import loan_updates
from rooftree.los.loan_snapshot import LoanHint
from rooftree.los.models import Handoff
from rooftree.money.models import Entry
from rooftree.outreach.messages import first_response
from rooftree.outreach.models import Message
from rooftree.reporting import invariants
from rooftree.retention.removal_check import check_removals
from rooftree.routing.models import Offer
from tests import make
from tests.conftest import execute_as_owner, wait_for_idle_database
from tests.flow import journey
from tests.flow.outside_world import World, connect_encompass, start_outside_world

pytestmark = pytest.mark.usefixtures("committed")
ROOT = Path(__file__).parent.parent.parent
UNREACHABLE_URL = "http://127.0.0.1:9"
SHARED_SETTINGS = (
    *("PUBLIC_URL", "CARRIER", "UPSTREAMS"),
    *("TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
)


@pytest.fixture
def world(settings) -> Iterator[World]:
    journey.set_up_company()
    with start_outside_world(UNREACHABLE_URL, settings) as outside_world:
        yield outside_world


def run_until_crash(
    step: str, crash_point: str, *, after: bool = False, minutes: float = 0
) -> None:
    """Run a step in its own process, which is killed at `crash_point`."""
    database = connection.settings_dict
    instructions = {
        "database": {name: database[name] for name in ("NAME", "HOST", "USER")},
        "settings": {
            name: getattr(now, name) for name in (*SHARED_SETTINGS, "TWILIO_NUMBERS", "MAILERS")
        },
        "step": step,
        "crash_point": crash_point,
        "after": after,
        "at": journey.later(minutes).isoformat(),
    }
    process = subprocess.run(
        [sys.executable, "-m", "tests.flow.dying"],
        input=json.dumps(instructions),
        text=True,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr[-2000:]
    wait_for_idle_database()  # the database holds the locks of its connections for a moment


def check_invariants() -> None:
    for prove in (*invariants.INVARIANTS, check_removals):
        result = prove(journey.later(24 * 60))
        assert result.holds, f"{result.sentence} {result.offenders}"


def queue_first_messages() -> Lead:
    journey.arrive(journey.create_website(), journey.form_post())
    lead_arrival.process_next_batch(at=make.NOON)
    touch = Touch.objects.get()
    with transaction.atomic():
        first_response.queue_first_responses([touch.pk], at=make.NOON)
    execute_as_owner("truncate oban_jobs")  # the tasks died with the process
    return touch.lead


SENDING = "rooftree.flow.message_dispatch.send_due_messages"


@pytest.mark.parametrize(
    ("crash_point", "after", "texts", "state"),
    [
        (
            "rooftree.outreach.messages.send:message_verdicts.record_attempts",
            False,
            1,
            "sent",
        ),  # deciding: nothing committed
        (
            "rooftree.outreach.media.twilio:send_text",
            False,
            0,
            "uncertain",
        ),  # claimed, not handed over
        ("rooftree.outreach.media.twilio:send_text", True, 1, "sent"),  # accepted, not recorded
        (
            "rooftree.outreach.messages.send:_record_results",
            False,
            1,
            "sent",
        ),  # answered, not recorded
    ],
)
def test_text_is_sent_once_or_shown_as_uncertain_after_crash(
    world, crash_point, after, texts, state
):
    lead = queue_first_messages()
    Message.objects.filter(medium="email").update(state="cancelled", due_at=None)

    run_until_crash(SENDING, crash_point, after=after)
    for minutes in (0.1, 2, 3, 5, 10, 20, 40, 60):
        world.run(minutes)

    text = Message.objects.get(lead=lead, medium="text")
    assert len(world.texts_at_carrier()) == texts
    assert text.state == state
    if state == "uncertain":
        assert text.problem  # staff can see it
    else:
        assert text.carrier_id == world.texts_at_carrier()[0]["sid"]
    check_invariants()


@pytest.mark.parametrize(("after", "letters"), [(False, 0), (True, 1)])
def test_uncertain_email_is_shown_and_never_resent(world, after, letters):
    lead = queue_first_messages()
    Message.objects.filter(medium="text").update(state="cancelled", due_at=None)

    run_until_crash(
        SENDING, "rooftree.outreach.messages.send:borrower_mail.send_email", after=after
    )
    for minutes in (0.1, 2, 10, 60):
        world.run(minutes)

    assert len(world.letters()) == letters
    letter = Message.objects.get(lead=lead, medium="email")
    assert (letter.state, bool(letter.problem)) == ("uncertain", True)
    check_invariants()


@pytest.mark.parametrize(
    "crash_point",
    [
        "rooftree.capture.intake.receive_delivery:reread_delivery",  # claimed
        "rooftree.capture.intake.store_inquiries:_build_touch",  # nothing is stored yet
        "rooftree.capture.intake.store_inquiries:book_entries.book_touch_costs",
        "rooftree.flow.lead_arrival:rollup_deltas.count_new_leads",  # stored, no follow-up started
    ],
)
def test_delivery_is_processed_once_after_crash(world, crash_point):
    journey.arrive(journey.create_zillow(), journey.zillow_contact())

    run_until_crash("rooftree.flow.lead_arrival.process_next_batch", crash_point)
    assert not Lead.objects.exists()
    world.run(1)

    assert Delivery.objects.get().state == "worked"
    assert Lead.objects.count() == Touch.objects.count() == 1
    assert Entry.objects.filter(kind="cost").count() == 1
    assert len(world.letters()) == 1
    check_invariants()


def request_handoff(world: World) -> Lead:
    dana = make.officer("Dana Whitfield", licensed=("FL",), text_number="")
    connect_encompass(world, {dana.nmls_id: "lofficer"})
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())
    lead_offers.take_offer(offer_id=Offer.objects.get().pk, officer_id=dana.pk, at=make.NOON)
    los_handoff.request_handoff(lead_id=lead.pk, by=dana.user, at=make.NOON)
    execute_as_owner("truncate oban_jobs")
    return lead


ENCOMPASS = "rooftree.los.adapters.encompass:Encompass.create_loan"


@pytest.mark.parametrize(
    ("crash_point", "after"),
    [
        (ENCOMPASS, False),  # claimed, never sent: sent again once the search is reliable
        (ENCOMPASS, True),  # created in the LOS, not recorded: found
        ("rooftree.los.handoff_outbox:write_event", False),  # the loan's row was being written
    ],
)
def test_los_loan_is_created_once_after_crash(world, crash_point, after):
    lead = request_handoff(world)

    run_until_crash("rooftree.los.handoff_outbox.send_due_handoffs", crash_point, after=after)
    for minutes in (1, 4, 6, 8, 10):
        world.pass_time("PT2M")
        world.run(minutes)

    assert Handoff.objects.get().state == "created"
    assert len(world.simulators.encompass.state()["loans"]) == 1
    assert Loan.objects.get().lead == lead
    check_invariants()


@pytest.mark.parametrize(
    "crash_point",
    [
        "rooftree.flow.loan_milestones:follow_loan_news",
        "rooftree.flow.loan_milestones:rollup_deltas.count_funding",
    ],
)
def test_revenue_of_funded_loan_is_booked_once_after_crash(world, crash_point):
    lead = request_handoff(world)
    world.run(1)
    loan = Loan.objects.get(lead=lead)
    world.say("enc/scenario", {"loan_id": loan.los_loan_id, "path": "happy", "days": 1})
    world.pass_time("PT30H")
    hint = LoanHint(
        event_id="e-1",
        event_type="update",
        loan_id=loan.los_loan_id,
        instance=loan.instance,
        happened_at=None,
    )
    loan_updates.store_hint(hint, connection=Handoff.objects.get().connection, at=journey.later(2))

    run_until_crash("rooftree.flow.loan_milestones.read_due_loans", crash_point, minutes=2)
    assert not Milestone.objects.exists()  # milestones and their consequences are one transaction
    for minutes in (3, 5):
        loan_milestones.read_due_loans(at=journey.later(minutes))

    loan.refresh_from_db()
    assert loan.milestone == "funded"
    assert Entry.objects.get(kind="revenue").amount_cents == loan.revenue_cents > 0
    check_invariants()
