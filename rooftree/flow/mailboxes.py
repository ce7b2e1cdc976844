"""Letters out of mailboxes that are read: an answer to one of ours, else a lead, else nobody's."""

import logging
from datetime import datetime

from django.db import DatabaseError, transaction

from rooftree.capture import mailboxes
from rooftree.capture.mailboxes import Letter, Overtaken
from rooftree.capture.models import Mailbox
from rooftree.core.failures import Failure, TryLater
from rooftree.flow import lead_mail, replies

log = logging.getLogger(__name__)


def read_due(*, at: datetime) -> None:
    """Read the mailboxes that are due, until none is. Must not run in a transaction."""
    while (row := mailboxes.claim(at=at)) is not None:
        try:
            for letter in mailboxes.letters(row, at=at):
                _take_in(row, letter, at)
        except Overtaken:
            log.info("a mailbox was read by somebody else meanwhile")
        except Failure as problem:
            log.warning("a mailbox could not be read: %s", type(problem).__name__)
            mailboxes.fail(row, problem, at=at)
        except DatabaseError:
            raise
        except Exception:  # the edge: a letter that our code stumbles on holds up no other mailbox
            log.exception("a letter could not be taken in")
            said = "One of its letters could not be taken in; it is tried again."
            mailboxes.fail(row, TryLater(said), at=at)


def _take_in(row: Mailbox, letter: Letter, at: datetime) -> None:
    """The letter and the place behind it are kept together."""
    with transaction.atomic():
        is_ours = replies.receive_letter(raw=letter.raw, at=at) or lead_mail.receive_letter(
            raw=letter.raw, at=at, usual=row.source
        )
        mailboxes.pass_on(row, letter, is_ours=is_ours)
