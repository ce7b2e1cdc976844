"""What staff typed to a borrower: signed as the law wants, then through the one door."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from rooftree.compliance.verdict import Decision
from rooftree.leads.models import Lead
from rooftree.org.models import Company, LoanOfficer, User
from rooftree.outreach import send
from rooftree.outreach.models import Message
from rooftree.outreach.send import Words
from rooftree.outreach.wording import signature

OPT_OUT = {"en": "Reply STOP to end.", "es": "Responda ALTO para terminar."}


class CannotSend(Exception):
    """The gate or a missing address stops this message. The text is fit to show."""


def compose(
    *, lead_id: UUID, medium: str, body: str, subject: str = "", by: User, at: datetime
) -> Message:
    """Send what a member of staff typed, in the lead's officer's name.

    A message that is lawful only later is held and goes by itself; the row says
    until when. Raises `CannotSend` with the gate's sentence for one that may
    not go, or when there is nowhere to send it.
    """
    lead = Lead.objects.select_related("person", "officer__user").get(pk=lead_id)
    company = Company.objects.get()
    officer = lead.officer
    to = send.address_for(lead, medium)
    if not to:
        raise CannotSend(f"There is no {'number' if medium == 'text' else 'e-mail address'} yet.")
    words = Words(
        body=_signed(body, medium, lead, company, officer), subject=subject, officer=officer
    )
    with transaction.atomic():
        message = send.plan(
            lead=lead,
            medium=medium,
            purpose="reply" if _answers_them(lead, at) else "marketing",
            cause=f"typed:{uuid4()}",
            words=words,
            to=to,
            at=at,
        )
        Message.objects.filter(pk=message.pk).update(by=by, is_automated=False)
        message.refresh_from_db()
        verdict = send.decide(message, stage="planned", at=at)
        if verdict.decision in (Decision.BLOCK, Decision.REQUIRE):
            send.settle(message, verdict, at)
    if verdict.decision in (Decision.BLOCK, Decision.REQUIRE):
        raise CannotSend(verdict.sentence)
    send.deliver(message_id=message.pk, at=at)
    message.refresh_from_db()
    return message


def _answers_them(lead: Lead, at: datetime) -> bool:
    """Their own message came in the last 15 minutes (rulebook REQ-01)."""
    return Message.objects.filter(
        lead=lead, direction="in", created_at__gt=at - timedelta(minutes=15)
    ).exists()


def _signed(
    body: str, medium: str, lead: Lead, company: Company, officer: LoanOfficer | None
) -> str:
    """The typed words with what the law adds: name, NMLS ID, and the way out of a first text."""
    language = "es" if lead.person.language == "es" else "en"
    words = body.strip()
    owed = [company.nmls_id, *([officer.nmls_id] if officer else [])]
    if any(nmls_id not in words for nmls_id in owed):
        words += f"\n{signature(company, officer)}"
    earlier = Message.objects.filter(person=lead.person, direction="out", medium="text")
    if medium == "text" and not earlier.exclude(sent_at=None).exists():
        words += f" {OPT_OUT[language]}"
    return words
