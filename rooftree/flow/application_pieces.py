"""Collecting what we hold of an application, from every way in which it reached us."""

from collections.abc import Iterable

from rooftree.capture.sources import SOURCES
from rooftree.compliance.credit.application_detection import (
    ApplicationPiece,
    earliest_pieces,
    items_in_inquiry,
    items_in_text,
)
from rooftree.leads.models import Lead, Loan, Remark, Touch
from rooftree.outreach.models import Message

SSN_WARNING = "ssn_discarded"  # as `capture.notes` warns of one that was masked
MESSAGE_ORIGINS = {"text": "their text", "email": "their e-mail"}


def collect_pieces(lead: Lead) -> dict[str, ApplicationPiece]:
    """The pieces we hold, each as it first reached us: five of a lead are nothing unusual.

    Forms, files, chats and calls are touches; what they wrote, what staff wrote down and
    what the LOS holds come beside.
    """
    return earliest_pieces(
        [
            *_pieces_in_touches(lead),
            *_pieces_in_messages(lead),
            *_pieces_in_remarks(lead),
            *_pieces_in_los(lead),
        ]
    )


def pieces_in_touch(touch: Touch) -> set[str]:
    """The pieces of one arrival."""
    held = items_in_inquiry(touch.inquiry)
    return held | {"ssn"} if SSN_WARNING in touch.delivery.warnings else held


def message_text(message: Message) -> str:
    """All that a borrower wrote in a message."""
    return f"{message.subject}\n{message.body}"


def _pieces_in_touches(lead: Lead) -> Iterable[ApplicationPiece]:
    for touch in Touch.objects.filter(lead=lead).select_related("delivery", "source"):
        adapter = SOURCES.get(touch.source.adapter)
        where = touch.source.name or (adapter.LABEL if adapter else "")
        for item in pieces_in_touch(touch):
            yield ApplicationPiece(item=item, at=touch.at, origin=f"touch:{touch.pk}", where=where)


def _pieces_in_messages(lead: Lead) -> Iterable[ApplicationPiece]:
    for message in Message.objects.filter(lead=lead, direction="in").only(
        "subject", "body", "medium", "created_at"
    ):
        for item in items_in_text(message_text(message)):
            where = MESSAGE_ORIGINS.get(message.medium, "their message")
            yield ApplicationPiece(
                item=item, at=message.created_at, origin=f"message:{message.pk}", where=where
            )


def _pieces_in_remarks(lead: Lead) -> Iterable[ApplicationPiece]:
    for remark in Remark.objects.filter(lead=lead).select_related("by"):
        for item in items_in_text(remark.text):
            where = f"a note by {remark.by.name}"
            yield ApplicationPiece(
                item=item, at=remark.at, origin=f"remark:{remark.pk}", where=where
            )


def _pieces_in_los(lead: Lead) -> Iterable[ApplicationPiece]:
    """What the LOS told us of the loan; that it took an application is a fact of its own."""
    for loan in Loan.objects.filter(lead=lead, amount_cents__isnull=False, read_at__isnull=False):
        assert loan.read_at is not None
        yield ApplicationPiece(
            item="loan_amount", at=loan.read_at, origin=f"loan:{loan.pk}", where="the LOS"
        )
