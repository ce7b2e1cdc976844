"""Security incidents: what happened, whether the FTC must be told, and by when (rule SEC-02)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.compliance.privacy import data_rights_rules
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.reporting.controls.assurance_records import BadRecord
from rooftree.reporting.models import Incident


def open_incident(one: Incident, *, by: User, at: datetime) -> Incident:
    """Write down an incident that was not stored yet. Raises `BadRecord`.

    `discovered_on` is the day from which the thirty days run; `consumers` those whose data
    could be reached, which counts as taken.
    """
    if one.discovered_on > company_day(at):
        raise BadRecord("It cannot have been discovered on a day to come.", "discovered_on")
    one.pk, one.opened_by, one.opened_at = uuid7_at(at), by, at
    with atomic():
        one.save(force_insert=True)
        on = one.discovered_on.isoformat()
        _write_incident_event("opened", one, by=by, at=at, consumers=one.consumers, on=on)
    return one


def record_ftc_notice(incident_id: UUID, *, on: date, by: User, at: datetime) -> None:
    """Somebody told the FTC on this day. Raises `BadRecord`."""
    with atomic():
        one = _lock_open_incident(incident_id)
        if not one.discovered_on <= on <= company_day(at):
            raise BadRecord("Give the day it was told: after the discovery, and not to come.")
        one.told_ftc_on = on
        one.save(update_fields=["told_ftc_on"])
        _write_incident_event("told_ftc", one, by=by, at=at, on=on.isoformat())


def close_incident(incident_id: UUID, *, ended: str, by: User, at: datetime) -> None:
    """It is over, and this was done about it. Raises `BadRecord` while the FTC is to be told."""
    with atomic():
        one = _lock_open_incident(incident_id)
        if not ended:
            raise BadRecord("Say what was done about it.")
        if ftc_deadline(one):
            raise BadRecord("The FTC must be told of it first; write down when it was.")
        one.ended, one.closed_at = ended, at
        one.save(update_fields=["ended", "closed_at"])
        _write_incident_event("closed", one, by=by, at=at)


def ftc_deadline(one: Incident) -> date | None:
    """The last day to tell the FTC; None when it need not be told, or was."""
    if one.told_ftc_on is not None:
        return None
    return data_rights_rules.check_breach(
        consumers=one.consumers, is_encrypted=one.is_encrypted,
        was_key_taken=one.was_key_taken, discovered_on=one.discovered_on,
    ).deadline  # fmt: skip


def _lock_open_incident(incident_id: UUID) -> Incident:
    one = Incident.objects.select_for_update().filter(pk=incident_id, closed_at=None).first()
    if one is None:
        raise BadRecord("It is closed already.")
    return one


def _write_incident_event(what: str, one: Incident, *, by: User, at: datetime, **more: Any) -> None:
    actor = f"user:{by.pk}"
    write_event(f"reporting.incident.{what}", at=at, actor=actor, incident=one.pk, **more)
