"""Security incidents, and the deadline to report them to the FTC (rule SEC-02)."""

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


def open_incident(incident: Incident, *, by: User, at: datetime) -> Incident:
    """Store a new incident. Raises `BadRecord`.

    The thirty days run from `discovered_on`. `consumers` counts the people whose data could be
    reached; data that could be reached counts as taken.
    """
    if incident.discovered_on > company_day(at):
        raise BadRecord("Enter a discovery date that isn’t in the future.", "discovered_on")
    incident.pk, incident.opened_by, incident.opened_at = uuid7_at(at), by, at
    with atomic():
        incident.save(force_insert=True)
        day = incident.discovered_on.isoformat()
        _write_incident_event(
            "opened", incident, by=by, at=at, consumers=incident.consumers, on=day
        )
    return incident


def record_ftc_notice(incident_id: UUID, *, on: date, by: User, at: datetime) -> None:
    """Record the day the incident was reported to the FTC. Raises `BadRecord`."""
    with atomic():
        incident = _lock_open_incident(incident_id)
        if not incident.discovered_on <= on <= company_day(at):
            raise BadRecord("Enter a date between the discovery and today.")
        incident.ftc_notified_on = on
        incident.save(update_fields=["ftc_notified_on"])
        _write_incident_event("told_ftc", incident, by=by, at=at, on=on.isoformat())


def close_incident(incident_id: UUID, *, resolution: str, by: User, at: datetime) -> None:
    """Close an incident. Raises `BadRecord` while a report to the FTC is due."""
    with atomic():
        incident = _lock_open_incident(incident_id)
        if not resolution:
            raise BadRecord("Enter how the incident was resolved.")
        if ftc_deadline(incident):
            raise BadRecord("Report the incident to the FTC first, then record the date.")
        incident.resolution, incident.closed_at = resolution, at
        incident.save(update_fields=["resolution", "closed_at"])
        _write_incident_event("closed", incident, by=by, at=at)


def ftc_deadline(incident: Incident) -> date | None:
    """Return the last day to report to the FTC; None if no report is required or it was made."""
    if incident.ftc_notified_on is not None:
        return None
    return data_rights_rules.check_breach(
        consumers=incident.consumers, is_encrypted=incident.is_encrypted,
        was_key_taken=incident.was_key_exposed, discovered_on=incident.discovered_on,
    ).deadline  # fmt: skip


def _lock_open_incident(incident_id: UUID) -> Incident:
    incident = Incident.objects.select_for_update().filter(pk=incident_id, closed_at=None).first()
    if incident is None:
        raise BadRecord("This incident is already closed.")
    return incident


def _write_incident_event(
    step: str, incident: Incident, *, by: User, at: datetime, **data: Any
) -> None:
    actor = f"user:{by.pk}"
    write_event(f"reporting.incident.{step}", at=at, actor=actor, incident=incident.pk, **data)
