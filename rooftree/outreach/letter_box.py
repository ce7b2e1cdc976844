"""Keeping an e-mail that came in, beside the conversation it belongs to."""

import hashlib
from datetime import datetime

from django.db import transaction

from rooftree.compliance import optout, revoke
from rooftree.core.emails import comparison_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write import write
from rooftree.outreach import callbacks, take_back
from rooftree.outreach.letters import Letter
from rooftree.outreach.models import Message
from rooftree.outreach.replies import ENDED, Reply, note_contact
from rooftree.tasks.postgresql.right import right

AUTOMATIC = "automatic"
NOT_KEPT = "\n\n[{} attached; files are not kept here]"


def receive(letter: Letter, *, raw: bytes, at: datetime) -> Reply:
    """Keep one letter; words that end e-mail count in the same transaction. Once a letter.

    What they say ends e-mail, as their unsubscribing would; it is a person's to
    read whether they meant calls and texts too (47 CFR 64.1200(a)(10)). A
    delivery report marks the address; an absence note is kept and moves nothing.
    """
    with transaction.atomic():
        ours = Message.objects.select_for_update().filter(pk=letter.about, direction="out").first()
        if ours is None:
            return Reply(message=None, meaning=optout.Meaning.NONE.value)
        if letter.bounced:
            callbacks.record_bounce(message_id=str(ours.pk), address=letter.bounced, at=at)
            return Reply(message=None, meaning="bounced")
        reference = letter.reference or hashlib.sha256(raw).hexdigest()
        cause = f"in:mail:{hashlib.sha256(reference.encode()).hexdigest()[:40]}"
        if Message.objects.filter(cause=cause, medium="email").exists():
            return Reply(message=None, meaning=optout.Meaning.NONE.value, is_new=False)
        word = AUTOMATIC if letter.is_automatic else optout.classify(letter.words).meaning.value
        message = _keep(letter, ours, word, cause, at)
        if word in ("revoke", "wrong_person", "hold"):
            _end_mail(ours, letter, word, cause, at)
    return Reply(message=message, meaning=word)


def _keep(letter: Letter, ours: Message, word: str, cause: str, at: datetime) -> Message:
    lead = Lead.objects.select_related("person").get(pk=ours.lead_id)
    files = NOT_KEPT.format(f"{letter.files} file{'s'[: letter.files > 1]}") if letter.files else ""
    with right("door", savepoint=False):
        message = Message.objects.create(
            id=uuid7_at(at),
            lead=lead,
            person_id=lead.person_id,
            direction="in",
            medium="email",
            purpose="reply",
            cause=cause,
            is_automated=word == AUTOMATIC,
            language=ours.language,
            to_address="",
            from_address=letter.sender,
            subject=letter.subject,
            body=f"{letter.words}{files}",
            state="received",
            carrier="mail",
            problem="" if word == "none" else word,
            created_at=at,
            read_at=at if word == AUTOMATIC else None,
        )
    if word != AUTOMATIC:
        note_contact(message, word, at)
    write(
        "outreach.email.received",
        at=at,
        actor="borrower",
        lead_id=lead.pk,
        person_id=lead.person_id,
        message=message.pk,
        meaning=word,
    )
    return message


def _end_mail(ours: Message, letter: Letter, word: str, cause: str, at: datetime) -> None:
    revoke.record(
        person_id=ours.person_id,
        address=comparison_key(ours.to_address),
        kind={"revoke": "unsubscribe", "wrong_person": "wrong_person", "hold": "review"}[word],
        media=["email"],
        words=letter.words[:500],
        origin=cause,
        cause=cause,
        at=at,
    )
    take_back.cancel_waiting(lead_id=ours.lead_id, because=f"reply:{word}", at=at, causes=ENDED)
