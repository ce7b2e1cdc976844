"""Is this inquiry from somebody we know? The evidence, in words, goes with the answer."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz.distance import OSA

from rooftree.core.email_addresses import comparison_key
from rooftree.leads.canonical import CanonicalLead

ONE_TYPO_LENGTH, TWO_TYPOS_LENGTH = (
    5,
    9,
)  # letters a name must have for so many typing slips to be forgiven
MIN_NAME_LENGTH = 3  # letters; of fewer it is an initial
GENDER_ENDINGS = "aeo"  # by which Mario and Maria, Paul and Paula, Rene and Rena differ
US_NUMBER_LENGTH = len("+18135550142")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells one person from another."""

    first_name: str = ""
    last_name: str = ""
    suffix: str = ""  # JR, SR, II...
    phones: frozenset[str] = frozenset()  # E.164
    emails: frozenset[str] = frozenset()  # keys

    @property
    def has_full_name(self) -> bool:
        """Whether both names are known."""
        return bool(self.first_name and self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody on file who shares a number or an address with the inquiry."""

    person_id: UUID
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMatch:
    person_id: UUID
    evidence: str  # fit to show


def inquiry_identity(inquiry: CanonicalLead) -> Identity:
    """It is what an inquiry tells its person from others by."""
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
    """The person on file who is the same human, or None.

    A shared number or address is not enough: people share phones and
    mailboxes, so the names must be near each other or one of them missing.
    A number counts for more than an address; ties go to the older record.
    """
    found = [ranked for candidate in candidates if (ranked := _rank_candidate(inquiry, candidate))]
    if not found:
        return None
    return max(found, key=lambda pair: (pair[0], -pair[1].person_id.int))[1]


def plain_name(name: str) -> str:
    """A name without accents, case and punctuation: what two spellings are compared by."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    kept = (
        letter if letter.isalnum() else " "
        for letter in letters
        if not unicodedata.combining(letter)
    )
    return " ".join("".join(kept).replace("'", "").split())


def name_key(first_name: str, last_name: str) -> str:
    """The whole name as it is stored for looking up; "" for nobody's."""
    return plain_name(f"{first_name} {last_name}")[:250]


def name_keys(first_name: str, last_name: str) -> set[str]:
    """The keys under which somebody of this whole name may be on file: nicknames too."""
    first, last = plain_name(first_name), plain_name(last_name)
    if not first or not last:
        return set()
    short = {name for names in NICKNAMES if first in names for name in names}
    return {name_key(one, last) for one in {first, *short}}


def could_be_same_name(ours: Identity, theirs: Identity) -> bool:
    """Whether both names can be one person's: equal, an initial, a nickname, a slip, or missing.

    A father and a son of one name are two, and so are Mario and Maria.
    """
    if are_two_generations(ours, theirs) or are_sibling_names(ours, theirs):
        return False
    first = _could_be_same_first(plain_name(ours.first_name), plain_name(theirs.first_name))
    return first and could_be_same_last_name(ours, theirs)


def could_be_same_last_name(ours: Identity, theirs: Identity) -> bool:
    """Whether the family name can be one: equal, a part of a double name, a slip, or missing."""
    return _could_be_same_last(plain_name(ours.last_name), plain_name(theirs.last_name))


def name_match_words(ours: Identity, theirs: Identity) -> str:
    """How near two near names are, in words."""
    return "same name" if _are_same_names(ours, theirs) else "near name"


def are_two_generations(ours: Identity, theirs: Identity) -> bool:
    """Whether one is called junior and the other senior, or the third."""
    return bool(ours.suffix and theirs.suffix and ours.suffix != theirs.suffix)


def are_sibling_names(ours: Identity, theirs: Identity) -> bool:
    """Whether the first names differ by their last vowel alone, as a brother's and a sister's do.

    A typing slip looks the same, so staff are asked (`alike`), and nobody is matched by it.
    """
    one, other = plain_name(ours.first_name), plain_name(theirs.first_name)
    if one == other or min(len(one), len(other)) < MIN_NAME_LENGTH or _are_nicknames(one, other):
        return False
    return _name_stem(one) == _name_stem(other)


def swapped_digit_numbers(number: str) -> set[str]:
    """The numbers from which this one (E.164, US) is one swap of two neighboring digits away."""
    if len(number) != US_NUMBER_LENGTH or not number.startswith("+1"):
        return set()
    pairs = ((n, number[n], number[n + 1]) for n in range(2, US_NUMBER_LENGTH - 1))
    return {f"{number[:n]}{right}{left}{number[n + 2 :]}" for n, left, right in pairs} - {number}


def _rank_candidate(inquiry: Identity, candidate: Candidate) -> tuple[int, PersonMatch] | None:
    theirs = candidate.identity
    phones = inquiry.phones & theirs.phones
    emails = inquiry.emails & theirs.emails
    if not (phones or emails) or not could_be_same_name(inquiry, theirs):
        return None
    shared = [word for word, hit in (("phone", phones), ("e-mail", emails)) if hit]
    evidence = f"same {' and '.join(shared)}, {name_match_words(inquiry, theirs)}"
    rank = 4 * bool(phones) + 2 * bool(emails) + _are_same_names(inquiry, theirs)
    return rank, PersonMatch(person_id=candidate.person_id, evidence=evidence)


def _are_same_names(ours: Identity, theirs: Identity) -> bool:
    return (plain_name(ours.first_name), plain_name(ours.last_name)) == (
        plain_name(theirs.first_name),
        plain_name(theirs.last_name),
    )


def _could_be_same_first(ours: str, theirs: str) -> bool:
    if not ours or not theirs or ours == theirs:
        return True
    short, long = sorted((ours, theirs), key=len)
    if long.startswith(short):  # an initial, or Rob for Robert
        return True
    return _are_nicknames(short, long) or _is_typo(ours, theirs)


def _could_be_same_last(ours: str, theirs: str) -> bool:
    if not ours or not theirs or ours == theirs:
        return True
    parts_ours, parts_theirs = set(ours.split()), set(theirs.split())
    return bool(parts_ours & parts_theirs) or _is_typo(ours, theirs)


def _name_stem(name: str) -> str:
    return name.removesuffix(name[-1]) if name[-1] in GENDER_ENDINGS else name


def _is_typo(ours: str, theirs: str) -> bool:
    shortest = min(len(ours), len(theirs))
    forgiven = (shortest >= ONE_TYPO_LENGTH) + (shortest >= TWO_TYPOS_LENGTH)
    return OSA.distance(ours, theirs, score_cutoff=forgiven) <= forgiven


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


def _are_nicknames(ours: str, theirs: str) -> bool:
    return any(ours in names and theirs in names for names in NICKNAMES)
