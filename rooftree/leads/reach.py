"""Which number and which address of a person we use: the one they stated last, first.

Read from what is loaded already: pages prefetch `person__phones` and `person__emails`.
"""

from rooftree.leads.models import Email, Person, Phone


def numbers(person: Person) -> list[Phone]:
    """The numbers that are theirs, the one to use first."""
    theirs = [one for one in person.phones.all() if one.unlinked_at is None]
    return sorted(theirs, key=lambda one: (not one.is_primary, one.given_at))


def addresses(person: Person) -> list[Email]:
    """The addresses that take our e-mail, the one to use first."""
    theirs = [one for one in person.emails.all() if one.bounced_at is None]
    return sorted(theirs, key=lambda one: (not one.is_primary, one.given_at))
