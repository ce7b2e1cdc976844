"""Killed at any line between claim, hand-over and record, nothing is lost or sent twice."""

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
from rooftree.routing.models import Offer
from tests import make
from tests.conftest import let_others_finish, owned
from tests.flow import journey
from tests.flow.outside_world import World, around, connect_encompass

pytestmark = pytest.mark.usefixtures("committed")
ROOT = Path(__file__).parent.parent.parent
NOBODY_LISTENS = "http://127.0.0.1:9"
SHARED = (
    *("PUBLIC_URL", "CARRIER", "UPSTREAMS"),
    *("TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
)


@pytest.fixture
def world(settings) -> Iterator[World]:
    journey.ready()
    with around(NOBODY_LISTENS, settings) as found:
        yield found


def killed(step: str, mine: str, *, after: bool = False, minutes: float = 0) -> None:
    """Do a step in a process of its own that dies at `mine`."""
    held = connection.settings_dict
    order = {
        "database": {name: held[name] for name in ("NAME", "HOST", "USER")},
        "settings": {name: getattr(now, name) for name in (*SHARED, "TWILIO_NUMBERS", "MAILERS")},
        "step": step,
        "mine": mine,
        "after": after,
        "at": journey.later(minutes).isoformat(),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.flow.dying"],
        input=json.dumps(order),
        text=True,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    let_others_finish()  # its connections, whose locks the database still holds for a moment


def all_holds() -> None:
    for prove in invariants.INVARIANTS:
        found = prove(journey.later(24 * 60))
        assert found.holds, f"{found.sentence} {found.offenders}"


def a_lead_with_its_first_messages_in_line() -> Lead:
    journey.arrive(journey.website(), journey.form_post())
    lead_arrival.process_next_batch(at=make.NOON)
    touch = Touch.objects.get()
    with transaction.atomic():
        first_response.queue_first_responses([touch.pk], at=make.NOON)
    owned("truncate oban_jobs")  # the nudges died with the process
    return touch.lead


SENDING = "rooftree.flow.message_dispatch.send_due_messages"


@pytest.mark.parametrize(
    ("mine", "after", "texts", "state"),
    [
        (
            "rooftree.outreach.messages.send:message_attempts.record_attempts",
            False,
            1,
            "sent",
        ),  # deciding: nothing committed
        ("rooftree.outreach.media.twilio:send_text", False, 0, "uncertain"),  # claimed, not asked
        ("rooftree.outreach.media.twilio:send_text", True, 1, "sent"),  # taken, not written down
        (
            "rooftree.outreach.messages.send:_record_results",
            False,
            1,
            "sent",
        ),  # answered, not written down
    ],
)
def test_a_text_is_sent_once_or_shown_wherever_the_process_dies(world, mine, after, texts, state):
    lead = a_lead_with_its_first_messages_in_line()
    Message.objects.filter(medium="email").update(state="cancelled", due_at=None)

    killed(SENDING, mine, after=after)
    for minutes in (0.1, 2, 3, 5, 10, 20, 40, 60):
        world.run(minutes)

    text = Message.objects.get(lead=lead, medium="text")
    assert len(world.texts_at_carrier()) == texts
    assert text.state == state
    if state == "uncertain":
        assert text.problem  # a person sees it
    else:
        assert text.carrier_id == world.texts_at_carrier()[0]["sid"]
    all_holds()


@pytest.mark.parametrize(("after", "letters"), [(False, 0), (True, 1)])
def test_a_letter_of_unknown_fate_is_shown_and_never_repeated(world, after, letters):
    lead = a_lead_with_its_first_messages_in_line()
    Message.objects.filter(medium="text").update(state="cancelled", due_at=None)

    killed(SENDING, "rooftree.outreach.messages.send:borrower_mail.send_email", after=after)
    for minutes in (0.1, 2, 10, 60):
        world.run(minutes)

    assert len(world.letters()) == letters
    letter = Message.objects.get(lead=lead, medium="email")
    assert (letter.state, bool(letter.problem)) == ("uncertain", True)
    all_holds()


@pytest.mark.parametrize(
    "mine",
    [
        "rooftree.capture.intake.receive_delivery:reread_delivery",  # picked up
        "rooftree.capture.intake.store_inquiries:_build_touch",  # nothing is written yet
        "rooftree.capture.intake.store_inquiries:book_entries.book_touch_costs",
        "rooftree.flow.lead_arrival:rollup_deltas.count_new_leads",  # stored, no clock started
    ],
)
def test_a_delivery_is_worked_once_wherever_the_process_dies(world, mine):
    journey.arrive(journey.zillow(), journey.zillow_contact())

    killed("rooftree.flow.lead_arrival.process_next_batch", mine)
    assert not Lead.objects.exists()
    world.run(1)

    assert Delivery.objects.get().state == "worked"
    assert Lead.objects.count() == Touch.objects.count() == 1
    assert Entry.objects.filter(kind="cost").count() == 1
    assert len(world.letters()) == 1
    all_holds()


def given_a_handoff(world: World) -> Lead:
    dana = make.officer("Dana Whitfield", licensed=("FL",), text_number="")
    connect_encompass(world, {dana.nmls_id: "lofficer"})
    lead = journey.deliver(journey.zillow(), journey.zillow_contact())
    lead_offers.take_offer(offer_id=Offer.objects.get().pk, officer_id=dana.pk, at=make.NOON)
    los_handoff.request_handoff(lead_id=lead.pk, by=dana.user, at=make.NOON)
    owned("truncate oban_jobs")
    return lead


ENCOMPASS = "rooftree.los.adapters.encompass:Encompass.create_loan"


@pytest.mark.parametrize(
    ("mine", "after"),
    [
        (ENCOMPASS, False),  # claimed, never asked: sent again once the search is sure
        (ENCOMPASS, True),  # made there, not written down: found
        ("rooftree.los.handoff_outbox:write_event", False),  # the loan's row was being written
    ],
)
def test_a_loan_is_made_once_wherever_the_process_dies(world, mine, after):
    lead = given_a_handoff(world)

    killed("rooftree.los.handoff_outbox.send_due_handoffs", mine, after=after)
    for minutes in (1, 4, 6, 8, 10):
        world.pass_time("PT2M")
        world.run(minutes)

    assert Handoff.objects.get().state == "created"
    assert len(world.simulators.encompass.state()["loans"]) == 1
    assert Loan.objects.get().lead == lead
    all_holds()


@pytest.mark.parametrize(
    "mine",
    [
        "rooftree.flow.loan_milestones:follow_loan_news",
        "rooftree.flow.loan_milestones:rollup_deltas.count_funding",
    ],
)
def test_the_revenue_of_a_funded_loan_is_booked_once_wherever_the_process_dies(world, mine):
    lead = given_a_handoff(world)
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

    killed("rooftree.flow.loan_milestones.read_due_loans", mine, minutes=2)
    assert not Milestone.objects.exists()  # the steps and what follows are one
    for minutes in (3, 5):
        loan_milestones.read_due_loans(at=journey.later(minutes))

    loan.refresh_from_db()
    assert loan.milestone == "funded"
    assert Entry.objects.get(kind="revenue").amount_cents == loan.revenue_cents > 0
    all_holds()
