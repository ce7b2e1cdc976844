"""Which number and which address of a person we use: the one they stated last, first.

Read from what is loaded already: pages prefetch `person__phones` and `person__emails`, the
path of a lead loads them by `load`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rooftree.leads.models import Email, Person, Phone
from rooftree.org.compiled import Reads

ALL_OF: dict[str, Reads[Any]] = {
    "phones": Reads(lambda people: Phone.objects.filter(person__in=people), people=list[UUID]),
    "emails": Reads(lambda people: Email.objects.filter(person__in=people), people=list[UUID]),
}


def load(people: Iterable[Person], *names: str) -> None:
    """Load `phones` or `emails` of people as `prefetch_related` does, by a text made once."""
    for name in names:
        wanted = [one for one in people if name not in _loaded(one)]
        found: dict[UUID, list[Any]] = defaultdict(list)
        if wanted:
            for row in ALL_OF[name].all(people=list({one.pk for one in wanted})):
                found[row.person_id].append(row)
        for one in wanted:
            rows = getattr(one, name).all()
            rows._result_cache, rows._prefetch_done = found[one.pk], True
            _loaded(one)[name] = rows


def _loaded(person: Person) -> dict[str, Any]:
    held: dict[str, Any] = person.__dict__.setdefault("_prefetched_objects_cache", {})
    return held


def numbers(person: Person) -> list[Phone]:
    """The numbers that are theirs, the one to use first."""
    theirs = [one for one in person.phones.all() if one.unlinked_at is None]
    return sorted(theirs, key=lambda one: (not one.is_primary, one.given_at))


def addresses(person: Person) -> list[Email]:
    """The addresses that take our e-mail, the one to use first."""
    theirs = [one for one in person.emails.all() if one.bounced_at is None]
    return sorted(theirs, key=lambda one: (not one.is_primary, one.given_at))
