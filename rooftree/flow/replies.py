"""What follows when a borrower writes back or ends our messages."""

import logging
from datetime import datetime

from django.db import DatabaseError, transaction

from rooftree.compliance import revoke
from rooftree.core.emails import comparison_key
from rooftree.flow import credit
from rooftree.flow.messages import send_messages
from rooftree.flow.offers import ANSWER_IN
from rooftree.leads import snooze
from rooftree.leads.models import Lead
from rooftree.nurture import enrol
from rooftree.org import notices
from rooftree.outreach import letter_box, letters, replies, take_back
from rooftree.outreach.models import Message
from rooftree.outreach.replies import Reply
from rooftree.outreach.wording import BadTemplate, NoWording
from rooftree.routing import promise
from rooftree.scoring.rescore import rescore
from rooftree.tasks.announce import announce

log = logging.getLogger(__name__)
ANSWERED = frozenset({"none", "optin", "help"})
TOLD = {
    "none": "wrote back",
    "optin": "wants messages again",
    "help": "asked who we are",
    "hold": "wrote something that may mean stop: read it",
    "revoke": "asked us to stop texts and calls",
    "wrong_person": "says this is the wrong number",
}


def receive_text(
    *,
    sender: str,
    body: str,
    carrier_id: str,
    carrier: str,
    at: datetime,
    is_answered: bool = False,
) -> Reply:
    """Keep an inbound text; a STOP counts before this returns. The officer hears of it.

    `is_answered` says that the carrier itself has confirmed the STOP already: a
    second confirmation would be one too many (47 CFR 64.1200(a)(12)).
    """
    with transaction.atomic():
        reply = replies.receive_text(
            sender=sender, body=body, carrier_id=carrier_id, carrier=carrier, at=at
        )
        if reply.message is None:
            return reply
        try:
            with transaction.atomic():
                _follow(reply, reply.message, is_answered=is_answered, at=at)
        except DatabaseError:
            raise
        except Exception:  # the edge: a STOP counts, whatever fails after it
            log.exception("what follows from message %s was not done", reply.message.pk)
    return reply


def receive_letter(*, raw: bytes, at: datetime) -> bool:
    """Keep an e-mail that answers one of ours; False when it answers none.

    An absence note is kept and moves nothing. Raises nothing for what a stranger
    may write.
    """
    try:
        letter = letters.read(raw)
    except letters.NotOurs as problem:
        log.info("a letter was not taken in: %s", problem)
        return False
    with transaction.atomic():
        reply = letter_box.receive(letter, raw=raw, at=at)
        if reply.message and reply.meaning != letter_box.AUTOMATIC:
            _tell(reply.message, reply.meaning, at)
    return True


def unsubscribe(*, message: Message, at: datetime) -> None:
    """End e-mail to the person this message went to (15 USC 7704(a)(3)). Pressing twice is fine."""
    with transaction.atomic():
        revoke.record(
            person_id=message.person_id,
            address=comparison_key(message.to_address),
            kind="unsubscribe",
            media=["email"],
            origin=f"unsubscribe:{message.pk}",
            cause=f"unsubscribe:{message.pk}",
            at=at,
        )
        waiting = Message.objects.filter(
            person_id=message.person_id,
            medium="email",
            purpose="marketing",  # news of their own loan goes on (15 USC 7702(17))
            state__in=["waiting", "held", "review"],
        )
        waiting.update(state="cancelled", problem="They unsubscribed.", due_at=None)
        announce("lead", lead=str(message.lead_id))


def _follow(reply: Reply, message: Message, *, is_answered: bool, at: datetime) -> None:
    _tell(message, reply.meaning, at)  # first: it takes back what is in line
    try:
        answer = None if is_answered else replies.plan_answer(reply=reply, at=at)
    except (NoWording, BadTemplate) as problem:
        log.error("a %s could not be answered: %s", reply.meaning, problem)
        return
    if answer:
        send_messages.enqueue()


def _tell(message: Message, meaning: str, at: datetime) -> None:
    lead = Lead.objects.select_related("officer", "person").get(pk=message.lead_id)
    enrol.stop(lead_id=lead.pk, because="replied", at=at)
    snooze.wake(lead_id=lead.pk, because="replied", at=at)
    if meaning in ANSWERED:
        take_back.cancel_waiting(lead_id=lead.pk, because="replied", at=at)
        due = promise.due(lead, by=at + ANSWER_IN, at=at)
        Lead.objects.filter(pk=lead.pk).update(promise_at=due)
    rescore(lead_id=lead.pk, because="replied", at=at)
    credit.heard(message, at=at)
    if lead.officer:
        notices.tell(
            user_id=lead.officer.user_id,
            kind="reply",
            cause=f"message:{message.pk}",
            text=f"{lead.person.first_name or 'A borrower'} {TOLD.get(meaning, 'wrote back')}.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
    announce("lead", lead=str(lead.pk))
