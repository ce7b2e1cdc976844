"""Shadow mode: leads are decided as ever, and the database lets nothing leave, also afterwards."""

import pytest
from django.db import Error, connection, transaction

from rooftree.core.user_errors import UserError
from rooftree.db.db_role import assume_role
from rooftree.flow import los_handoff, shadow_switch
from rooftree.leads.models import ContactAttempt, Lead, ShadowLead
from rooftree.los.models import Connection, Handoff
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.default_sequence import NOT_REACHED
from rooftree.nurture.models import Enrollment
from rooftree.org.models import ShadowPeriod, StaffNotice
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.messages import first_response
from rooftree.outreach.models import Message, Ring
from rooftree.outreach.releases import release_drafts
from rooftree.routing.models import Offer, Promise, RoutingDecision
from tests import make
from tests.flow import journey
from tests.flow.outside_world import connect_encompass

NIGHT = 10 * 60  # minutes after noon, in New York: 10 PM is no hour for texts


@pytest.fixture
def admin(db):
    return make.user("administrator")


def refuse(statement: str, *args: object) -> str:
    """Run a statement with the program's account and return the database's refusal."""
    with pytest.raises(Error) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, args)
    return str(refusal.value)


@pytest.mark.usefixtures("committed")
def test_posted_lead_is_decided_in_shadow_and_reaches_nobody(world):
    admin = make.user("administrator")
    dana = make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    connect_encompass(world, {dana.nmls_id: "lofficer"})
    site = journey.create_website(secret="the site's own secret")
    shadow_switch.turn_on(by=admin, at=make.NOON)

    assert world.submit(site, journey.form_post()).status_code == 200
    world.run()
    world.run(NIGHT)
    world.pass_time("PT30S")

    lead = Lead.objects.get()
    messages = {message.medium: message for message in Message.objects.filter(lead=lead)}
    assert {medium: message.state for medium, message in messages.items()} == {
        "text": "shadow",
        "email": "shadow",
    }
    assert {message.verdict.decision for message in messages.values()} == {"allow"}
    assert messages["text"].verdict.at == make.NOON
    assert messages["text"].problem == "Not sent: shadow mode."
    assert RoutingDecision.objects.get().officer == dana
    assert ShadowLead.objects.get().lead == lead
    assert (lead.officer, lead.response_due_at, lead.first_message_at) == (None, None, None)
    for table in (Offer, Ring, Promise, ContactAttempt, StaffNotice):
        assert not table.objects.exists(), table

    with pytest.raises(los_handoff.HandoffNotReady, match="Shadow mode is on"):
        los_handoff.request_handoff(lead_id=lead.pk, by=dana.user, at=journey.later(1))
    with pytest.raises(dial_borrower.CannotCall, match="nobody is called"):
        dial_borrower.begin_call(lead_id=lead.pk, by=dana.user, at=journey.later(1))
    assert world.texts_at_carrier() == []
    assert world.simulators.twilio.state()["calls"] == []
    assert world.letters() == []
    assert not Handoff.objects.exists()


@pytest.fixture
def shadow_lead(admin):
    """Return a lead of the own website that arrived at 10 PM in shadow mode: its text waits."""
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("FL",), text_number="")
    shadow_switch.turn_on(by=admin, at=make.NOON)
    site = journey.create_website()
    return journey.deliver(site, journey.form_post(), at=journey.later(NIGHT))


def test_backlog_of_shadow_mode_is_never_sent(shadow_lead, admin):
    text = Message.objects.get(medium="text")
    assert text.state == "held"
    sequence_enrollment.enroll_lead(
        lead_id=shadow_lead.pk, key=NOT_REACHED, at=journey.later(NIGHT)
    )

    campaign = release_drafts.create_draft(
        kind="written", title="News", about={}, by=make.user("marketing"), at=journey.later(NIGHT)
    )

    shadow_switch.turn_off(by=admin, at=journey.later(NIGHT + 5))
    text.refresh_from_db()
    assert (text.state, text.due_at, text.verdict.decision) == ("shadow", None, "defer")
    assert Enrollment.objects.get().end_reason == shadow_switch.END_REASON
    campaign.refresh_from_db()
    assert (campaign.state, campaign.stopped_by) == ("stopped", admin)
    for minutes in (NIGHT + 6, NIGHT + 12 * 60, NIGHT + 100 * 60):
        journey.run(journey.later(minutes))

    assert set(Message.objects.values_list("state", flat=True)) == {"shadow"}
    assert not Offer.objects.exists() and not Promise.objects.exists()
    assert not ContactAttempt.objects.exists()


