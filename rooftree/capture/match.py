"""Is this inquiry from somebody we know? The evidence, in words, goes with the answer."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz.distance import OSA

from rooftree.core.emails import comparison_key
from rooftree.leads.canonical import CanonicalLead

ONE_SLIP, TWO_SLIPS = 5, 9  # letters a name must have for so many typing slips to be forgiven
SHORTEST_NAME = 3  # letters; of fewer it is an initial
ENDINGS = "aeo"  # by which Mario and Maria, Paul and Paula, Rene and Rena differ
US_LENGTH = len("+18135550142")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells one person from another."""

    first_name: str = ""
    last_name: str = ""
    suffix: str = ""  # JR, SR, II...
    phones: frozenset[str] = frozenset()  # E.164
    emails: frozenset[str] = frozenset()  # keys

    @property
    def is_whole(self) -> bool:
        """Whether both names are known."""
        return bool(self.first_name and self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody on file who shares a number or an address with the inquiry."""

    person_id: UUID
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    person_id: UUID
    evidence: str  # fit to show


def identity_of(inquiry: CanonicalLead) -> Identity:
    """It is what an inquiry tells its person from others by."""
    borrower = inquiry.borrower
    return Identity(
        first_name=(borrower and borrower.first_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        suffix=(borrower and borrower.suffix) or "",
        phones=frozenset(one.e164 for one in inquiry.phones if one.valid and one.e164),
        emails=frozenset(comparison_key(one.address) for one in inquiry.emails if one.address),
    )


def best_match(inquiry: Identity, candidates: Iterable[Candidate]) -> Match | None:
    """The person on file who is the same human, or None.

    A shared number or address is not enough: people share phones and
    mailboxes, so the names must be near each other or one of them missing.
    A number counts for more than an address; ties go to the older record.
    """
    found = [ranked for one in candidates if (ranked := _judge(inquiry, one))]
    if not found:
        return None
    return max(found, key=lambda pair: (pair[0], -pair[1].person_id.int))[1]


def plain_name(name: str) -> str:
    """A name without accents, case and punctuation: what two spellings are compared by."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    kept = (one if one.isalnum() else " " for one in letters if not unicodedata.combining(one))
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


def near_names(ours: Identity, theirs: Identity) -> bool:
    """Whether both names can be one person's: equal, an initial, a nickname, a slip, or missing.

    A father and a son of one name are two, and so are Mario and Maria.
    """
    if two_generations(ours, theirs) or two_names(ours, theirs):
        return False
    first = _near_first(plain_name(ours.first_name), plain_name(theirs.first_name))
    return first and near_last_names(ours, theirs)


def near_last_names(ours: Identity, theirs: Identity) -> bool:
    """Whether the family name can be one: equal, a part of a double name, a slip, or missing."""
    return _near_last(plain_name(ours.last_name), plain_name(theirs.last_name))


def spelled(ours: Identity, theirs: Identity) -> str:
    """How near two near names are, in words."""
    return "same name" if _same_names(ours, theirs) else "near name"


def two_generations(ours: Identity, theirs: Identity) -> bool:
    """Whether one is called junior and the other senior, or the third."""
    return bool(ours.suffix and theirs.suffix and ours.suffix != theirs.suffix)


def two_names(ours: Identity, theirs: Identity) -> bool:
    """Whether the first names differ by their last vowel alone, as a brother's and a sister's do.

    A typing slip looks the same, so staff are asked (`alike`), and nobody is matched by it.
    """
    one, other = plain_name(ours.first_name), plain_name(theirs.first_name)
    if one == other or min(len(one), len(other)) < SHORTEST_NAME or _nickname(one, other):
        return False
    return _stem(one) == _stem(other)


def swapped(number: str) -> set[str]:
    """The numbers from which this one (E.164, US) is one swap of two neighboring digits away."""
    if len(number) != US_LENGTH or not number.startswith("+1"):
        return set()
    pairs = ((n, number[n], number[n + 1]) for n in range(2, US_LENGTH - 1))
    return {f"{number[:n]}{right}{left}{number[n + 2 :]}" for n, left, right in pairs} - {number}


def _judge(inquiry: Identity, candidate: Candidate) -> tuple[int, Match] | None:
    theirs = candidate.identity
    phones = inquiry.phones & theirs.phones
    emails = inquiry.emails & theirs.emails
    if not (phones or emails) or not near_names(inquiry, theirs):
        return None
    shared = [word for word, hit in (("phone", phones), ("e-mail", emails)) if hit]
    evidence = f"same {' and '.join(shared)}, {spelled(inquiry, theirs)}"
    rank = 4 * bool(phones) + 2 * bool(emails) + _same_names(inquiry, theirs)
    return rank, Match(person_id=candidate.person_id, evidence=evidence)


def _same_names(ours: Identity, theirs: Identity) -> bool:
    return (plain_name(ours.first_name), plain_name(ours.last_name)) == (
        plain_name(theirs.first_name),
        plain_name(theirs.last_name),
    )


def _near_first(ours: str, theirs: str) -> bool:
    if not ours or not theirs or ours == theirs:
        return True
    short, long = sorted((ours, theirs), key=len)
    if long.startswith(short):  # an initial, or Rob for Robert
        return True
    return _nickname(short, long) or _slip(ours, theirs)


def _near_last(ours: str, theirs: str) -> bool:
    if not ours or not theirs or ours == theirs:
        return True
    parts_ours, parts_theirs = set(ours.split()), set(theirs.split())
    return bool(parts_ours & parts_theirs) or _slip(ours, theirs)


def _stem(name: str) -> str:
    return name.removesuffix(name[-1]) if name[-1] in ENDINGS else name


def _slip(ours: str, theirs: str) -> bool:
    shortest = min(len(ours), len(theirs))
    forgiven = (shortest >= ONE_SLIP) + (shortest >= TWO_SLIPS)
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


def _nickname(ours: str, theirs: str) -> bool:
    return any(ours in names and theirs in names for names in NICKNAMES)
