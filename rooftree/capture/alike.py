"""Who else on file may be the same human, or of the same household; shown to staff, who decide."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from rooftree.capture import match, on_file
from rooftree.leads.models import ContactAttempt, Lead, Likeness, Person, PersonMerge

MOST_NAMESAKES = 50  # of one name or house; more are not looked at, they prove little
SHOWN = 6
LONG_SILENCE = timedelta(days=180)  # house: after it a number under a new name may be a new owner's


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Somebody else on file, what speaks for it and what against."""

    person: Person
    why: str  # fit to show
    is_household: bool  # a number or address in common, and another name: another human
    against: str = ""  # fit to show
    number: str = ""  # in common, and perhaps the newer one's alone by now

    @property
    def is_doubtful(self) -> bool:
        """Whether staff are asked about it."""
        return bool(self.number) or not self.is_household


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """All about one person that is compared."""

    person: Person
    names: Sequence[match.Candidate]  # the same numbers and addresses under each
    zips: set[str]
    homes: set[str]  # address keys
    heard_at: datetime | None  # the last sign of them

    @property
    def has(self) -> match.Identity:
        return self.names[0].identity


def alike(person: Person) -> list[Alike]:
    """Those who may be this person, then those of the household; the older records first.

    Whom staff has told apart is not proposed again, nor is a second applicant of one lead. Pure
    but for reading.
    """
    ours = on_file.known_as(person)
    own = _files([person], {person.pk: ours})[person.pk]
    ids = {*_to_compare(own)} - {person.pk} - _told_apart(person) - _applied_together(person)
    is_test = person.leads.filter(is_test=True).exists()
    whole = Person.objects.filter(pk__in=ids, merged_into=None)
    others = on_file.of_world(on_file.loaded(whole), is_test=is_test).order_by("created_at", "pk")
    files = _files([*others], {one.pk: on_file.known_as(one) for one in others})
    found = [one for other in others if (one := _judge(own, files[other.pk]))]
    return sorted(found, key=lambda one: one.is_household)[:SHOWN]


def _to_compare(own: _File) -> Iterator[UUID]:
    """Who shares a number, one with two digits swapped, an address, a house or a name."""
    numbers = {near for one in own.has.phones for near in match.swapped(one)}
    yield from on_file.sharing(own.has)
    yield from on_file.sharing(match.Identity(phones=frozenset(numbers)))
    yield from on_file.at_place(own.homes, limit=MOST_NAMESAKES)
    identities = (one.identity for one in own.names)
    keys = {key for one in identities for key in match.name_keys(one.first_name, one.last_name)}
    yield from on_file.named(keys, limit=MOST_NAMESAKES)


def _judge(ours: _File, theirs: _File) -> Alike | None:
    pairs = [(a.identity, b.identity) for a in ours.names for b in theirs.names]
    against = _against(ours, theirs)
    for a, b in pairs:
        if why := _same_person(a, b, ours, theirs):
            return Alike(person=theirs.person, why=why, is_household=False, against=against)
    if not (why := _common(ours.has, theirs.has)):
        return None
    for a, b in pairs:
        if match.two_names(a, b) and match.near_last_names(a, b):
            why = f"{why}, almost the same name"
            return Alike(person=theirs.person, why=why, is_household=False, against=against)
    if number := _recycled(ours, theirs):
        why = f"{why}, another name after a silence of {LONG_SILENCE.days} days or more"
        return Alike(
            person=theirs.person, why=why, is_household=True, against=against, number=number
        )
    return Alike(person=theirs.person, why=why, is_household=True)


def _same_person(a: match.Identity, b: match.Identity, ours: _File, theirs: _File) -> str:
    """What speaks for one human under two near names; "" for nothing."""
    if found := match.best_match(a, [match.Candidate(person_id=theirs.person.pk, identity=b)]):
        return found.evidence
    if not (a.is_whole and b.is_whole and match.near_names(a, b)):
        return ""
    spelled = match.spelled(a, b)
    if any(match.swapped(one) & b.phones for one in a.phones):
        return f"phone with two digits swapped, {spelled}"
    if ours.homes & theirs.homes:
        return f"{spelled}, same street address"
    is_namesake = match.name_key(b.first_name, b.last_name) in match.name_keys(
        a.first_name, a.last_name
    )
    common = ours.zips & theirs.zips
    return f"{spelled}, and ZIP {min(common)} in common" if is_namesake and common else ""


