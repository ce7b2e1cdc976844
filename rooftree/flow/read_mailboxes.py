"""Letters out of mailboxes that are read: an answer to one of ours, else a lead, else nobody's."""

import logging
from datetime import datetime

from django.db import DatabaseError, transaction

from rooftree.capture.intake import mailbox_polling
from rooftree.capture.intake.mailbox_polling import MailboxMessage, MailboxOvertaken
from rooftree.capture.models import Mailbox
from rooftree.core.vendor_errors import RetryLater, VendorError
from rooftree.flow import borrower_replies, source_email

log = logging.getLogger(__name__)


def read_due_mailboxes(*, at: datetime) -> None:
    """Read the mailboxes that are due, until none is. Must not run in a transaction."""
    while (row := mailbox_polling.claim_due_mailbox(at=at)) is not None:
        try:
            for letter in mailbox_polling.fetch_new_messages(row, at=at):
                _store_email(row, letter, at)
        except MailboxOvertaken:
            log.info("a mailbox was read by somebody else meanwhile")
        except VendorError as problem:
            log.warning("a mailbox could not be read: %s", type(problem).__name__)
            mailbox_polling.record_failure(row, problem, at=at)
        except DatabaseError:
            raise
        except Exception:  # the edge: a letter that our code stumbles on holds up no other mailbox
            log.exception("a letter could not be taken in")
            said = "One of its letters could not be taken in; it is tried again."
            mailbox_polling.record_failure(row, RetryLater(said), at=at)


def _store_email(row: Mailbox, letter: MailboxMessage, at: datetime) -> None:
    """The letter and the place behind it are kept together."""
    with transaction.atomic():
        is_ours = borrower_replies.receive_email(
            raw=letter.raw, at=at
        ) or source_email.receive_source_email(raw=letter.raw, at=at, default_source=row.source)
        mailbox_polling.advance_position(row, letter, is_ours=is_ours)
