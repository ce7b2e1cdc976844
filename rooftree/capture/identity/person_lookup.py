"""Lookup of people on file by phone number, email address, vendor's id, name or street address.

Every lookup uses a stored, normalized column with its own index.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from rooftree.capture.identity import person_matching
from rooftree.db.statements import execute, query_rows
from rooftree.leads.models import Lead, Person, Source, Touch

MAX_ARRIVALS = 20  # of one vendor id; a vendor that repeats an id forever must not slow intake

LOCK_SQL = """
select pg_advisory_xact_lock(hashtextextended(name, 71))
  from unnest(%s::text[]) with ordinality as named (name, place) order by place
"""

# A person who was merged into another is returned as that other person. A vendor key is the
# adapter and the vendor's id with a colon between. The number of keys is hidden from the
# planner: see `db.prepared_queries`.
KNOWN_KEYS_SQL = """
select held.kind, held.said, coalesce(person.merged_into_id, person.id)
  from (select 'phone' as kind, e164 as said, person_id
          from phone where e164 = any((select %(phone)s::text[])::text[]) and unlinked_at is null
         union all
        select 'email', key, person_id from email
         where key = any((select %(email)s::text[])::text[])) held
  join person on person.id = held.person_id
 union all
select 'vendor', said, null from unnest((select %(vendor)s::text[])) said
 where exists (select from touch
                where source_id in (select id from source where adapter = split_part(said, ':', 1))
                  and vendor_lead_id = substr(said, strpos(said, ':') + 1))
"""


def contact_match_keys(identity: person_matching.Identity) -> list[str]:
    """Return an identity's match keys: its phone numbers and email addresses."""
    return [f"phone:{phone}" for phone in identity.phones] + [
        f"email:{email}" for email in identity.emails
    ]


def vendor_match_key(adapter: str, vendor_lead_id: str) -> str:
    """Return the match key of a vendor's lead id."""
    return f"vendor:{adapter}:{vendor_lead_id}"


def lock_match_keys(keys: Iterable[str]) -> None:
    """Lock match keys until commit, so that two transactions never match the same key at once."""
    execute(LOCK_SQL, [sorted(keys)])  # always in one order, to avoid deadlocks


def people_by_match_key(keys: Iterable[str]) -> dict[str, list[UUID]]:
    """Return the keys that are on file, each with the ids of the people who have it.

    A vendor key that was seen before is returned with the value None instead of ids.
    """
    by_kind: dict[str, list[str]] = {"phone": [], "email": [], "vendor": []}
    for key in keys:
        kind, _, value = key.partition(":")
        by_kind[kind].append(value)
    ids_by_key: dict[str, list[UUID]] = {}
    for kind, value, person_id in query_rows(KNOWN_KEYS_SQL, by_kind):
        ids_by_key.setdefault(f"{kind}:{value}", []).append(person_id)
    return ids_by_key


def ids_sharing_contact(identity: person_matching.Identity) -> set[UUID]:
    """Return the ids of people who have one of these phones, still linked, or emails."""
    return {
        person_id
        for ids in people_by_match_key(contact_match_keys(identity)).values()
        for person_id in ids
    }


def find_people(
    identities: Sequence[tuple[person_matching.Identity, bool]],
) -> list[person_matching.PersonMatch | None]:
    """Return for each identity the same person on file; None if there is none.

    Args:
        identities: each with whether it is a test.
    """
    ids_by_key = people_by_match_key(
        {key for identity, _ in identities for key in contact_match_keys(identity)}
    )
    candidate_ids = [
        [person_id for key in contact_match_keys(identity) for person_id in ids_by_key.get(key, ())]
        for identity, _ in identities
    ]
    all_ids = {person_id for ids in candidate_ids for person_id in ids}
    people_by_is_test = {
        is_test: load_candidates(all_ids, is_test=is_test)
        for is_test in {is_test for _, is_test in identities}
    }
    return [
        person_matching.best_match(
            identity,
            [
                candidate
                for person_id in ids
                for candidate in people_by_is_test[is_test].get(person_id, ())
            ],
        )
        for (identity, is_test), ids in zip(identities, candidate_ids, strict=True)
    ]


