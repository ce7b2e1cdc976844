"""Everything on file about one number or email address, as JSON.

The file contains only data of the people who have, or had, this number or address. It contains no
one else's messages, numbers or verdicts.
"""

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Q

from rooftree.capture.models import FormCertificate, FormPage
from rooftree.capture.own_form import form_versions
from rooftree.capture.own_form.form_versions import ShownForm
from rooftree.compliance.do_not_call import number_lookup
from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.compliance.numbers.models import NumberQuestion
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.leads.models import ContactAttempt, Delivery, Person, Touch
from rooftree.ledger.chain import GENESIS_HASH, HASHED_FIELDS
from rooftree.ledger.models import Event
from rooftree.org.models import Company, LoanOfficer, User
from rooftree.outreach.models import Message
from rooftree.reporting.evidence import contact_evidence, ledger_checkpoints
from rooftree.reporting.evidence.json_rows import export_row, export_rows, to_json_value

FORMAT = "rooftree-evidence-3"
type Json = dict[str, Any]


def collect_evidence(address: str, *, at: datetime) -> Json:
    """Collect the evidence about a number (E.164) or email key; every list is oldest first."""
    has_address = Q(emails__key=address) if "@" in address else Q(phones__e164=address)
    people = list(Person.objects.filter(has_address).distinct().order_by("created_at", "id"))
    consents = list(Consent.objects.filter(Q(address=address) | Q(person__in=people)))
    deliveries = Delivery.objects.filter(pk__in={consent.delivery_id for consent in consents})
    events = list(
        Event.objects.filter(person_id__in=[person.pk for person in people]).order_by(
            "sequence", "id"
        )
    )
    messages = list(Message.objects.filter(person__in=people))
    attempts = list(ContactAttempt.objects.filter(person__in=people))
    return {
        "format": FORMAT,
        "subject": address,
        "made_at": to_json_value(at),
        "rules_version": RULES_VERSION,
        "company": export_row(
            Company.objects.get(), ("legal_name", "nmls_id", "postal_address", "zone")
        ),
        "people": [
            export_row(person, ("id", "first_name", "last_name", "created_at")) for person in people
        ],
        "staff": _staff_names(messages, attempts),
        "inquiries": _list_inquiries(people),
        "consents": export_rows(consents, "captured_at", "recorded_at"),
        "deliveries": [
            export_delivery(delivery) for delivery in deliveries.select_related("source")
        ],
        **_form_evidence(people),
        "revocations": export_rows(
            Revocation.objects.filter(Q(address=address) | Q(person__in=people)), "at"
        ),
        **_number_lists(address),
        **contact_evidence.collect_contacts(people, messages, attempts, events),
        "verdicts": (verdicts := export_rows(Verdict.objects.filter(person__in=people), "at")),
        "rule_changes": _applied_rule_changes(verdicts),
        **_ledger_proofs(events),
        "ledger": _ledger_summary(events),
    }


def _number_lists(address: str) -> Json:
    """Return a number's do-not-call listings now, and the answers of vendors about it."""
    answered = NumberQuestion.objects.filter(number=address, answered_at__isnull=False)
    return {
        "lists": [
            {
                "list": listing.registry,
                "dated": listing.dated.isoformat(),
                "is_listed": listing.is_listed,
                "by": listing.vendor,
            }
            for listing in number_lookup.look_up_number(address)
        ],
        "number_checks": export_rows(answered, "answered_at"),
    }


def _form_evidence(people: Sequence[Person]) -> Json:
    """Return the certificates of our own form and its pages as they were rendered."""
    rows = FormCertificate.objects.filter(touch__person__in=people).order_by("made_at", "id")
    certificates = [export_row(row, ("id", "facts", "sha256", "made_at")) for row in rows]
    shown = {certificate["facts"]["shown"]["page_sha256"] for certificate in certificates}
    pages = FormPage.objects.filter(pk__in=shown).order_by("sha256")
    return {
        "form_certificates": certificates,
        "form_pages": [export_row(page, ("sha256", "html", "shown_at")) for page in pages],
        "form_versions": _shown_form_versions(certificates),
    }


def _shown_form_versions(certificates: Iterable[Json]) -> list[Json]:
    """Return the forms that these certificates name: their words, author and publisher."""
    names = {
        (certificate["facts"]["source"], certificate["facts"]["shown"]["version"])
        for certificate in certificates
    }
    forms = [
        (source, form_versions.find_shown_form(name, source_slug=source))
        for source, name in sorted(names)
    ]
    return [_export_form(source, form) for source, form in forms if form]


