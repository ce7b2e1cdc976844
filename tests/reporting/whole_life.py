"""One borrower's whole life with us, as an examiner might ask to see it on paper."""

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


def lived() -> Lead:
    """Asked on our form, texted, written to, called, held over night, blocked, stopped, funded."""
    journey.ready()
    dana = make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    post = journey.form_post(
        first_name="Benjamín", last_name="Ortíz Núñez", property_state="CA", property_zip="92101"
    )
    arrived = journey.deliver(journey.website(), post)
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    lead = Lead.objects.select_related("person", "officer__user").get(pk=arrived.pk)
    said(THANKS, 40, "SM1")
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="spoken", by=dana.user, at=journey.later(60)
    )
    typed(lead, dana, "Aquí está la lista de documentos que le prometí.", journey.later(65))
    typed(lead, dana, "Una pregunta más: ¿su cónyuge también firma?", make.NIGHT)
    blocked(lead)
    journey.run(make.NIGHT + 14 * make.HOUR)
    said(STOP, 60 * 30, "SM2")
    journey.run(journey.later(60 * 30 + 1))
    planned(lead, "step:after", "Lindenfield Mortgage NMLS 1204417: ¿hablamos? Reply STOP to end.")
    write_event(
        "los.milestone.reached", at=journey.later(60 * 48), lead_id=lead.pk,
        person_id=lead.person_id, milestone="funded",
    )  # fmt: skip
    return lead


def said(words: str, minutes: float, nth: str) -> None:
    borrower_replies.receive_text(
        sender=BEN, body=words, carrier_id=nth, carrier="twilio", at=journey.later(minutes)
    )


def typed(lead: Lead, dana, words: str, at) -> None:
    typed_messages.send_typed_message(
        lead_id=lead.pk, medium="text", body=words, by=dana.user, at=at
    )


def blocked(lead: Lead) -> Message:
    words = f"Dana Whitfield NMLS {lead.officer.nmls_id}, Lindenfield Mortgage NMLS 1204417: "
    return planned(lead, "step:bad", words + "Guaranteed approval, everyone qualifies!", 90)


def planned(lead: Lead, cause: str, body: str, minutes: float = 60 * 31) -> Message:
    made = send.queue_message(
        lead=lead, medium="text", purpose="marketing", cause=cause,
        words=MessageContent(body=body), to=BEN, at=journey.later(minutes),
    )  # fmt: skip
    send.deliver_messages([made.pk], at=journey.later(minutes))
    made.refresh_from_db()
    return made
