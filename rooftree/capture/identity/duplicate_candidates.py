"""Who else on file may be the same human, or of the same household; shown to staff, who decide."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.leads.models import ContactAttempt, Lead, Person, PersonMerge, PossibleDuplicate

MAX_NAMESAKES = 50  # of one name or house; more are not looked at, they prove little
MAX_SHOWN = 6
LONG_SILENCE = timedelta(days=180)  # house: after it a number under a new name may be a new owner's


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateCandidate:
    """Somebody else on file, what speaks for it and what against."""

    person: Person
    evidence: str  # fit to show
    is_household: bool  # a number or address in common, and another name: another human
    counter_evidence: str = ""  # fit to show
    recycled_number: str = ""  # in common, and perhaps the newer one's alone by now

    @property
    def needs_review(self) -> bool:
        """Whether staff are asked about it."""
        return bool(self.recycled_number) or not self.is_household


@dataclass(frozen=True, slots=True, kw_only=True)
class _PersonFile:
    """All about one person that is compared."""

    person: Person
    names: Sequence[person_matching.Candidate]  # the same numbers and addresses under each
    zips: set[str]
    homes: set[str]  # address keys
    last_contact_at: datetime | None  # the last sign of them

    @property
    def identity(self) -> person_matching.Identity:
        return self.names[0].identity


def find_duplicates(person: Person) -> list[DuplicateCandidate]:
    """Those who may be this person, then those of the household; the older records first.

    Whom staff has told apart is not proposed again, nor is a second applicant of one lead. Pure
    but for reading.
    """
    ours = person_lookup.person_candidates(person)
    own = _load_files([person], {person.pk: ours})[person.pk]
    ids = (
        {*_ids_to_compare(own)}
        - {person.pk}
        - _ids_judged_different(person)
        - _co_applicant_ids(person)
    )
    is_test = person.leads.filter(is_test=True).exists()
    whole = Person.objects.filter(pk__in=ids, merged_into=None)
    others = person_lookup.filter_by_is_test(
        person_lookup.with_contacts(whole), is_test=is_test
    ).order_by("created_at", "pk")
    files = _load_files(
        [*others], {other.pk: person_lookup.person_candidates(other) for other in others}
    )
    found = [one for other in others if (one := _compare_files(own, files[other.pk]))]
    return sorted(found, key=lambda one: one.is_household)[:MAX_SHOWN]


def _ids_to_compare(own: _PersonFile) -> Iterator[UUID]:
    """Who shares a number, one with two digits swapped, an address, a house or a name."""
    numbers = {
        near for phone in own.identity.phones for near in person_matching.swapped_digit_numbers(phone)
    }
    yield from person_lookup.ids_sharing_contact(own.identity)
    yield from person_lookup.ids_sharing_contact(
        person_matching.Identity(phones=frozenset(numbers))
    )
    yield from person_lookup.ids_by_address(own.homes, limit=MAX_NAMESAKES)
    identities = (name.identity for name in own.names)
    keys = {
        key
        for identity in identities
        for key in person_matching.name_keys(identity.first_name, identity.last_name)
    }
    yield from person_lookup.ids_by_name(keys, limit=MAX_NAMESAKES)


def _compare_files(ours: _PersonFile, theirs: _PersonFile) -> DuplicateCandidate | None:
    pairs = [(a.identity, b.identity) for a in ours.names for b in theirs.names]
    against = _counter_evidence(ours, theirs)
    for a, b in pairs:
        if why := _same_person_evidence(a, b, ours, theirs):
            return DuplicateCandidate(
                person=theirs.person, evidence=why, is_household=False, counter_evidence=against
            )
    if not (why := _shared_contact_evidence(ours.identity, theirs.identity)):
        return None
    for a, b in pairs:
        if person_matching.are_sibling_names(a, b) and person_matching.could_be_same_last_name(
            a, b
        ):
            why = f"{why}, almost the same name"
            return DuplicateCandidate(
                person=theirs.person, evidence=why, is_household=False, counter_evidence=against
            )
    if number := _find_recycled_number(ours, theirs):
        why = f"{why}, another name after a silence of {LONG_SILENCE.days} days or more"
        return DuplicateCandidate(
            person=theirs.person, evidence=why, is_household=True, counter_evidence=against, recycled_number=number
        )
    return DuplicateCandidate(person=theirs.person, evidence=why, is_household=True)


def _same_person_evidence(
    a: person_matching.Identity, b: person_matching.Identity, ours: _PersonFile, theirs: _PersonFile
) -> str:
    """What speaks for one human under two near names; "" for nothing."""
    if found := person_matching.best_match(
        a, [person_matching.Candidate(person_id=theirs.person.pk, identity=b)]
    ):
        return found.evidence
    if not (a.has_full_name and b.has_full_name and person_matching.could_be_same_name(a, b)):
        return ""
    spelled = person_matching.name_match_words(a, b)
    if any(person_matching.swapped_digit_numbers(phone) & b.phones for phone in a.phones):
        return f"phone with two digits swapped, {spelled}"
    if ours.homes & theirs.homes:
        return f"{spelled}, same street address"
    is_namesake = person_matching.name_key(b.first_name, b.last_name) in person_matching.name_keys(
        a.first_name, a.last_name
    )
    common = ours.zips & theirs.zips
    return f"{spelled}, and ZIP {min(common)} in common" if is_namesake and common else ""


def _shared_contact_evidence(
    ours: person_matching.Identity, theirs: person_matching.Identity
) -> str:
    phone, mail = ours.phones & theirs.phones, ours.emails & theirs.emails
    words = [word for word, hit in (("phone", phone), ("e-mail", mail)) if hit]
    return f"same {' and '.join(words)}" if words else ""


def _counter_evidence(ours: _PersonFile, theirs: _PersonFile) -> str:
    """What speaks for two humans, in words."""
    a, b = ours.identity, theirs.identity
    said = []
    if person_matching.are_sibling_names(a, b):
        said.append(f"{a.first_name} and {b.first_name} are two names")
    if person_matching.are_two_generations(a, b):
        said.append(f"one is {a.suffix.title()}, the other {b.suffix.title()}")
    elif (
        a.has_full_name
        and b.has_full_name
        and not person_matching.could_be_same_name(a, b)
        and not person_matching.are_sibling_names(a, b)
    ):
        said.append("the names are different")
    if not (a.has_full_name and b.has_full_name):
        said.append("a name is missing")
    if a.phones and b.phones and not a.phones & b.phones:
        said.append("no phone in common")
    if a.emails and b.emails and not a.emails & b.emails:
        said.append("no e-mail in common")
    if ours.zips and theirs.zips and not ours.zips & theirs.zips:
        said.append(f"ZIP {min(ours.zips)} and ZIP {min(theirs.zips)}")
    return ", ".join(said)


def _find_recycled_number(ours: _PersonFile, theirs: _PersonFile) -> str:
    """A number in common whose older owner was silent for long when the newer one gave it."""
    if not (ours.identity.first_name and theirs.identity.first_name):
        return ""
    for number in sorted(ours.identity.phones & theirs.identity.phones):
        older, newer = sorted((ours, theirs), key=lambda one: _number_given_at(one.person, number))
        given_at = _number_given_at(newer.person, number)
        if older.last_contact_at is not None and older.last_contact_at < given_at - LONG_SILENCE:
            return number
    return ""


def _number_given_at(person: Person, number: str) -> datetime:
    return next(phone.given_at for phone in person.phones.all() if phone.e164 == number)


def _ids_judged_different(person: Person) -> set[UUID]:
    taken = PersonMerge.objects.filter(Q(kept=person) | Q(gone=person), split_at__isnull=False)
    said = PossibleDuplicate.objects.filter(
        Q(older=person) | Q(newer=person), answer__in=("two", "moved")
    ).values_list("older_id", "newer_id")
    pairs = [*taken.values_list("kept_id", "gone_id"), *said]
    return {one for pair in pairs for one in pair} - {person.pk}


def _co_applicant_ids(person: Person) -> set[UUID]:
    """Whom they applied with: two people, as they say themselves."""
    rows = Lead.objects.filter(Q(person=person) | Q(co_borrower=person), co_borrower__isnull=False)
    return {one for pair in rows.values_list("person_id", "co_borrower_id") for one in pair}


def _load_files(
    people: Iterable[Person], names: dict[UUID, list[person_matching.Candidate]]
) -> dict[UUID, _PersonFile]:
    """Each with the places of their home and of the properties they asked about."""
    people = list(people)
    ids = [person.pk for person in people]
    zips = {person.pk: {person.zip} - {""} for person in people}
    homes = {person.pk: {person.home_key} - {""} for person in people}
    asked = Lead.objects.filter(person__in=ids)
    for key, zip_code, home in asked.values_list("person_id", "property_zip", "property_key"):
        zips[key] |= {zip_code} - {""}
        homes[key] |= {home} - {""}
    signs = _load_last_contacts(ids)
    return {
        person.pk: _PersonFile(
            person=person,
            names=names[person.pk],
            zips=zips[person.pk],
            homes=homes[person.pk],
            last_contact_at=signs.get(person.pk),
        )
        for person in people
    }


def _load_last_contacts(ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each last asked, wrote or called."""
    leads = Lead.objects.filter(person__in=ids)
    asked = leads.values_list("person").annotate(Max("warmed_at"))
    reached = ContactAttempt.objects.filter(person__in=ids, direction="in")
    wrote = reached.values_list("person").annotate(Max("at"))
    found: dict[UUID, datetime] = {}
    for key, at in [*asked, *wrote]:
        found[key] = max(at, found.get(key, at))
    return found
