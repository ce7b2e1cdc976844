"""Search for people on file who can be the same person or household; staff decide."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.leads.models import ContactAttempt, Lead, Person, PersonMerge, PossibleDuplicate

MAX_NAMESAKES = 50  # of one name or street address; a longer list would prove little
MAX_SHOWN = 6
# House limit: after such a silence, a phone number under a new name can have a new owner.
LONG_SILENCE = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateCandidate:
    """Another person on file, with the evidence for and against a duplicate."""

    person: Person
    evidence: str  # shown to staff
    is_household: bool  # shares a phone or email but has another name: a different person
    counter_evidence: str = ""  # shown to staff
    recycled_number: str = ""  # shared phone number that can belong to the newer person only

    @property
    def needs_review(self) -> bool:
        """Return True if staff are asked to decide about this candidate."""
        return bool(self.recycled_number) or not self.is_household


@dataclass(frozen=True, slots=True, kw_only=True)
class _PersonFile:
    """The data of one person that is compared."""

    person: Person
    names: Sequence[person_matching.Candidate]  # one per name; all share the phones and emails
    zips: set[str]
    homes: set[str]  # address keys
    last_contact_at: datetime | None  # last inquiry or message from the person

    @property
    def identity(self) -> person_matching.Identity:
        return self.names[0].identity


def find_duplicates(person: Person) -> list[DuplicateCandidate]:
    """Return possible duplicates of a person, then household members; older records first.

    People whom staff judged to be different, and co-applicants of one lead, are left out.
    Reads the database and writes nothing.
    """
    candidates = person_lookup.person_candidates(person)
    file = _load_files([person], {person.pk: candidates})[person.pk]
    ids = (
        {*_ids_to_compare(file)}
        - {person.pk}
        - _ids_judged_different(person)
        - _co_applicant_ids(person)
    )
    is_test = person.leads.filter(is_test=True).exists()
    not_merged = Person.objects.filter(pk__in=ids, merged_into=None)
    others = person_lookup.filter_by_is_test(
        person_lookup.with_contacts(not_merged), is_test=is_test
    ).order_by("created_at", "pk")
    files = _load_files(
        [*others], {other.pk: person_lookup.person_candidates(other) for other in others}
    )
    duplicates = [
        duplicate for other in others if (duplicate := _compare_files(file, files[other.pk]))
    ]
    return sorted(duplicates, key=lambda duplicate: duplicate.is_household)[:MAX_SHOWN]


def _ids_to_compare(file: _PersonFile) -> Iterator[UUID]:
    """Yield ids sharing a phone (two digits can be swapped), email, street address or name."""
    swapped_numbers = {
        number
        for phone in file.identity.phones
        for number in person_matching.swapped_digit_numbers(phone)
    }
    yield from person_lookup.ids_sharing_contact(file.identity)
    yield from person_lookup.ids_sharing_contact(
        person_matching.Identity(phones=frozenset(swapped_numbers))
    )
    yield from person_lookup.ids_by_address(file.homes, limit=MAX_NAMESAKES)
    identities = (name.identity for name in file.names)
    keys = {
        key
        for identity in identities
        for key in person_matching.name_keys(identity.first_name, identity.last_name)
    }
    yield from person_lookup.ids_by_name(keys, limit=MAX_NAMESAKES)


def _compare_files(file: _PersonFile, other: _PersonFile) -> DuplicateCandidate | None:
    """Compare two people; return None if nothing links them."""
    pairs = [(a.identity, b.identity) for a in file.names for b in other.names]
    counter_evidence = _counter_evidence(file, other)
    for a, b in pairs:
        if evidence := _same_person_evidence(a, b, file, other):
            return DuplicateCandidate(
                person=other.person,
                evidence=evidence,
                is_household=False,
                counter_evidence=counter_evidence,
            )
    phones = file.identity.phones & other.identity.phones
    emails = file.identity.emails & other.identity.emails
    if not (phones or emails):
        return None
    shared = [word for word, values in (("phone", phones), ("email", emails)) if values]
    evidence = f"same {' and '.join(shared)}"
    for a, b in pairs:
        if person_matching.are_sibling_names(a, b) and person_matching.could_be_same_last_name(
            a, b
        ):
            return DuplicateCandidate(
                person=other.person,
                evidence=f"{evidence}, almost the same name",
                is_household=False,
                counter_evidence=counter_evidence,
            )
    if number := _find_recycled_number(file, other):
        return DuplicateCandidate(
            person=other.person,
            evidence=f"{evidence}, different name after {LONG_SILENCE.days}+ days of silence",
            is_household=True,
            counter_evidence=counter_evidence,
            recycled_number=number,
        )
    return DuplicateCandidate(person=other.person, evidence=evidence, is_household=True)


def _same_person_evidence(
    a: person_matching.Identity, b: person_matching.Identity, file: _PersonFile, other: _PersonFile
) -> str:
    """Return the evidence that two identities are one person; "" if there is none."""
    if match := person_matching.best_match(
        a, [person_matching.Candidate(person_id=other.person.pk, identity=b)]
    ):
        return match.evidence
    if not (a.has_full_name and b.has_full_name and person_matching.could_be_same_name(a, b)):
        return ""
    name_words = person_matching.name_match_words(a, b)
    if any(person_matching.swapped_digit_numbers(phone) & b.phones for phone in a.phones):
        return f"phone with two digits swapped, {name_words}"
    if file.homes & other.homes:
        return f"{name_words}, same street address"
    is_namesake = person_matching.name_key(b.first_name, b.last_name) in person_matching.name_keys(
        a.first_name, a.last_name
    )
    shared_zips = file.zips & other.zips
    return f"{name_words}, same ZIP {min(shared_zips)}" if is_namesake and shared_zips else ""


def _counter_evidence(file: _PersonFile, other: _PersonFile) -> str:
    """Return the evidence that two people are different, in words."""
    a, b = file.identity, other.identity
    points = []
    if person_matching.are_sibling_names(a, b):
        points.append(f"{a.first_name} and {b.first_name} are different names")
    if person_matching.are_two_generations(a, b):
        points.append(f"one is {a.suffix.title()}, the other {b.suffix.title()}")
    elif (
        a.has_full_name
        and b.has_full_name
        and not person_matching.could_be_same_name(a, b)
        and not person_matching.are_sibling_names(a, b)
    ):
        points.append("the names are different")
    if not (a.has_full_name and b.has_full_name):
        points.append("a name is missing")
    if a.phones and b.phones and not a.phones & b.phones:
        points.append("no phone in common")
    if a.emails and b.emails and not a.emails & b.emails:
        points.append("no email in common")
    if file.zips and other.zips and not file.zips & other.zips:
        points.append(f"ZIP {min(file.zips)} and ZIP {min(other.zips)}")
    return ", ".join(points)


def _find_recycled_number(file: _PersonFile, other: _PersonFile) -> str:
    """Return a shared number whose older owner had long been silent when the newer gave it."""
    if not (file.identity.first_name and other.identity.first_name):
        return ""
    for number in sorted(file.identity.phones & other.identity.phones):
        older, newer = sorted((file, other), key=lambda file: _number_given_at(file.person, number))
        given_at = _number_given_at(newer.person, number)
        if older.last_contact_at is not None and older.last_contact_at < given_at - LONG_SILENCE:
            return number
    return ""


def _number_given_at(person: Person, number: str) -> datetime:
    return next(phone.given_at for phone in person.phones.all() if phone.e164 == number)


def _ids_judged_different(person: Person) -> set[UUID]:
    splits = PersonMerge.objects.filter(
        Q(survivor=person) | Q(merged=person), split_at__isnull=False
    )
    answers = PossibleDuplicate.objects.filter(
        Q(older=person) | Q(newer=person), answer__in=("two", "moved")
    )
    pairs = [
        *splits.values_list("survivor_id", "merged_id"),
        *answers.values_list("older_id", "newer_id"),
    ]
    return {person_id for pair in pairs for person_id in pair} - {person.pk}


def _co_applicant_ids(person: Person) -> set[UUID]:
    """Return the ids of people who applied together with this person."""
    leads = Lead.objects.filter(Q(person=person) | Q(co_borrower=person), co_borrower__isnull=False)
    pairs = leads.values_list("person_id", "co_borrower_id")
    return {person_id for pair in pairs for person_id in pair}


def _load_files(
    people: Iterable[Person], names: dict[UUID, list[person_matching.Candidate]]
) -> dict[UUID, _PersonFile]:
    """Load each person's file, with the ZIPs and addresses of home and properties."""
    people = list(people)
    ids = [person.pk for person in people]
    zips = {person.pk: {person.zip} - {""} for person in people}
    homes = {person.pk: {person.home_key} - {""} for person in people}
    leads = Lead.objects.filter(person__in=ids)
    for key, zip_code, home in leads.values_list("person_id", "property_zip", "property_key"):
        zips[key] |= {zip_code} - {""}
        homes[key] |= {home} - {""}
    last_contacts = _load_last_contacts(ids)
    return {
        person.pk: _PersonFile(
            person=person,
            names=names[person.pk],
            zips=zips[person.pk],
            homes=homes[person.pk],
            last_contact_at=last_contacts.get(person.pk),
        )
        for person in people
    }


def _load_last_contacts(ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when each person last inquired, wrote or called."""
    leads = Lead.objects.filter(person__in=ids)
    inquiries = leads.values_list("person").annotate(Max("last_inquiry_at"))
    inbound = ContactAttempt.objects.filter(person__in=ids, direction="in")
    messages = inbound.values_list("person").annotate(Max("at"))
    last_contacts: dict[UUID, datetime] = {}
    for person_id, at in [*inquiries, *messages]:
        last_contacts[person_id] = max(at, last_contacts.get(person_id, at))
    return last_contacts
