"""The pieces of an application on file, whichever way each of them reached us."""

from collections.abc import Iterable

from rooftree.capture.intake.store_inquiries import SSN_WARNING
from rooftree.capture.sources import SOURCES
from rooftree.compliance.credit.application_detection import (
    ApplicationPiece,
    earliest_pieces,
    items_in_inquiry,
    items_in_text,
)
from rooftree.leads.models import Lead, LeadEdit, Loan, Remark, Touch
from rooftree.outreach.models import Message

EDITED_ITEMS = {  # the piece that a field of the loan scenario is
    "income": "income",
    "street": "property_address",
    "value": "value_estimate",
    "amount": "loan_amount",
}
MESSAGE_ORIGINS = {"text": "a text from the borrower", "email": "an email from the borrower"}


def collect_pieces(lead: Lead) -> dict[str, ApplicationPiece]:
    """Collect the pieces of an application on file, each as it first reached us.

    Pieces come from touches (forms, files, chats and calls), from messages of the borrower,
    from notes and edits of staff and from the LOS. Five pieces of one lead are nothing unusual.
    """
    return earliest_pieces(
        [
            *_pieces_in_touches(lead),
            *_pieces_in_messages(lead),
            *_pieces_in_remarks(lead),
            *_pieces_in_edits(lead),
            *_pieces_in_los(lead),
        ]
    )


def pieces_in_touch(touch: Touch) -> set[str]:
    """Return the pieces of one arrival."""
    pieces = items_in_inquiry(touch.inquiry)
    return pieces | {"ssn"} if SSN_WARNING in touch.delivery.warnings else pieces


def message_text(message: Message) -> str:
    """Return everything a borrower wrote in a message: its subject and its body."""
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
            where = MESSAGE_ORIGINS.get(message.medium, "a message from the borrower")
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


def _pieces_in_edits(lead: Lead) -> Iterable[ApplicationPiece]:
    for edit in LeadEdit.objects.filter(lead=lead, field__in=EDITED_ITEMS).select_related("by"):
        if edit.after:
            yield ApplicationPiece(
                item=EDITED_ITEMS[edit.field],
                at=edit.at,
                origin=f"edit:{edit.pk}",
                where=f"the loan scenario, entered by {edit.by.name}",
            )


def _pieces_in_los(lead: Lead) -> Iterable[ApplicationPiece]:
    """Yield the loan amount of the LOS; that the LOS took an application counts separately."""
    for loan in Loan.objects.filter(lead=lead, amount_cents__isnull=False, read_at__isnull=False):
        assert loan.read_at is not None
        yield ApplicationPiece(
            item="loan_amount", at=loan.read_at, origin=f"loan:{loan.pk}", where="the LOS"
        )
