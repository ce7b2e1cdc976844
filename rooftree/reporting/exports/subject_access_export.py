"""All we hold about one person, for themselves: what a machine reads, and what a person reads."""

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
SECTION_TITLES = {  # section: how it is called to the person
    "people": "Who you are to us",
    "phones": "Your numbers",
    "emails": "Your e-mail addresses",
    "leads": "Your inquiries",
    "arrivals": "Each time you, or somebody for you, wrote to us, and from where",
    "as_received": "Those writings, as they reached us",
    "form": "What our own form showed you and what you did there",
    "loans": "Your loan files",
    "milestones": "The steps they reached",
    "consents": "What you allowed us",
    "stops": "What you took back",
    "messages": "Messages between us",
    "contacts": "Calls and other contacts between us",
    "recordings": "Calls that were recorded: what you were told, and where it is kept",
    "remarks": "What our staff wrote down",
    "tasks": "What our staff were to do for you",
    "past": "What another system held of you that we moved here from",
    "introductions": "Who introduced you",
}


def collect_person_data(people: Sequence[UUID], *, at: datetime) -> Json:
    """It is everything about a person and the records found to be them; nobody else's."""
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
            CallRecording.objects.filter(attempt__person__in=people), "told_at"
        ),
        "remarks": export_rows(Remark.objects.filter(lead__in=leads), "at"),
        "tasks": export_rows(Task.objects.filter(lead__in=leads), "created_at"),
        "past": export_rows(ImportedActivity.objects.filter(lead__in=leads), "at"),
        "introductions": export_rows(
            Introduction.objects.filter(delivery__touches__in=touches).distinct(), "at"
        ),
    }


def build_archive(people: Sequence[UUID], *, actor: str, at: datetime) -> bytes:
    """It is the archive; that it was made, and its SHA-256, is on the ledger."""
    found = collect_person_data(people, at=at)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        machine = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True)
        archive.writestr("everything.json", machine)
        archive.writestr("read me first.txt", _readme_text(found))
    body = target.getvalue()
    write_event(
        "compliance.own_file.made", at=at, actor=actor, person_id=people[0],
        sha256=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    return body


def _readme_text(found: Json) -> str:
    company = Company.objects.get()
    lines = [
        f"What {company.legal_name} holds about you, as of {found['made_at'][:10]}",
        "",
        "everything.json holds all of it, in a form that other programs read. In it are:",
        "",
        *(f"- {name}: {len(found[key])}" for key, name in SECTION_TITLES.items()),
        "",
        "Numbers of social security, cards and accounts are not kept and not in it.",
    ]
    return "\n".join(lines) + "\n"