def test_delivery_processed_after_shadow_mode_is_not_greeted(shadow_lead, admin):
    journey.arrive(
        shadow_lead.source,
        journey.form_post(first_name="Xan", phone="(813) 555-0199", email="xan@home.example"),
        at=journey.later(NIGHT + 1),
    )
    shadow_switch.turn_off(by=admin, at=journey.later(NIGHT + 2))

    journey.run(journey.later(NIGHT + 3))
    journey.run(journey.later(NIGHT + 12 * 60))

    late = Lead.objects.get(person__first_name="Xan")
    assert not Message.objects.filter(lead=late).exists() and not Offer.objects.exists()
    assert late.shadow_entries.count() == 1
    assert_no_response_leaves(late)


def assert_no_response_leaves(lead):
    """A response that a task of shadow mode queues after its end is never sent either."""
    with transaction.atomic():
        first_response.queue_first_responses(
            [lead.touches.get().pk], at=journey.later(NIGHT + 20 * 60)
        )
    journey.run(journey.later(NIGHT + 20 * 60))
    states = Message.objects.filter(lead=lead).values_list("state", flat=True)
    assert [*states] == ["shadow", "shadow"]


def test_lead_that_inquires_again_after_shadow_mode_is_greeted_and_offered(shadow_lead, admin):
    shadow_switch.turn_off(by=admin, at=journey.later(NIGHT + 5))
    noon_after = journey.later(24 * 60)

    journey.deliver(shadow_lead.source, journey.form_post(), at=noon_after)

    assert len(journey.sent_texts(shadow_lead)) == 1
    assert Offer.objects.get().lead == shadow_lead


def test_database_lets_nothing_go_in_shadow_mode(shadow_lead, admin):
    los = Connection.objects.create(los="encompass", name="E", slug="e", instance="i")
    message = Message.objects.get(medium="text")
    decision = RoutingDecision.objects.get()
    offer = Offer.objects.create(
        lead=shadow_lead, decision=decision, officer_id=decision.officer_id,
        offered_at=make.NOON, due_at=journey.later(1),
    )  # fmt: skip
    claim = "update message set state = 'claimed' where id = %s"

    assert "Only the door" in refuse(claim, message.pk)
    with assume_role("door"):
        for state in ("claimed", "sent", "delivered", "uncertain", "failed"):
            assert "never sent" in refuse(
                "update message set state = %s where id = %s", state, message.pk
            )
        assert "never sent" in refuse(
            "insert into message select (jsonb_populate_record(m, jsonb_build_object("
            " 'id', gen_random_uuid(), 'state', 'sent', 'idempotency_key', 'x'))).*"
            " from message m where id = %s",
            message.pk,
        )
    assert "nobody is called" in refuse(
        "insert into ring (id, offer_id, officer_id, state, carrier, carrier_id, due_at, pressed,"
        " problem) select gen_random_uuid(), id, officer_id, 'claimed', '', '', now(), '', ''"
        " from offer where id = %s",
        offer.pk,
    )
    assert "written to the LOS" in refuse(
        "insert into handoff (id, lead_id, connection_id, state, record, missing, requested_at,"
        " attempts, problem) values (gen_random_uuid(), %s, %s, 'pending', '{}', '[]', now(), 0,"
        " '')",
        shadow_lead.pk,
        los.pk,
    )

    period = ShadowPeriod.objects.get()
    assert "permission denied" in refuse("delete from shadow_period")
    assert "ends once" in refuse("update shadow_period set from_at = now()")
    shadow_switch.turn_off(by=admin, at=journey.later(NIGHT + 5))
    assert "ends once" in refuse(
        "update shadow_period set ended_at = null where id = %s", period.pk
    )
    with assume_role("door"):
        assert "never sent" in refuse(
            "update message set state = 'waiting' where id = %s", message.pk
        )


def test_shadow_mode_waits_for_what_is_going_out(admin):
    lead = make.lead()
    with assume_role("door"):
        Message.objects.create(
            idempotency_key="touch:1", medium="text", lead=lead, person_id=lead.person_id,
            purpose="marketing", to_address="+18135550142", body="Hi", state="claimed",
            created_at=make.NOON, claimed_at=make.NOON,
        )  # fmt: skip

    with pytest.raises(UserError, match="going out right now"):
        shadow_switch.turn_on(by=admin, at=make.NOON)
    assert not ShadowPeriod.objects.exists()
