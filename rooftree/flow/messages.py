"""Carrying messages out: a nudge drains what is due, and the clock catches what nudges missed."""

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError
from django.tasks import task

from rooftree.flow import moment
from rooftree.outreach import ring, send

log = logging.getLogger(__name__)
BATCH = 50


@task(queue_name="now", priority=60)
def send_messages() -> None:
    """Send every text and e-mail that is due."""
    send_due(at=moment.now())


def send_due(*, at: datetime) -> int:
    """Send what is due until nothing is; how many were handled.

    Each is decided at its own moment, not at the batch's: carriers may be slow,
    and the evening's last minute must not be stretched by those before.
    """
    began, handled = moment.now(), 0
    while ids := send.due(at=at, limit=BATCH):
        done = send_these(ids, at=at + (moment.now() - began))
        if not done:  # other workers have them in hand
            break
        handled += done
    return handled


def send_these(message_ids: Iterable[UUID], *, at: datetime) -> int:
    """Send those of some messages that are due and in no other worker's hands; how many."""
    began = moment.now()
    return sum(_carry_out(one, at + (moment.now() - began)) for one in message_ids)


def _carry_out(message_id: UUID, at: datetime) -> bool:
    try:
        return send.deliver(message_id=message_id, at=at)
    except DatabaseError:
        raise
    except Exception as problem:  # the edge: one poisoned message must not stop the rest
        log.exception("message %s could not be sent", message_id)
        told = f"{type(problem).__name__} while working on it."
        send.set_aside(message_id=message_id, problem=told, at=at)
        return True


@task(queue_name="now", priority=60)
def ring_officers() -> None:
    """Place every call to an officer that is due."""
    ring.ring_due(at=moment.now())
