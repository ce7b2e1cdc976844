"""One lead's whole life over real HTTP, with a real database and simulated vendors."""

import pytest

from rooftree.flow import call_outcomes, los_handoff
from rooftree.leads.models import ContactAttempt, Lead, Loan
from rooftree.los.models import Handoff
from rooftree.money.models import Entry
from rooftree.outreach.models import Message, Ring
from rooftree.routing.models import Offer, Ownership
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World, connect_encompass

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def dana(world):
    officer = make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    world.officer_behaves(officer.phone, voice="answer", answer_after_s=2, digits=["1"])
    return officer


def test_zillow_lead_goes_from_first_response_to_funding(world, dana):
    connect_encompass(world, {dana.nmls_id: "lofficer"})
    zillow = journey.create_zillow()

    answer = world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    assert answer.status_code == 200
    world.run()

    lead = Lead.objects.get()
    assert [letter["to"] for letter in world.letters()] == [["ben.ortiz@home.example"]]
    assert world.texts_at_carrier() == []  # Zillow proves no consent to texts

    world.pass_time("PT30S")  # Dana's phone rings, she presses 1 and Ben is connected
    lead.refresh_from_db()
    assert lead.officer == dana
    assert Ring.objects.get().pressed == "1"
    world.pass_time("PT5M")
    assert ContactAttempt.objects.get(lead=lead, medium="call").result == "spoken"

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="spoken", by=dana.user, at=journey.later(6)
    )
    los_handoff.request_handoff(lead_id=lead.pk, by=dana.user, at=journey.later(7))
    world.run(7)
    loan = Loan.objects.get()
    assert Handoff.objects.get().state == "created"

    world.say("enc/scenario", {"loan_id": loan.los_loan_id, "path": "happy", "days": 1})
    for hours in (18, 8):  # first to clear to close, which is news until the next step
        world.pass_time(f"PT{hours}H")
        world.run(8)

    loan.refresh_from_db()
    lead.refresh_from_db()
    assert (loan.milestone, lead.state) == ("funded", "funded")
    revenue = Entry.objects.get(kind="revenue")
    assert revenue.amount_cents == loan.revenue_cents > 0
    assert Entry.objects.get(kind="cost").amount_cents == 65_50
    alerts = Message.objects.filter(
        lead=lead, idempotency_key__startswith="milestone:", medium="email"
    )
    assert alerts.get().state in ("sent", "held")
    assert zillow.deliveries.get().state == "worked"


@pytest.mark.parametrize("carrier_confirms", [True, False])
def test_stop_ends_texts_at_once_with_one_confirmation(world, dana, carrier_confirms):
    world.say("twilio/switches", {"opt_out_handling": carrier_confirms})
    lead = deliver_texted_lead(world)
    our_number = journey.sent_texts(lead)[0].from_address

    for minutes, words in enumerate(("STOP", "stop"), start=1):
        world.say("twilio/inbound", {"from": "+18135550142", "to": our_number, "body": words})
        world.run(minutes)

    assert len(world.texts_at_carrier()) == 2  # the first response and one confirmation
    assert len(journey.sent_texts(lead)) == (1 if carrier_confirms else 2)
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=dana.user, at=journey.later(3)
    )
    world.run(60)
    assert len(world.texts_at_carrier()) == 2
    assert Message.objects.filter(lead=lead, medium="text", state="blocked").exists()


def deliver_texted_lead(world: World) -> Lead:
    site = journey.create_website(secret="the site's own secret")
    world.submit(site, journey.form_post())
    world.run()
    assert len(world.texts_at_carrier()) == 1
    return Lead.objects.get()


def test_unanswered_offer_lapses_and_reaches_named_manager(world):
    ruth = make.user("manager", name="Ruth Adler")
    company = make.company()
    company.alarm_user = ruth
    company.save()
    first = make.officer("Dana Whitfield", licensed=("FL",), text_number="")
    world.officer_behaves(first.phone, voice="no-answer")
    journey.create_zillow()

    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    world.pass_time("PT2M")
    offer = Offer.objects.get()
    journey.run(offer.due_at + make.SECOND)

    offer.refresh_from_db()
    assert offer.expired_at
    assert not Ownership.objects.exists()
    assert ruth.notices.count() == 1


def test_carrier_outage_delays_text_without_loss(world, dana):
    site = journey.create_website(secret="the site's own secret")
    world.say("twilio/faults", {"match": {"op": "create Messages"}, "action": "drop_before"})
    world.submit(site, journey.form_post())
    world.run()
    lead = Lead.objects.get()
    text = Message.objects.get(lead=lead, medium="text")
    assert text.state in ("waiting", "uncertain")
    assert len(world.letters()) == 1

    clear_carrier_faults(world)
    world.run(60)
    text.refresh_from_db()
    assert len(world.texts_at_carrier()) <= 1
    assert text.state in ("sent", "delivered", "uncertain")


def test_text_accepted_before_disconnect_is_found_and_not_resent(world, dana):
    site = journey.create_website(secret="the site's own secret")
    world.say(
        "twilio/faults",
        {"match": {"op": "create Messages"}, "count": 1, "action": "drop_after_commit"},
    )
    world.submit(site, journey.form_post())
    world.run()
    lead = Lead.objects.get()
    assert Message.objects.get(lead=lead, medium="text").state == "uncertain"

    for minutes in (2, 5, 10):
        world.run(minutes)

    assert len(world.texts_at_carrier()) == 1
    assert Message.objects.get(lead=lead, medium="text").state in ("sent", "delivered")


def test_loan_created_before_disconnect_is_found_and_not_created_twice(world, dana):
    connect_encompass(world, {dana.nmls_id: "lofficer"})
    journey.create_zillow()
    world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
    world.run()
    world.pass_time("PT5M")
    lead = Lead.objects.get()
    world.say(
        "enc/faults",
        {
            "match": {"method": "POST", "path_regex": "/encompass/v3/loans$"},
            "count": 1,
            "action": "drop_after_commit",
        },
    )

    los_handoff.request_handoff(lead_id=lead.pk, by=dana.user, at=journey.later(6))
    world.run(6)
    assert Handoff.objects.get().state == "uncertain"
    world.pass_time("PT2M")  # the search lags behind the loans
    world.run(8)

    assert Handoff.objects.get().state == "created"
    assert len(world.simulators.encompass.state()["loans"]) == 1


def clear_carrier_faults(world: World) -> None:
    import httpx2

    httpx2.delete(f"{world.simulators.urls['ctl']}/_sim/twilio/faults", timeout=10)
