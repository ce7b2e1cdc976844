"""Carrying out what a person asks about their data: a copy of it, a correction, its deletion.

What may go is the schedule's to say, and a hold wins over the person's wish too. Whoever asks
to be deleted is not contacted again, whether or not they ever asked us to stop.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.capture import match
from rooftree.capture.places import address_key
from rooftree.compliance import revoke
from rooftree.compliance.keeping import purges, requests
from rooftree.compliance.keeping.holdings import HOLDINGS
from rooftree.compliance.keeping.models import PrivacyRequest, Purge
from rooftree.compliance.keeping.purges import Record
from rooftree.compliance.keeping.requests import CannotAnswer
from rooftree.core.states import STATES
from rooftree.leads.models import Email, Introduction, Lead, Person, Phone
from rooftree.ledger.write import write
from rooftree.los.models import Handoff
from rooftree.nurture import enrol
from rooftree.org.models import User
from rooftree.outreach import take_back
from rooftree.reporting import own_file

HELD = "legal_hold"
FIELDS = {  # columns of a person: what each is called, and how long it may be
    "first_name": ("First name", 120),
    "last_name": ("Last name", 120),
    "street": ("Street", 200),
    "city": ("City", 120),
    "state": ("State", 2),
    "zip": ("ZIP", 5),
}
OF_NUMBER, OF_ADDRESS = ["call", "text", "voicemail"], ["email"]
REASON = "asked to be deleted"


def copy_for(request_id: UUID, *, by: User, at: datetime) -> bytes:
    """It is all we hold about the person, as an archive to hand over. Raises `CannotAnswer`."""
    with transaction.atomic():
        request = requests.to_carry_out(request_id, kind="access")
        assert request.person_id is not None
        people = whole(request.person_id)
        archive = own_file.make(people, actor=f"user:{by.pk}", at=at)
        requests.carried(request_id, by=by, at=at)
    return archive


def correct(request_id: UUID, *, field: str, value: str, by: User, at: datetime) -> None:
    """Put right what we hold of the person; what their sources sent stays as evidence of it.

    Raises `CannotAnswer`.
    """
    value = " ".join(value.split())
    if field not in FIELDS or not value:
        raise CannotAnswer("Say what was wrong and what is right.")
    if field == "state":
        value = value.upper()
        if value not in STATES:
            raise CannotAnswer("Write the state as two letters, such as CA.")
    if len(value) > FIELDS[field][1]:
        raise CannotAnswer(f"This holds at most {FIELDS[field][1]} characters.")
    with transaction.atomic():
        request = requests.to_carry_out(request_id, kind="correction")
        assert request.person_id is not None
        person = Person.objects.select_for_update().get(pk=whole(request.person_id)[0])
        was = getattr(person, field)
        setattr(person, field, value)
        Person.objects.filter(pk=person.pk).update(
            **{field: value},
            name_key=match.name_key(person.first_name, person.last_name),
            home_key=address_key(person.street, person.zip),
        )
        write(
            "leads.person.corrected", at=at, actor=f"user:{by.pk}", person_id=person.pk, field=field
        )
        requests.carried(request_id, by=by, at=at, field=field, was=was[:200], became=value)


def delete(request_id: UUID, *, by: User, at: datetime) -> Purge | None:
    """Stop all contact at once and let go of what may go; None when all of it must stay.

    Raises `CannotAnswer`.
    """
    with transaction.atomic():
        request = requests.to_carry_out(request_id, kind="deletion")
        assert request.person_id is not None
        people = whole(request.person_id)
        _leave_alone(request, people, at=at)
        chosen, stays = _sorted(people, at=at)
        requests.carried(request_id, by=by, at=at, stays=stays)
        return purges.plan_of_request(request, chosen, by=by, at=at)


def handed_to(person_id: UUID) -> list[str]:
    """Who outside has the person's data from us: to be told of a correction or a deletion."""
    leads = Lead.objects.filter(person__in=whole(person_id))
    files = Handoff.objects.filter(lead__in=leads, sent_at__isnull=False)
    partners = Introduction.objects.filter(delivery__touches__lead__in=leads)
    return sorted(
        {f"the loan file in {name}" for name in files.values_list("connection__name", flat=True)}
        | {f"the partner {name}" for name in partners.values_list("partner__user__name", flat=True)}
    )


def whole(person_id: UUID) -> list[UUID]:
    """The person, and the records that were found to be them; of a part of one, all of it."""
    root = Person.objects.values_list("merged_into", flat=True).get(pk=person_id) or person_id
    parts = Person.objects.filter(merged_into=root).values_list("pk", flat=True)
    return [root, *parts]


def _sorted(people: Sequence[UUID], *, at: datetime) -> tuple[dict[str, list[UUID]], list[str]]:
    """What goes, by holding, and the classes of what stays."""
    chosen: dict[str, list[UUID]] = {}
    stays: set[str] = set()
    for holding in HOLDINGS:
        records = purges.of_people(holding, people)
        kept = {one.id: one.kept_by(at.date(), is_asked=True) for one in records}
        chosen[holding.name] = [key for key, why in kept.items() if why is None]
        stays |= {_class_of(one, why) for one in records if (why := kept[one.id])}
    return chosen, sorted(stays)


def _class_of(record: Record, why: tuple[str, str]) -> str:
    return HELD if record.is_held else why[0]


def _leave_alone(request: PrivacyRequest, people: Sequence[UUID], *, at: datetime) -> None:
    """No sequence, no waiting message and no new one; an open loan file is still answered to."""
    leads = Lead.objects.filter(person__in=people).exclude(state="application")
    for lead_id in leads.values_list("pk", flat=True):
        enrol.stop(lead_id=lead_id, because=REASON, at=at)
        take_back.cancel_waiting(lead_id=lead_id, because=REASON, at=at, causes=("",))
    leads.filter(state__in=["new", "working", "nurture"]).update(
        state="retired", retired_at=at, retired_reason=REASON, promise_at=None
    )
    if Lead.objects.filter(person__in=people, state="application").exists():
        return
    phones = Phone.objects.filter(person__in=people, unlinked_at=None)
    numbers = phones.values_list("e164", flat=True)
    mails = Email.objects.filter(person__in=people).values_list("key", flat=True)
    for address in [*numbers, *mails]:
        revoke.record(
            person_id=people[0], address=address, kind="do_not_contact",
            media=OF_ADDRESS if "@" in address else OF_NUMBER,
            origin=f"request:{request.pk}", cause=f"request:{request.pk}:{address}", at=at,
        )  # fmt: skip
