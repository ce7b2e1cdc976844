"""Read connected mailboxes: each e-mail is a reply to ours, a lead, or passed over."""

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
    """Read due mailboxes until none is left. Don't call in a transaction."""
    while (mailbox := mailbox_polling.claim_due_mailbox(at=at)) is not None:
        try:
            for email in mailbox_polling.fetch_new_messages(mailbox, at=at):
                _store_email(mailbox, email, at)
        except MailboxOvertaken:
            log.info("another process read the mailbox in the meantime")
        except VendorError as problem:
            log.warning("a mailbox could not be read: %s", type(problem).__name__)
            mailbox_polling.record_failure(mailbox, problem, at=at)
        except DatabaseError:
            raise
        except Exception:  # the edge: a bug with one e-mail must not stop other mailboxes
            log.exception("an e-mail could not be stored")
            problem_text = "An email couldn't be processed. Rooftree will try again."
            mailbox_polling.record_failure(mailbox, RetryLater(problem_text), at=at)


def _store_email(mailbox: Mailbox, email: MailboxMessage, at: datetime) -> None:
    """Store an e-mail and advance the mailbox's position in one transaction."""
    with transaction.atomic():
        is_ours = borrower_replies.receive_email(
            raw=email.raw, at=at
        ) or source_email.receive_source_email(raw=email.raw, at=at, default_source=mailbox.source)
        mailbox_polling.advance_position(mailbox, email, is_ours=is_ours)
