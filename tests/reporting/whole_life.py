"""One borrower's whole history with the lender, as an examiner might ask to see it."""

from rooftree.flow import borrower_replies, call_outcomes
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

BEN = "+18135550142"
THANKS = "Sí, gracias 👍 ¿pueden llamarme mañana a las 10? — Benjamín"
STOP = "Ya no me manden más mensajes, por favor"


def make_whole_life() -> Lead:
    """Make a lead: form, text, email, call, held overnight, blocked, opted out, funded."""
    journey.set_up_company()
    dana = make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    post = journey.form_post(
        first_name="Benjamín", last_name="Ortíz Núñez", property_state="CA", property_zip="92101"
    )
    arrival = journey.deliver(journey.create_website(), post)
    if arrival.officer_id is None:
        make.ownership(arrival, dana)
    lead = Lead.objects.select_related("person", "officer__user").get(pk=arrival.pk)
    receive_text(THANKS, 40, "SM1")
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="spoken", by=dana.user, at=journey.later(60)
    )
    send_typed_text(
        lead, dana, "Aquí está la lista de documentos que le prometí.", journey.later(65)
    )
    send_typed_text(lead, dana, "Una pregunta más: ¿su cónyuge también firma?", make.NIGHT)
    send_blocked_text(lead)
    journey.run(make.NIGHT + 14 * make.HOUR)
    receive_text(STOP, 60 * 30, "SM2")
    journey.run(journey.later(60 * 30 + 1))
    send_text(
        lead, "step:after", "Lindenfield Mortgage NMLS 1204417: ¿hablamos? Reply STOP to end."
    )
    write_event(
        "los.milestone.reached", at=journey.later(60 * 48), lead_id=lead.pk,
        person_id=lead.person_id, milestone="funded",
    )  # fmt: skip
    return lead


def receive_text(body: str, minutes: float, carrier_id: str) -> None:
    borrower_replies.receive_text(
        sender=BEN, body=body, carrier_id=carrier_id, carrier="twilio", at=journey.later(minutes)
    )


def send_typed_text(lead: Lead, dana, body: str, at) -> None:
    typed_messages.send_typed_message(
        lead_id=lead.pk, medium="text", body=body, by=dana.user, at=at
    )


def send_blocked_text(lead: Lead) -> Message:
    prefix = f"Dana Whitfield NMLS {lead.officer.nmls_id}, Lindenfield Mortgage NMLS 1204417: "
    return send_text(lead, "step:bad", prefix + "Guaranteed approval, everyone qualifies!", 90)


def send_text(lead: Lead, cause: str, body: str, minutes: float = 60 * 31) -> Message:
    message = send.queue_message(
        lead=lead, medium="text", purpose="marketing", cause=cause,
        words=MessageContent(body=body), to=BEN, at=journey.later(minutes),
    )  # fmt: skip
    send.deliver_messages([message.pk], at=journey.later(minutes))
    message.refresh_from_db()
    return message
