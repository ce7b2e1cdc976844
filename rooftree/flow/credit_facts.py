"""Collecting what we hold of an application, from every way in which it reached us."""

from collections.abc import Iterable

from rooftree.capture.sources import SOURCES
from rooftree.compliance.application import Piece, earliest, in_inquiry, in_words
from rooftree.leads.models import Lead, Loan, Remark, Touch
from rooftree.outreach.models import Message

SSN_GIVEN = "ssn_discarded"  # as `capture.notes` warns of one that was masked
BY = {"text": "their text", "email": "their e-mail"}


def pieces_of(lead: Lead) -> dict[str, Piece]:
    """The pieces we hold, each as it first reached us: five of a lead are nothing unusual.

    Forms, files, chats and calls are touches; what they wrote, what staff wrote down and
    what the LOS holds come beside.
    """
    return earliest([*_asked(lead), *_wrote(lead), *_noted(lead), *_in_los(lead)])


def in_touch(touch: Touch) -> set[str]:
    """The pieces of one arrival."""
    held = in_inquiry(touch.inquiry)
    return held | {"ssn"} if SSN_GIVEN in touch.delivery.warnings else held


def words_of(message: Message) -> str:
    """All that a borrower wrote in a message."""
    return f"{message.subject}\n{message.body}"


def _asked(lead: Lead) -> Iterable[Piece]:
    for touch in Touch.objects.filter(lead=lead).select_related("delivery", "source"):
        adapter = SOURCES.get(touch.source.adapter)
        where = touch.source.name or (adapter.LABEL if adapter else "")
        for item in in_touch(touch):
            yield Piece(item=item, at=touch.at, origin=f"touch:{touch.pk}", where=where)


def _wrote(lead: Lead) -> Iterable[Piece]:
    for one in Message.objects.filter(lead=lead, direction="in").only(
        "subject", "body", "medium", "created_at"
    ):
        for item in in_words(words_of(one)):
            where = BY.get(one.medium, "their message")
            yield Piece(item=item, at=one.created_at, origin=f"message:{one.pk}", where=where)


def _noted(lead: Lead) -> Iterable[Piece]:
    for one in Remark.objects.filter(lead=lead).select_related("by"):
        for item in in_words(one.text):
            where = f"a note by {one.by.name}"
            yield Piece(item=item, at=one.at, origin=f"remark:{one.pk}", where=where)


def _in_los(lead: Lead) -> Iterable[Piece]:
    """What the LOS told us of the loan; that it took an application is a fact of its own."""
    for loan in Loan.objects.filter(lead=lead, amount_cents__isnull=False, read_at__isnull=False):
        assert loan.read_at is not None
        yield Piece(item="loan_amount", at=loan.read_at, origin=f"loan:{loan.pk}", where="the LOS")