def _export_form(source_slug: str, form: ShownForm) -> Json:
    """Export a form; one that comes with Rooftree has no author."""
    row = {"source": source_slug, "version": form.name, "content": form.design.to_json()}
    version = form.version
    if version is None:
        return row
    return {
        **row,
        **export_row(version, ("summary", "written_at", "decision_reason", "published_at")),
        "written_by": version.written_by.name,
        "published_by": version.decided_by.name if version.decided_by else None,
    }


def _applied_rule_changes(verdicts: Iterable[Json]) -> list[Json]:
    """Return the company's rule changes used by these verdicts, with author and approver."""
    numbers = {
        amendment["number"]
        for verdict in verdicts
        for amendment in verdict["facts"].get("amendments", ())
    }
    rows = RuleChange.objects.select_related("written_by", "approved_by")
    names = [
        *("number", "place", "item", "value", "from_date", "cite", "reason", "is_looser"),
        *("counsel", "written_at", "approved_at"),
    ]
    return [
        {
            **export_row(row, names),
            "written_by": row.written_by.name,
            "approved_by": row.approved_by.name if row.approved_by else None,
        }
        for row in rows.filter(number__in=numbers).order_by("number")
    ]


def _staff_names(messages: Sequence[Message], attempts: Sequence[ContactAttempt]) -> Json:
    """Return name and NMLS ID of staff in these messages and calls, by user or officer id."""
    user_ids = {message.by_id for message in messages if message.by_id}
    user_ids |= {attempt.by_id for attempt in attempts if attempt.by_id}
    officers = LoanOfficer.objects.filter(
        Q(pk__in={message.officer_id for message in messages if message.officer_id})
        | Q(user__in=user_ids)
    ).select_related("user")
    staff = {
        officer.user_id: {"name": officer.user.name, "nmls_id": officer.nmls_id}
        for officer in officers
    }
    staff |= {officer.pk: staff[officer.user_id] for officer in officers}
    for user in User.objects.filter(pk__in=user_ids - staff.keys()):
        staff[user.pk] = {"name": user.name, "nmls_id": ""}
    return {str(key): identity for key, identity in staff.items()}


def _list_inquiries(people: Sequence[Person]) -> list[Json]:
    """List the inquiries, each with the consent context that came with it."""
    rows = Touch.objects.filter(person__in=people).select_related("source").order_by("at", "id")
    return [
        {
            **export_row(row, ("id", "at")),
            "source": row.source.name,
            "consent": row.inquiry.get("consent"),
        }
        for row in rows
    ]


def export_delivery(delivery: Delivery) -> Json:
    """Export a stored delivery; Social Security and card numbers are already masked in it."""
    names = ("id", "received_at", "path", "headers", "body_sha256", "verification")
    return {
        **export_row(delivery, names),
        "source": delivery.source.name,
        "body": base64.b64encode(bytes(delivery.body)).decode(),
    }


def _ledger_proofs(events: Sequence[Event]) -> Json:
    """Return the ledger entries, each with its proof path to a published head, and those heads."""
    places = {event.sequence for event in events if event.sequence}
    proofs = {place: (head, path) for head, place, path in ledger_checkpoints.entry_proofs(places)}
    heads = {head.sequence: head for head, _ in proofs.values()}
    entries = _chain_entries(events)
    for entry in entries:
        if entry["sequence"] in proofs:
            head, path = proofs[entry["sequence"]]
            entry |= {"head": head.sequence, "path": path}
    return {
        "events": entries,
        "heads": [ledger_checkpoints.export_head(heads[key]) for key in sorted(heads)],
    }


def _chain_entries(events: Sequence[Event]) -> list[Json]:
    """Export the ledger entries, each with the hash of the link before it."""
    places = [event.sequence - 1 for event in events if event.sequence]
    previous_hashes = dict(
        Event.objects.filter(sequence__in=places).values_list("sequence", "chain_hash")
    ) | {0: GENESIS_HASH}
    return [
        {
            **export_row(event, (*HASHED_FIELDS, "person_place", "sequence", "chain_hash")),
            "previous": previous_hashes.get(event.sequence - 1) if event.sequence else None,
        }
        for event in events
    ]


def _ledger_summary(events: Sequence[Event]) -> Json:
    last = Event.objects.exclude(sequence=None).order_by("-sequence").first()
    return {
        "head_sequence": last.sequence if last else 0,
        "head_hash": last.chain_hash if last else GENESIS_HASH,
        "entries": len(events),
        "not_sealed_yet": sum(event.sequence is None for event in events),
        "of_each": {
            person: max((event.person_place or 0 for event in entries), default=0)
            for person, entries in groupby(sorted(events, key=_person_key), key=_person_key)
        },
    }


def _person_key(event: Event) -> str:
    return str(event.person_id)
