"""Everything on file about one person, as a ZIP for that person: JSON and a readme."""

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rooftree.capture.imports.models import ImportedActivity
from rooftree.capture.models import FormCertificate
from rooftree.compliance.models import Consent, Revocation
from rooftree.leads.models import (
    ContactAttempt,
    Delivery,
    Email,
    Introduction,
    Lead,
    Loan,
    Milestone,
    Person,
    Phone,
    Remark,
    Task,
    Touch,
)
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company
from rooftree.outreach.models import CallRecording, Message
from rooftree.reporting.evidence.evidence_data import export_delivery
from rooftree.reporting.evidence.json_rows import export_rows

type Json = dict[str, Any]
SECTION_TITLES = {  # title of each section for the person
    "people": "Your contact records",
    "phones": "Your phone numbers",
    "emails": "Your email addresses",
    "leads": "Your inquiries",
    "arrivals": "Each time you contacted us, or someone did for you, and through which source",
    "as_received": "The data of those inquiries, as we received it",
    "form": "What our web form showed you, and your answers",
    "loans": "Your loan files",
    "milestones": "The steps your loan files reached",
    "consents": "Your consents",
    "stops": "Your opt-outs",
    "messages": "Messages between you and us",
    "contacts": "Calls and other contacts between you and us",
    "recordings": "Recorded calls: the notice you heard, and where the recording is stored",
    "remarks": "Notes by our staff",
    "tasks": "Tasks of our staff about you",
    "past": "Your history in an earlier system of ours",
    "introductions": "Who introduced you",
}


def collect_person_data(people: Sequence[UUID], *, at: datetime) -> Json:
    """Collect all data about these person records, which belong to one person; no one else's."""
    leads = Lead.objects.filter(person__in=people)
    touches = Touch.objects.filter(person__in=people)
    loans = Loan.objects.filter(lead__in=leads)
    deliveries = Delivery.objects.filter(touches__in=touches).exclude(
        touches__in=Touch.objects.exclude(person__in=people)
    )
    return {
        "made_at": at.isoformat(),
        "people": export_rows(Person.objects.filter(pk__in=people), "created_at"),
        "phones": export_rows(Phone.objects.filter(person__in=people), "given_at"),
        "emails": export_rows(Email.objects.filter(person__in=people), "given_at"),
        "leads": export_rows(leads, "created_at"),
        "arrivals": export_rows(touches, "at"),
        "as_received": [
            export_delivery(delivery) for delivery in deliveries.distinct().select_related("source")
        ],
        "form": export_rows(FormCertificate.objects.filter(touch__in=touches), "made_at"),
        "loans": export_rows(loans, "created_at"),
        "milestones": export_rows(Milestone.objects.filter(loan__in=loans), "recorded_at"),
        "consents": export_rows(Consent.objects.filter(person__in=people), "recorded_at"),
        "stops": export_rows(Revocation.objects.filter(person__in=people), "at"),
        "messages": export_rows(Message.objects.filter(person__in=people), "created_at"),
        "contacts": export_rows(ContactAttempt.objects.filter(person__in=people), "at"),
        "recordings": export_rows(
            CallRecording.objects.filter(attempt__person__in=people), "notice_played_at"
        ),
        "remarks": export_rows(Remark.objects.filter(lead__in=leads), "at"),
        "tasks": export_rows(Task.objects.filter(lead__in=leads), "created_at"),
        "past": export_rows(ImportedActivity.objects.filter(lead__in=leads), "at"),
        "introductions": export_rows(
            Introduction.objects.filter(delivery__touches__in=touches).distinct(), "at"
        ),
    }


def build_archive(people: Sequence[UUID], *, actor: str, at: datetime) -> bytes:
    """Build the archive; record it with its SHA-256 on the ledger."""
    person_data = collect_person_data(people, at=at)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        everything = json.dumps(person_data, ensure_ascii=False, indent=1, sort_keys=True)
        archive.writestr("everything.json", everything)
        archive.writestr("read me first.txt", _readme_text(person_data))
    body = target.getvalue()
    write_event(
        "compliance.own_file.made", at=at, actor=actor, person_id=people[0],
        sha256=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    return body


def _readme_text(person_data: Json) -> str:
    company = Company.objects.get()
    lines = [
        f"The data {company.legal_name} has about you, as of {person_data['made_at'][:10]}",
        "",
        "everything.json contains all of it, in a format that other programs can read:",
        "",
        *(f"- {title}: {len(person_data[key])}" for key, title in SECTION_TITLES.items()),
        "",
        "We don’t store Social Security, card or account numbers, so none are included.",
    ]
    return "\n".join(lines) + "\n"
