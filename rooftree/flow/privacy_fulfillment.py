"""Carrying out what a person asks about their data: a copy of it, a correction, its deletion.

What may go is the schedule's to say, and a hold wins over the person's wish too. Whoever asks
to be deleted is not contacted again, whether or not they ever asked us to stop.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture.identity import person_matching
from rooftree.capture.identity.address_keys import address_key
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
from rooftree.retention.purges import DatedRecord
from rooftree.retention.record_sets import RECORD_SETS

LEGAL_HOLD = "legal_hold"
CORRECTABLE_FIELDS = {  # columns of a person: what each is called, and how long it may be
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
    """It is all we hold about the person, as an archive to hand over. Raises `CannotAnswer`."""
    with transaction.atomic():
        request = privacy_requests.lock_request(request_id, kind="access")
        assert request.person_id is not None
        people = merged_person_ids(request.person_id)
        archive = subject_access_export.build_archive(people, actor=f"user:{by.pk}", at=at)
        privacy_requests.mark_carried_out(request_id, by=by, at=at)
    return archive


def correct_person(request_id: UUID, *, field: str, value: str, by: User, at: datetime) -> None:
    """Put right what we hold of the person; what their sources sent stays as evidence of it.

    Raises `CannotAnswer`.
    """
    value = " ".join(value.split())
    if field not in CORRECTABLE_FIELDS or not value:
        raise RequestRefused("Say what was wrong and what is right.")
    if field == "state":
        value = value.upper()
        if value not in STATES:
            raise RequestRefused("Write the state as two letters, such as CA.")
    if len(value) > CORRECTABLE_FIELDS[field][1]:
        raise RequestRefused(f"This holds at most {CORRECTABLE_FIELDS[field][1]} characters.")
    with transaction.atomic():
        request = privacy_requests.lock_request(request_id, kind="correction")
        assert request.person_id is not None
        person = Person.objects.select_for_update().get(pk=merged_person_ids(request.person_id)[0])
        was = getattr(person, field)
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
            request_id, by=by, at=at, field=field, was=was[:200], became=value
        )


def delete_person_data(request_id: UUID, *, by: User, at: datetime) -> Purge | None:
    """Stop all contact at once and let go of what may go; None when all of it must stay.

    Raises `CannotAnswer`.
    """
    with transaction.atomic():
        request = privacy_requests.lock_request(request_id, kind="deletion")
        assert request.person_id is not None
        people = merged_person_ids(request.person_id)
        _stop_contact(request, people, at=at)
        chosen, stays = _split_by_retention(people, at=at)
        privacy_requests.mark_carried_out(request_id, by=by, at=at, stays=stays)
        return purges.plan_request_purge(request, chosen, by=by, at=at)


def list_recipients(person_id: UUID) -> list[str]:
    """Who outside has the person's data from us: to be told of a correction or a deletion."""
    leads = Lead.objects.filter(person__in=merged_person_ids(person_id))
    files = Handoff.objects.filter(lead__in=leads, sent_at__isnull=False)
    partners = Introduction.objects.filter(delivery__touches__lead__in=leads)
    return sorted(
        {f"the loan file in {name}" for name in files.values_list("connection__name", flat=True)}
        | {f"the partner {name}" for name in partners.values_list("partner__user__name", flat=True)}
    )


def merged_person_ids(person_id: UUID) -> list[UUID]:
    """The person, and the records that were found to be them; of a part of one, all of it."""
    root = Person.objects.values_list("merged_into", flat=True).get(pk=person_id) or person_id
    parts = Person.objects.filter(merged_into=root).values_list("pk", flat=True)
    return [root, *parts]


def _split_by_retention(
    people: Sequence[UUID], *, at: datetime
) -> tuple[dict[str, list[UUID]], list[str]]:
    """What goes, by holding, and the classes of what stays."""
    chosen: dict[str, list[UUID]] = {}
    stays: set[str] = set()
    for holding in RECORD_SETS:
        records = purges.records_of_people(holding, people)
        kept = {record.id: record.retention_reason(at.date(), is_asked=True) for record in records}
        chosen[holding.name] = [key for key, why in kept.items() if why is None]
        stays |= {_retention_class(record, why) for record in records if (why := kept[record.id])}
    return chosen, sorted(stays)


def _retention_class(record: DatedRecord, why: tuple[str, str]) -> str:
    return LEGAL_HOLD if record.is_held else why[0]


def _stop_contact(request: PrivacyRequest, people: Sequence[UUID], *, at: datetime) -> None:
    """No sequence, no waiting message and no new one; an open loan file is still answered to."""
    leads = Lead.objects.filter(person__in=people).exclude(state="application")
    for lead_id in leads.values_list("pk", flat=True):
        sequence_enrollment.stop_sequence(lead_id=lead_id, because=DELETION_REASON, at=at)
        cancel_messages.cancel_overtaken(
            lead_id=lead_id, because=DELETION_REASON, at=at, causes=("",)
        )
    leads.filter(state__in=["new", "working", "nurture"]).update(
        state="retired", retired_at=at, retired_reason=DELETION_REASON, promise_at=None
    )
    if Lead.objects.filter(person__in=people, state="application").exists():
        return
    phones = Phone.objects.filter(person__in=people, unlinked_at=None)
    numbers = phones.values_list("e164", flat=True)
    mails = Email.objects.filter(person__in=people).values_list("key", flat=True)
    for address in [*numbers, *mails]:
        store_revocation.store_revocation(
            person_id=people[0],
            address=address,
            kind="do_not_contact",
            media=EMAIL_MEDIA if "@" in address else NUMBER_MEDIA,
            origin=f"request:{request.pk}",
            idempotency_key=f"request:{request.pk}:{address}",
            at=at,
        )
