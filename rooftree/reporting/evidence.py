"""Everything on file about one number or address, in the form a machine reads.

Nobody else's words, numbers or verdicts are in it: what belongs to the people
who have, or had, this number or address, and nothing more.
"""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Model, Q

from rooftree.capture.models import FormCertificate, FormPage
from rooftree.compliance import listed
from rooftree.compliance.amending.models import RuleChange
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.compliance.numbers.models import NumberQuestion
from rooftree.compliance.rulebook import VERSION
from rooftree.leads.models import ContactAttempt, Delivery, Person, Touch
from rooftree.ledger.chain import FIELDS, FIRST
from rooftree.ledger.models import Event
from rooftree.org.models import Company, LoanOfficer, User
from rooftree.outreach.editions import sha256
from rooftree.outreach.models import CallRecording, Message, Template
from rooftree.reporting import heads

FORMAT = "rooftree-evidence-2"
type Json = dict[str, Any]


def gather(address: str, *, at: datetime) -> Json:
    """It is the file of one number (E.164) or e-mail key, oldest first throughout."""
    people = list(_people(address))
    consents = list(Consent.objects.filter(Q(address=address) | Q(person__in=people)))
    deliveries = Delivery.objects.filter(pk__in={one.delivery_id for one in consents})
    events = list(
        Event.objects.filter(person_id__in=[one.pk for one in people]).order_by("sequence", "id")
    )
    messages = list(Message.objects.filter(person__in=people))
    attempts = list(ContactAttempt.objects.filter(person__in=people))
    editions = Template.objects.select_related("written_by", "decided_by").filter(
        pk__in={one.template_id for one in messages if one.template_id} | _opened_with(events)
    )
    return {
        "format": FORMAT,
        "subject": address,
        "made_at": _plain(at),
        "rules_version": VERSION,
        "company": _row(Company.objects.get(), ("legal_name", "nmls_id", "postal_address", "zone")),
        "people": [_row(one, ("id", "first_name", "last_name", "created_at")) for one in people],
        "staff": _staff(messages, attempts),
        "inquiries": _inquiries(people),
        "consents": rows_of(consents, "captured_at", "recorded_at"),
        "deliveries": [delivery_of(one) for one in deliveries.select_related("source")],
        **_of_forms(people),
        "revocations": rows_of(
            Revocation.objects.filter(Q(address=address) | Q(person__in=people)), "at"
        ),
        **_of_number(address),
        "messages": rows_of(messages, "created_at"),
        "editions": [_edition(one) for one in editions.order_by("from_at", "pk")],
        "attempts": rows_of(attempts, "at"),
        "recordings": rows_of(
            CallRecording.objects.filter(attempt__person__in=people), "told_at", "asked_at"
        ),
        "verdicts": (verdicts := rows_of(Verdict.objects.filter(person__in=people), "at")),
        "rule_changes": _rule_changes(verdicts),
        **_proved(events),
        "ledger": _head(events),
    }


def _opened_with(events: Iterable[Event]) -> set[UUID]:
    """The editions of the words that whoever called them had before them."""
    return {UUID(one.data["opening"]) for one in events if "opening" in one.data}


def _of_number(address: str) -> Json:
    """What the lists say of a number now, and what a vendor answered about it."""
    answered = NumberQuestion.objects.filter(number=address, answered_at__isnull=False)
    return {
        "lists": [
            {
                "list": one.registry,
                "dated": one.dated.isoformat(),
                "is_listed": one.is_listed,
                "by": one.by,
            }
            for one in listed.says(address)
        ],
        "number_checks": rows_of(answered, "answered_at"),
    }


def _people(address: str) -> Iterable[Person]:
    has = Q(emails__key=address) if "@" in address else Q(phones__e164=address)
    return Person.objects.filter(has).distinct().order_by("created_at", "id")


def rows_of(found: Iterable[Model], *order: str) -> list[Json]:
    """Every column of the rows, as JSON values, in order."""
    rows = [_row(one, [field.attname for field in one._meta.concrete_fields]) for one in found]
    return sorted(rows, key=lambda one: [*(str(one[name] or "") for name in order), one["id"]])


def _row(one: Model, names: Sequence[str]) -> Json:
    return {name: _plain(getattr(one, name)) for name in names}


def _of_forms(people: Sequence[Person]) -> Json:
    """What our own form showed them and what they did there, with the pages as rendered."""
    rows = FormCertificate.objects.filter(touch__person__in=people).order_by("made_at", "id")
    certificates = [_row(one, ("id", "facts", "sha256", "made_at")) for one in rows]
    shown = {one["facts"]["shown"]["page_sha256"] for one in certificates}
    pages = FormPage.objects.filter(pk__in=shown).order_by("sha256")
    return {
        "form_certificates": certificates,
        "form_pages": [_row(one, ("sha256", "html", "shown_at")) for one in pages],
    }


