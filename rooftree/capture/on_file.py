"""Who on file could be meant: by a number or an address, by the vendor's own id, by name.

Every look-up goes by a stored, normalised column with an index of its own; their plans are
held to that by `tests/capture/test_plans.py` and, with a million people, by the benchmark.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from rooftree.capture import match
from rooftree.leads.models import Lead, Person, Source, Touch

MOST_ARRIVALS = 20  # of one vendor id; a vendor that repeats one for ever must not slow intake

MUTEX = """
select pg_advisory_xact_lock(hashtextextended(name, 71))
  from unnest(%s::text[]) with ordinality as named (name, place) order by place
"""

# Somebody merged into another person is looked for as that person.
WHOSE = """
select distinct coalesce(person.merged_into_id, person.id)
  from (select person_id from phone where e164 = any(%s) and unlinked_at is null
         union
        select person_id from email where key = any(%s)) held
  join person on person.id = held.person_id
"""


def hold(identity: match.Identity, also: str = "") -> None:
    """Let nobody else decide, until we commit, whose these numbers and addresses are.

    Args:
        also: one more name to hold, such as a vendor's id.
    """
    names = [f"phone:{one}" for one in identity.phones]
    names += [f"email:{one}" for one in identity.emails]
    names += [also] if also else []
    with connection.cursor() as cursor:
        cursor.execute(MUTEX, [sorted(names)])  # one order for all: no two wait for each other


def sharing(identity: match.Identity) -> list[UUID]:
    """The people who have one of these numbers, still theirs, or one of these addresses."""
    with connection.cursor() as cursor:
        cursor.execute(WHOSE, [list(identity.phones), list(identity.emails)])
        return [one for (one,) in cursor.fetchall()]


def candidates(identity: match.Identity, *, is_test: bool) -> list[match.Candidate]:
    """Everybody who shares a number or an address, under each name they are known by."""
    ids = sharing(identity)
    people = Person.objects.filter(pk__in=ids).exclude(leads__is_test=not is_test)
    return [one for person in loaded(people) for one in known_as(person)] if ids else []


def loaded(people: QuerySet[Person]) -> QuerySet[Person]:
    """The people with all that `known_as` reads."""
    return people.prefetch_related("phones", "emails", "absorbed")


def known_as(person: Person) -> list[match.Candidate]:
    """One candidate for the person's name and one for each name merged into it."""
    phones = frozenset(one.e164 for one in person.phones.all() if not one.unlinked_at)
    emails = frozenset(one.key for one in person.emails.all())
    return [
        match.Candidate(
            person_id=person.pk,
            identity=match.Identity(
                first_name=name.first_name, last_name=name.last_name, phones=phones, emails=emails
            ),
        )
        for name in (person, *person.absorbed.all())
    ]


def told_by_vendor_id(
    vendor_lead_id: str, identity: match.Identity, source: Source, *, is_test: bool
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
        .select_related("lead")
        .order_by("-at", "-id")[:MOST_ARRIVALS]
    )
    for touch in arrivals:
        if touch.source_id == source.pk:
            return touch.lead, "same vendor id"
    for touch in arrivals:
        people = loaded(Person.objects.filter(pk=touch.lead.person_id))
        if found := match.best_match(identity, _all_names(people)):
            return touch.lead, f"same vendor id, {found.evidence}"
    return None


def named(keys: Iterable[str], *, limit: int) -> list[UUID]:
    """The people with one of these names, as `match.plain_name` writes them."""
    wanted = [one for one in keys if one]
    rows = Person.objects.filter(name_key__in=wanted, merged_into=None) if wanted else None
    return [] if rows is None else list(rows.values_list("pk", flat=True)[:limit])


def _all_names(people: Iterable[Person]) -> list[match.Candidate]:
    return [one for person in people for one in known_as(person)]
