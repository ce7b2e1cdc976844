"""Matching of an inquiry to a person on file, with the evidence in words."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz.distance import OSA

from rooftree.core.email_addresses import comparison_key
from rooftree.leads.canonical import CanonicalLead

# A name must have this many letters for one typo, or for two typos, to be tolerated.
ONE_TYPO_LENGTH, TWO_TYPOS_LENGTH = 5, 9
MIN_NAME_LENGTH = 3  # letters; a shorter name counts as an initial
GENDER_ENDINGS = "aeo"  # which tell apart Mario and Maria, Paul and Paula, Rene and Rena
US_NUMBER_LENGTH = len("+18135550142")
# The house number and the first word of the street: no direction, street type or apartment.
HOUSE = re.compile(r"^(\d\w*) (?:(?:n|s|e|w|ne|nw|se|sw|north|south|east|west) )?(\w+).*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The data by which people are told apart."""

    first_name: str = ""
    last_name: str = ""
    suffix: str = ""  # JR, SR, II...
    phones: frozenset[str] = frozenset()  # E.164
    emails: frozenset[str] = frozenset()  # keys

    @property
    def has_full_name(self) -> bool:
        """Return True if both first and last name are known."""
        return bool(self.first_name and self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A person on file who shares a phone or email with the inquiry, under one of their names."""

    person_id: UUID
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMatch:
    """The person on file who is the same, and why."""

    person_id: UUID
    evidence: str  # shown to staff


def inquiry_identity(inquiry: CanonicalLead) -> Identity:
    """Return the borrower's identity as stated in an inquiry."""
    borrower = inquiry.borrower
    return Identity(
        first_name=(borrower and borrower.first_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        suffix=(borrower and borrower.suffix) or "",
        phones=frozenset(phone.e164 for phone in inquiry.phones if phone.valid and phone.e164),
        emails=frozenset(
            comparison_key(email.address) for email in inquiry.emails if email.address
        ),
    )


def best_match(inquiry: Identity, candidates: Iterable[Candidate]) -> PersonMatch | None:
    """Return the candidate who is the same person; None if there is none.

    A shared phone or email is not enough: people share phones and mailboxes, so
    the names must be similar, or one of them missing. A phone counts for more
    than an email; ties go to the older record.
    """
    matches = [
        ranked for candidate in candidates if (ranked := _rank_candidate(inquiry, candidate))
    ]
    if not matches:
        return None
    return max(matches, key=lambda pair: (pair[0], -pair[1].person_id.int))[1]


def plain_name(name: str) -> str:
    """Return a name without accents, case and punctuation, to compare spellings."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    plain_letters = (
        letter if letter.isalnum() else " "
        for letter in letters
        if not unicodedata.combining(letter)
    )
    return " ".join("".join(plain_letters).replace("'", "").split())


def name_key(first_name: str, last_name: str) -> str:
    """Return the full name's lookup key; "" if there is no name."""
    return plain_name(f"{first_name} {last_name}")[:250]


def name_keys(first_name: str, last_name: str) -> set[str]:
    """Return the lookup keys of a full name and its nicknames; empty if a name is missing."""
    first, last = plain_name(first_name), plain_name(last_name)
    if not first or not last:
        return set()
    nicknames = {name for names in NICKNAMES if first in names for name in names}
    return {name_key(name, last) for name in {first, *nicknames}}


def address_key(street: str, zip_code: str) -> str:
    """Return an address's lookup key, like `33602 12 main`; "" if street or ZIP is missing.

    All apartments of a building share one key, so it is evidence only together with a name.
    """
    words = " ".join("".join(char if char.isalnum() else " " for char in street.lower()).split())
    if not words or not zip_code:
        return ""
    return f"{zip_code} {HOUSE.sub(r'\1 \2', words)}"[:220]


def could_be_same_name(a: Identity, b: Identity) -> bool:
    """Decide whether two names can be one person's: equal, initial, nickname, typo or missing.

    Father and son with one name (JR, SR) are two people, and so are Mario and Maria.
    """
    if are_two_generations(a, b) or are_sibling_names(a, b):
        return False
    is_first = _could_be_same_first(plain_name(a.first_name), plain_name(b.first_name))
    return is_first and could_be_same_last_name(a, b)


def could_be_same_last_name(a: Identity, b: Identity) -> bool:
    """Decide whether two last names can be one: equal, part of a double name, typo or missing."""
    last_a, last_b = plain_name(a.last_name), plain_name(b.last_name)
    if not last_a or not last_b or last_a == last_b:
        return True
    return bool(set(last_a.split()) & set(last_b.split())) or _is_typo(last_a, last_b)


def name_match_words(a: Identity, b: Identity) -> str:
    """Return "same name" or "similar name" for two names that match."""
    return "same name" if _are_same_names(a, b) else "similar name"


def are_two_generations(a: Identity, b: Identity) -> bool:
    """Decide whether two suffixes differ, such as JR and SR."""
    return bool(a.suffix and b.suffix and a.suffix != b.suffix)


def are_sibling_names(a: Identity, b: Identity) -> bool:
    """Decide whether two first names differ only by the last vowel, like Mario and Maria.

    A typo looks the same, so staff decide (`duplicate_candidates`); intake never matches on it.
    """
    name, other = plain_name(a.first_name), plain_name(b.first_name)
    if name == other or min(len(name), len(other)) < MIN_NAME_LENGTH:
        return False
    return not _are_nicknames(name, other) and _name_stem(name) == _name_stem(other)


def swapped_digit_numbers(number: str) -> set[str]:
    """Return all US numbers (E.164) made by swapping two neighboring digits of this number."""
    if len(number) != US_NUMBER_LENGTH or not number.startswith("+1"):
        return set()
    pairs = ((n, number[n], number[n + 1]) for n in range(2, US_NUMBER_LENGTH - 1))
    return {f"{number[:n]}{right}{left}{number[n + 2 :]}" for n, left, right in pairs} - {number}


def _rank_candidate(inquiry: Identity, candidate: Candidate) -> tuple[int, PersonMatch] | None:
    person = candidate.identity
    phones = inquiry.phones & person.phones
    emails = inquiry.emails & person.emails
    if not (phones or emails) or not could_be_same_name(inquiry, person):
        return None
    shared = [word for word, values in (("phone", phones), ("email", emails)) if values]
    evidence = f"same {' and '.join(shared)}, {name_match_words(inquiry, person)}"
    rank = 4 * bool(phones) + 2 * bool(emails) + _are_same_names(inquiry, person)
    return rank, PersonMatch(person_id=candidate.person_id, evidence=evidence)


def _are_same_names(a: Identity, b: Identity) -> bool:
    return (plain_name(a.first_name), plain_name(a.last_name)) == (
        plain_name(b.first_name),
        plain_name(b.last_name),
    )


def _could_be_same_first(a: str, b: str) -> bool:
    if not a or not b or a == b:
        return True
    short, long = sorted((a, b), key=len)
    if long.startswith(short):  # an initial, or Rob for Robert
        return True
    return _are_nicknames(short, long) or _is_typo(a, b)


def _name_stem(name: str) -> str:
    return name.removesuffix(name[-1]) if name[-1] in GENDER_ENDINGS else name


def _is_typo(a: str, b: str) -> bool:
    shortest = min(len(a), len(b))
    max_typos = (shortest >= ONE_TYPO_LENGTH) + (shortest >= TWO_TYPOS_LENGTH)
    return OSA.distance(a, b, score_cutoff=max_typos) <= max_typos


NICKNAMES: Sequence[frozenset[str]] = (
    frozenset({"robert", "bob", "bobby", "rob", "robbie"}),
    frozenset({"william", "bill", "billy", "will", "liam"}),
    frozenset({"james", "jim", "jimmy", "jamie"}),
    frozenset({"john", "jack", "johnny"}),
    frozenset({"richard", "rick", "dick", "rich", "ricky"}),
    frozenset({"margaret", "peggy", "maggie", "meg", "marge"}),
    frozenset({"elizabeth", "liz", "beth", "betty", "eliza", "lisa"}),
    frozenset({"katherine", "catherine", "kate", "kathy", "cathy", "katie"}),
    frozenset({"michael", "mike", "mikey"}),
    frozenset({"charles", "chuck", "charlie"}),
    frozenset({"edward", "ed", "ted", "eddie", "ned"}),
    frozenset({"henry", "hank", "harry"}),
    frozenset({"jose", "pepe"}),
    frozenset({"francisco", "paco", "pancho", "frank"}),
    frozenset({"guadalupe", "lupe"}),
    frozenset({"ignacio", "nacho"}),
    frozenset({"anthony", "tony"}),
    frozenset({"theodore", "ted", "teddy"}),
    frozenset({"patricia", "pat", "patty", "trish"}),
    frozenset({"david", "dave"}),
)  # KNOWN, common US and Spanish short forms


def _are_nicknames(a: str, b: str) -> bool:
    return any(a in names and b in names for names in NICKNAMES)