def _rule_changes(verdicts: Iterable[Json]) -> list[Json]:
    """The company's changes of rules among their facts, with who wrote and who approved each."""
    numbers = {
        one["number"] for verdict in verdicts for one in verdict["facts"].get("amendments", ())
    }
    rows = RuleChange.objects.select_related("written_by", "approved_by")
    names = [
        *("number", "place", "item", "value", "from_date", "cite", "why", "is_looser"),
        *("counsel", "written_at", "approved_at"),
    ]
    return [
        {
            **_row(one, names),
            "written_by": one.written_by.name,
            "approved_by": one.approved_by.name if one.approved_by else None,
        }
        for one in rows.filter(number__in=numbers).order_by("number")
    ]


def _staff(messages: Sequence[Message], attempts: Sequence[ContactAttempt]) -> Json:
    """Who of ours wrote, called or is named in a message, by the id that stands there."""
    users = {one.by_id for one in messages if one.by_id}
    users |= {one.by_id for one in attempts if one.by_id}
    officers = LoanOfficer.objects.filter(
        Q(pk__in={one.officer_id for one in messages if one.officer_id}) | Q(user__in=users)
    ).select_related("user")
    found = {one.user_id: {"name": one.user.name, "nmls_id": one.nmls_id} for one in officers}
    found |= {one.pk: found[one.user_id] for one in officers}
    for user in User.objects.filter(pk__in=users - found.keys()):
        found[user.pk] = {"name": user.name, "nmls_id": ""}
    return {str(key): named for key, named in found.items()}


def _inquiries(people: Sequence[Person]) -> list[Json]:
    """Each time they asked, and what came with it about their consent."""
    rows = Touch.objects.filter(person__in=people).select_related("source").order_by("at", "id")
    return [
        {
            **_row(one, ("id", "at")),
            "source": one.source.name,
            "consent": one.inquiry.get("consent"),
        }
        for one in rows
    ]


def _edition(one: Template) -> Json:
    """The wording that messages were made from, word for word, and its approval."""
    names = [
        *("id", *Template.PLACE, "version", "subject", "body", "summary"),
        *("written_at", "decided_at", "is_alone", "from_at", "until_at", "approved_until"),
    ]
    who = {"written_by": one.written_by, "decided_by": one.decided_by}
    return {
        **_row(one, names),
        **{key: user.name if user else None for key, user in who.items()},
        "sha256": sha256(one),
    }


def delivery_of(one: Delivery) -> Json:
    """What the source sent, as it was kept: without numbers of social security and cards."""
    names = ("id", "received_at", "path", "headers", "body_sha256", "verification")
    return {
        **_row(one, names),
        "source": one.source.name,
        "body": base64.b64encode(bytes(one.body)).decode(),
    }


def _proved(events: Sequence[Event]) -> Json:
    """The entries, each with its path to the published head it is under, and those heads."""
    places = {one.sequence for one in events if one.sequence}
    found = {place: (head, path) for head, place, path in heads.proofs(places)}
    above = {head.sequence: head for head, _ in found.values()}
    chained = _chained(events)
    for one in chained:
        if one["sequence"] in found:
            head, path = found[one["sequence"]]
            one |= {"head": head.sequence, "path": path}
    return {"events": chained, "heads": [heads.exported(above[key]) for key in sorted(above)]}


def _chained(events: Sequence[Event]) -> list[Json]:
    """The ledger's entries about these people, each with the link before it."""
    places = [one.sequence - 1 for one in events if one.sequence]
    before = dict(
        Event.objects.filter(sequence__in=places).values_list("sequence", "chain_hash")
    ) | {0: FIRST}
    return [
        {
            **_row(one, (*FIELDS, "person_place", "sequence", "chain_hash")),
            "previous": before.get(one.sequence - 1) if one.sequence else None,
        }
        for one in events
    ]


def _head(events: Sequence[Event]) -> Json:
    last = Event.objects.exclude(sequence=None).order_by("-sequence").first()
    return {
        "head_sequence": last.sequence if last else 0,
        "head_hash": last.chain_hash if last else FIRST,
        "entries": len(events),
        "not_sealed_yet": sum(one.sequence is None for one in events),
        "of_each": {
            person: max((one.person_place or 0 for one in of), default=0)
            for person, of in groupby(sorted(events, key=_person), key=_person)
        },
    }


def _person(event: Event) -> str:
    return str(event.person_id)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value
