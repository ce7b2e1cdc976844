"""Who else on file may be the same human, or of the same household; shown to staff, who decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from rooftree.capture import match, on_file
from rooftree.leads.models import Lead, Person, PersonMerge

MOST_NAMESAKES = 50  # of one name; more are not looked at, a common name proves little
SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Somebody else on file, and what speaks for it."""

    person: Person
    why: str  # fit to show
    is_household: bool  # a number or address in common, and another name: another human


def alike(person: Person) -> list[Alike]:
    """Those who may be this person, then those of the household; the older records first.

    Whom staff has taken apart is not proposed again. Pure but for reading.
    """
    ours = on_file.known_as(person)
    shared = match.Identity(
        phones=frozenset().union(*(one.identity.phones for one in ours)),
        emails=frozenset().union(*(one.identity.emails for one in ours)),
    )
    names = {match.name_key(one.identity.first_name, one.identity.last_name) for one in ours}
    namesakes = on_file.named(_whole(names), limit=MOST_NAMESAKES)
    ids = {*on_file.sharing(shared), *namesakes} - {person.pk} - _told_apart(person)
    others = on_file.loaded(Person.objects.filter(pk__in=ids)).order_by("created_at", "pk")
    places = _places([person.pk, *ids])
    found = [
        one for other in others if (one := _judge(ours, shared, other, places[person.pk], places))
    ]
    return sorted(found, key=lambda one: one.is_household)[:SHOWN]


def _judge(
    ours: Sequence[match.Candidate],
    shared: match.Identity,
    other: Person,
    here: set[str],
    places: dict[UUID, set[str]],
) -> Alike | None:
    theirs = on_file.known_as(other)
    for one in ours:
        if found := match.best_match(one.identity, theirs):
            return Alike(person=other, why=found.evidence, is_household=False)
    if why := _common(shared, theirs[0].identity):
        return Alike(person=other, why=why, is_household=True)
    if common := here & places[other.pk]:
        why = f"same name, and {min(common)} in common"
        return Alike(person=other, why=why, is_household=False)
    return None


def _common(ours: match.Identity, theirs: match.Identity) -> str:
    phone, mail = ours.phones & theirs.phones, ours.emails & theirs.emails
    words = [word for word, hit in (("phone", phone), ("e-mail", mail)) if hit]
    return f"same {' and '.join(words)}" if words else ""


def _whole(names: Iterable[str]) -> list[str]:
    """Names of more than one word: a first name alone is nobody's."""
    return [one for one in names if " " in one]


def _told_apart(person: Person) -> set[UUID]:
    rows = PersonMerge.objects.filter(Q(kept=person) | Q(gone=person), split_at__isnull=False)
    pairs = rows.values_list("kept_id", "gone_id")
    return {one for pair in pairs for one in pair} - {person.pk}


def _places(ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """The ZIP codes of these people's homes and of the properties they asked about."""
    found: dict[UUID, set[str]] = {one: set() for one in ids}
    homes = Person.objects.filter(pk__in=ids).exclude(zip="").values_list("pk", "zip")
    rows = Lead.objects.filter(person__in=ids).exclude(property_zip="")
    for key, place in [*homes, *rows.values_list("person_id", "property_zip")]:
        found[key].add(f"ZIP {place}")
    return found