def load_candidates(
    person_ids: Iterable[UUID], *, is_test: bool
) -> dict[UUID, list[person_matching.Candidate]]:
    """Return people's candidates by id; only test people or only real people."""
    people = filter_by_is_test(Person.objects.filter(pk__in=set(person_ids)), is_test=is_test)
    return {person.pk: person_candidates(person) for person in with_contacts(people)}


def filter_by_is_test(people: QuerySet[Person], *, is_test: bool) -> QuerySet[Person]:
    """Keep only test people or only real people; a test is never matched with a real person."""
    other_leads = Lead.objects.filter(is_test=not is_test)
    as_borrower = other_leads.filter(person=OuterRef("pk"))
    as_co_borrower = other_leads.filter(co_borrower=OuterRef("pk"))
    return people.exclude(Exists(as_borrower)).exclude(Exists(as_co_borrower))


def with_contacts(people: QuerySet[Person]) -> QuerySet[Person]:
    """Prefetch all that `person_candidates` reads."""
    return people.prefetch_related("phones", "emails", "absorbed")


def person_candidates(person: Person) -> list[person_matching.Candidate]:
    """Return one candidate for the person's name and one for each person merged into it."""
    phones = frozenset(phone.e164 for phone in person.phones.all() if not phone.unlinked_at)
    emails = frozenset(email.key for email in person.emails.all())
    return [
        person_matching.Candidate(
            person_id=person.pk,
            identity=person_matching.Identity(
                first_name=name.first_name,
                last_name=name.last_name,
                suffix=name.suffix,
                phones=phones,
                emails=emails,
            ),
        )
        for name in (person, *person.absorbed.all())
    ]


def find_lead_by_vendor_id(
    vendor_lead_id: str, identity: person_matching.Identity, source: Source, *, is_test: bool
) -> tuple[Lead, str] | None:
    """Return the lead this vendor sent under this id before, with the evidence of the match.

    A vendor's id is unique within one account, and each of our sources is one account: there
    the id alone is enough. Another source of the same vendor can use the id for somebody else,
    so a phone or email and a similar name must match as well.
    """
    vendor_sources = Source.objects.filter(adapter=source.adapter).values_list("pk", flat=True)
    touches = list(
        Touch.objects.filter(
            source__in=list(vendor_sources), vendor_lead_id=vendor_lead_id, lead__is_test=is_test
        )
        .select_related("lead__person")
        .order_by("-at", "-id")[:MAX_ARRIVALS]
    )
    for touch in touches:
        if touch.source_id == source.pk:
            return touch.lead, "same vendor id"
    for touch in touches:
        people = with_contacts(Person.objects.filter(pk=touch.lead.person_id))
        candidates = [candidate for person in people for candidate in person_candidates(person)]
        if match := person_matching.best_match(identity, candidates):
            return touch.lead, f"same vendor id, {match.evidence}"
    return None


def ids_by_name(keys: Iterable[str], *, limit: int) -> list[UUID]:
    """Return the ids of people with one of these names, by `person_matching.name_key`."""
    name_keys = [key for key in keys if key]
    rows = Person.objects.filter(name_key__in=name_keys, merged_into=None) if name_keys else None
    return [] if rows is None else list(rows.values_list("pk", flat=True)[:limit])


def ids_by_address(keys: Iterable[str], *, limit: int) -> set[UUID]:
    """Return the ids of people whose home or property has one of these `address_key`s."""
    address_keys = [key for key in keys if key]
    if not address_keys:
        return set()
    residents = Person.objects.filter(home_key__in=address_keys).values_list("pk", flat=True)
    applicants = Lead.objects.filter(property_key__in=address_keys).values_list(
        "person_id", flat=True
    )
    return {*residents[:limit], *applicants[:limit]}
