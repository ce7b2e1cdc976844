"""Fulfillment of privacy requests: a copy of a person's data, a correction, a deletion.

The retention schedule decides what can be deleted, and a legal hold wins over a person's
request. A person who asks for deletion is not contacted again, even without an opt-out.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture.identity import person_matching
from rooftree.capture.identity.person_matching import address_key
from rooftree.compliance.consent import store_revocation
from rooftree.core.us_states import STATES
from rooftree.leads.models import Email, Introduction, Lead, Person, Phone
from rooftree.ledger.write_events import write_event
from rooftree.los.models import Handoff
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages
from rooftree.reporting.exports import subject_access_export
from rooftree.retention import privacy_requests, purges
from rooftree.retention.models import PrivacyRequest, Purge
from rooftree.retention.privacy_requests import RequestRefused
from rooftree.retention.record_sets import RECORD_SETS

LEGAL_HOLD = "legal_hold"
CORRECTABLE_FIELDS = {  # columns of a person: label and maximum length
    "first_name": ("First name", 120),
    "last_name": ("Last name", 120),
    "street": ("Street", 200),
    "city": ("City", 120),
    "state": ("State", 2),
    "zip": ("ZIP", 5),
}
NUMBER_MEDIA, EMAIL_MEDIA = ["call", "text", "voicemail"], ["email"]
DELETION_REASON = "asked to be deleted"


def build_copy(request_id: UUID, *, by: User, at: datetime) -> bytes:
    """Build an archive of all data about the person. Raises `RequestRefused`."""
    with transaction.atomic():
        request = privacy_requests.lock_request(request_id, kind="access")
        assert request.person_id is not None
        people = find_merged_person_ids(request.person_id)
        archive = subject_access_export.build_archive(people, actor=f"user:{by.pk}", at=at)
        privacy_requests.mark_carried_out(request_id, by=by, at=at)
    return archive


def correct_person(request_id: UUID, *, field: str, value: str, by: User, at: datetime) -> None:
    """Correct one field of a person; the data their sources sent stays as evidence.

    Raises `RequestRefused`.
    """
    value = " ".join(value.split())
    if field not in CORRECTABLE_FIELDS or not value:
        raise RequestRefused("Choose a field and enter the correct value.")
    if field == "state":
        value = value.upper()
        if value not in STATES:
            raise RequestRefused("Enter the state as two letters, such as CA.")
    if len(value) > CORRECTABLE_FIELDS[field][1]:
        raise RequestRefused(f"Enter at most {CORRECTABLE_FIELDS[field][1]} characters.")
    with transaction.atomic():
        request = privacy_requests.lock_request(request_id, kind="correction")
        assert request.person_id is not None
        person = Person.objects.select_for_update().get(
            pk=find_merged_person_ids(request.person_id)[0]
        )
        old_value = getattr(person, field)
        setattr(person, field, value)
        Person.objects.filter(pk=person.pk).update(
            **{field: value},
            name_key=person_matching.name_key(person.first_name, person.last_name),
            home_key=address_key(person.street, person.zip),
        )
        write_event(
            "leads.person.corrected", at=at, actor=f"user:{by.pk}", person_id=person.pk, field=field
        )
        privacy_requests.mark_carried_out(
            request_id, by=by, at=at, field=field, old_value=old_value[:200], new_value=value
        )


def delete_person_data(request_id: UUID, *, by: User, at: datetime) -> Purge | None:
    """Stop all contact at once and plan the deletion; None if everything has to be kept.

    Raises `RequestRefused`.
    """
    with transaction.atomic():
        request = privacy_requests.lock_request(request_id, kind="deletion")
        assert request.person_id is not None
        people = find_merged_person_ids(request.person_id)
        _stop_contact(request, people, at=at)
        removable, retention_classes = _split_by_retention(people, at=at)
        privacy_requests.mark_carried_out(request_id, by=by, at=at, kept_classes=retention_classes)
        return purges.plan_request_purge(request, removable, by=by, at=at)


def list_recipients(person_id: UUID) -> list[str]:
    """List outside recipients of a person's data, to be told of a correction or a deletion."""
    leads = Lead.objects.filter(person__in=find_merged_person_ids(person_id))
    files = Handoff.objects.filter(lead__in=leads, sent_at__isnull=False)
    partners = Introduction.objects.filter(delivery__touches__lead__in=leads)
    return sorted(
        {f"the loan file in {name}" for name in files.values_list("connection__name", flat=True)}
        | {f"the partner {name}" for name in partners.values_list("partner__user__name", flat=True)}
    )


def find_merged_person_ids(person_id: UUID) -> list[UUID]:
    """Return the ids of the surviving person and of every record merged into it, survivor first."""
    root = Person.objects.values_list("merged_into", flat=True).get(pk=person_id) or person_id
    parts = Person.objects.filter(merged_into=root).values_list("pk", flat=True)
    return [root, *parts]


def _split_by_retention(
    people: Sequence[UUID], *, at: datetime
) -> tuple[dict[str, list[UUID]], list[str]]:
    """Return the removable records by record set, and the retention classes of the others."""
    removable: dict[str, list[UUID]] = {}
    retention_classes: set[str] = set()
    for record_set in RECORD_SETS:
        removable[record_set.name] = []
        for record in purges.records_of_people(record_set, people):
            reason = record.retention_reason(at.date(), is_requested=True)
            if reason is None:
                removable[record_set.name].append(record.id)
            else:
                retention_classes.add(LEGAL_HOLD if record.is_held else reason[0])
    return removable, sorted(retention_classes)


def _stop_contact(request: PrivacyRequest, people: Sequence[UUID], *, at: datetime) -> None:
    """End sequences, cancel queued messages and block new ones.

    A person with an open loan file can still be contacted about it.
    """
    leads = Lead.objects.filter(person__in=people).exclude(state="application")
    for lead_id in leads.values_list("pk", flat=True):
        sequence_enrollment.stop_sequence(lead_id=lead_id, because=DELETION_REASON, at=at)
        cancel_messages.cancel_overtaken(
            lead_id=lead_id, because=DELETION_REASON, at=at, causes=("",)
        )
    leads.filter(state__in=["new", "working", "nurture"]).update(
        state="retired", retired_at=at, retired_reason=DELETION_REASON, response_due_at=None
    )
    if Lead.objects.filter(person__in=people, state="application").exists():
        return
    phones = Phone.objects.filter(person__in=people, unlinked_at=None)
    numbers = phones.values_list("e164", flat=True)
    emails = Email.objects.filter(person__in=people).values_list("key", flat=True)
    for address in [*numbers, *emails]:
        store_revocation.store_revocation(
            person_id=people[0],
            address=address,
            kind="do_not_contact",
            media=EMAIL_MEDIA if "@" in address else NUMBER_MEDIA,
            origin=f"request:{request.pk}",
            idempotency_key=f"request:{request.pk}:{address}",
            at=at,
        )
