"""Who on file could be meant: by a number or an address, by the vendor's own id, by name.

Every look-up goes by a stored, normalised column with an index of its own.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from rooftree.capture.identity import person_matching
from rooftree.leads.models import Lead, Person, Source, Touch

MAX_ARRIVALS = 20  # of one vendor id; a vendor that repeats one for ever must not slow intake

LOCK_SQL = """
select pg_advisory_xact_lock(hashtextextended(name, 71))
  from unnest(%s::text[]) with ordinality as named (name, place) order by place
"""

# Somebody merged into another person is looked for as that person. Of a vendor's id we hold
# its adapter and itself, with a colon between. How many
# there are is hidden from the planner: see `org.compiled`.
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
    """What an inquiry could have in common with somebody: its numbers and addresses."""
    return [f"phone:{phone}" for phone in identity.phones] + [
        f"email:{email}" for email in identity.emails
    ]


def vendor_match_key(adapter: str, vendor_lead_id: str) -> str:
    """The same of the id that a vendor gave it."""
    return f"vendor:{adapter}:{vendor_lead_id}"


def lock_match_keys(names: Iterable[str]) -> None:
    """Let nobody else decide, until we commit, whose these numbers, addresses and ids are."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_SQL, [sorted(names)])  # one order for all: no two wait for each other


def people_by_match_key(names: Iterable[str]) -> dict[str, list[UUID]]:
    """Those of some names that anybody on file has, with the people who have them.

    Of a vendor's id only that it was seen before.
    """
    asked: dict[str, list[str]] = {"phone": [], "email": [], "vendor": []}
    for name in names:
        kind, _, said = name.partition(":")
        asked[kind].append(said)
    found: dict[str, list[UUID]] = {}
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_KEYS_SQL, asked)
        for kind, said, person_id in cursor.fetchall():
            found.setdefault(f"{kind}:{said}", []).append(person_id)
    return found


def ids_sharing_contact(identity: person_matching.Identity) -> set[UUID]:
    """The people who have one of these numbers, still theirs, or one of these addresses."""
    return {
        who
        for people in people_by_match_key(contact_match_keys(identity)).values()
        for who in people
    }


def find_people(
    asked: Sequence[tuple[person_matching.Identity, bool]],
) -> list[person_matching.PersonMatch | None]:
    """For each the person on file who is the same human, if there is one.

    Args:
        asked: by what they are known, and whether they are a test.
    """
    found = people_by_match_key({name for one, _ in asked for name in contact_match_keys(one)})
    sharing = [
        [who for name in contact_match_keys(one) for who in found.get(name, ())] for one, _ in asked
    ]
    everybody = {who for theirs in sharing for who in theirs}
    worlds = {
        one: load_candidates(everybody, is_test=one) for one in {is_test for _, is_test in asked}
    }
    return [
        person_matching.best_match(
            one, [name for who in theirs for name in worlds[is_test].get(who, ())]
        )
        for (one, is_test), theirs in zip(asked, sharing, strict=True)
    ]


def load_candidates(
    person_ids: Iterable[UUID], *, is_test: bool
) -> dict[UUID, list[person_matching.Candidate]]:
    """Some people, under each name they are known by; without those of the other world."""
    people = filter_by_is_test(Person.objects.filter(pk__in=set(person_ids)), is_test=is_test)
    return {
        with_contact.pk: person_candidates(with_contact) for with_contact in with_contacts(people)
    }


def filter_by_is_test(people: QuerySet[Person], *, is_test: bool) -> QuerySet[Person]:
    """Those of them who are people, or those who are tests; a test is never taken for a person."""
    strangers = Lead.objects.filter(is_test=not is_test)
    applied = strangers.filter(person=OuterRef("pk"))
    joined = strangers.filter(co_borrower=OuterRef("pk"))
    return people.exclude(Exists(applied)).exclude(Exists(joined))


def with_contacts(people: QuerySet[Person]) -> QuerySet[Person]:
    """The people with all that `known_as` reads."""
    return people.prefetch_related("phones", "emails", "absorbed")


def person_candidates(person: Person) -> list[person_matching.Candidate]:
    """One candidate for the person's name and one for each name merged into it."""
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
    """The lead that this vendor has sent under this id before, with the evidence.

    An id is unique at one account with the vendor, and each of our sources is an account: there
    the id alone is enough. Another source of the same vendor may use it for somebody else, so
    a number or address and a near name must agree with it.
    """
    vendors = Source.objects.filter(adapter=source.adapter).values_list("pk", flat=True)
    arrivals = list(
        Touch.objects.filter(
            source__in=list(vendors), vendor_lead_id=vendor_lead_id, lead__is_test=is_test
        )
        .select_related("lead__person")
        .order_by("-at", "-id")[:MAX_ARRIVALS]
    )
    for touch in arrivals:
        if touch.source_id == source.pk:
            return touch.lead, "same vendor id"
    for touch in arrivals:
        people = with_contacts(Person.objects.filter(pk=touch.lead.person_id))
        if found := person_matching.best_match(identity, _all_candidates(people)):
            return touch.lead, f"same vendor id, {found.evidence}"
    return None


def ids_by_name(keys: Iterable[str], *, limit: int) -> list[UUID]:
    """The people with one of these names, as `match.plain_name` writes them."""
    wanted = [key for key in keys if key]
    rows = Person.objects.filter(name_key__in=wanted, merged_into=None) if wanted else None
    return [] if rows is None else list(rows.values_list("pk", flat=True)[:limit])


def ids_by_address(keys: Iterable[str], *, limit: int) -> set[UUID]:
    """The people who live at one of these addresses or ask about one, by `places.address_key`."""
    wanted = [key for key in keys if key]
    if not wanted:
        return set()
    homes = Person.objects.filter(home_key__in=wanted).values_list("pk", flat=True)
    asked = Lead.objects.filter(property_key__in=wanted).values_list("person_id", flat=True)
    return {*homes[:limit], *asked[:limit]}


def _all_candidates(people: Iterable[Person]) -> list[person_matching.Candidate]:
    return [person_candidate for person in people for person_candidate in person_candidates(person)]