def _common(ours: match.Identity, theirs: match.Identity) -> str:
    phone, mail = ours.phones & theirs.phones, ours.emails & theirs.emails
    words = [word for word, hit in (("phone", phone), ("e-mail", mail)) if hit]
    return f"same {' and '.join(words)}" if words else ""


def _against(ours: _File, theirs: _File) -> str:
    """What speaks for two humans, in words."""
    a, b = ours.has, theirs.has
    said = []
    if match.two_names(a, b):
        said.append(f"{a.first_name} and {b.first_name} are two names")
    if match.two_generations(a, b):
        said.append(f"one is {a.suffix.title()}, the other {b.suffix.title()}")
    elif a.is_whole and b.is_whole and not match.near_names(a, b) and not match.two_names(a, b):
        said.append("the names are different")
    if not (a.is_whole and b.is_whole):
        said.append("a name is missing")
    if a.phones and b.phones and not a.phones & b.phones:
        said.append("no phone in common")
    if a.emails and b.emails and not a.emails & b.emails:
        said.append("no e-mail in common")
    if ours.zips and theirs.zips and not ours.zips & theirs.zips:
        said.append(f"ZIP {min(ours.zips)} and ZIP {min(theirs.zips)}")
    return ", ".join(said)


def _recycled(ours: _File, theirs: _File) -> str:
    """A number in common whose older owner was silent for long when the newer one gave it."""
    if not (ours.has.first_name and theirs.has.first_name):
        return ""
    for number in sorted(ours.has.phones & theirs.has.phones):
        older, newer = sorted((ours, theirs), key=lambda one: _given_at(one.person, number))
        given_at = _given_at(newer.person, number)
        if older.heard_at is not None and older.heard_at < given_at - LONG_SILENCE:
            return number
    return ""


def _given_at(person: Person, number: str) -> datetime:
    return next(one.given_at for one in person.phones.all() if one.e164 == number)


def _told_apart(person: Person) -> set[UUID]:
    taken = PersonMerge.objects.filter(Q(kept=person) | Q(gone=person), split_at__isnull=False)
    said = Likeness.objects.filter(
        Q(older=person) | Q(newer=person), answer__in=("two", "moved")
    ).values_list("older_id", "newer_id")
    pairs = [*taken.values_list("kept_id", "gone_id"), *said]
    return {one for pair in pairs for one in pair} - {person.pk}


def _applied_together(person: Person) -> set[UUID]:
    """Whom they applied with: two people, as they say themselves."""
    rows = Lead.objects.filter(Q(person=person) | Q(co_borrower=person), co_borrower__isnull=False)
    return {one for pair in rows.values_list("person_id", "co_borrower_id") for one in pair}


def _files(people: Iterable[Person], names: dict[UUID, list[match.Candidate]]) -> dict[UUID, _File]:
    """Each with the places of their home and of the properties they asked about."""
    people = list(people)
    ids = [one.pk for one in people]
    zips = {one.pk: {one.zip} - {""} for one in people}
    homes = {one.pk: {one.home_key} - {""} for one in people}
    asked = Lead.objects.filter(person__in=ids)
    for key, zip_code, home in asked.values_list("person_id", "property_zip", "property_key"):
        zips[key] |= {zip_code} - {""}
        homes[key] |= {home} - {""}
    signs = _signs(ids)
    return {
        one.pk: _File(
            person=one,
            names=names[one.pk],
            zips=zips[one.pk],
            homes=homes[one.pk],
            heard_at=signs.get(one.pk),
        )
        for one in people
    }


def _signs(ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each last asked, wrote or called."""
    leads = Lead.objects.filter(person__in=ids)
    asked = leads.values_list("person").annotate(Max("warmed_at"))
    reached = ContactAttempt.objects.filter(person__in=ids, direction="in")
    wrote = reached.values_list("person").annotate(Max("at"))
    found: dict[UUID, datetime] = {}
    for key, at in [*asked, *wrote]:
        found[key] = max(at, found.get(key, at))
    return found
