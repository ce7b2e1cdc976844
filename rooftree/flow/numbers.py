"""What follows from answers about numbers, and which are asked for as leads come in."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched

from django.db import transaction

from rooftree.capture.intake import OPEN, Stored
from rooftree.compliance import revoke
from rooftree.compliance.numbers import questions, service
from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.compliance.numbers.questions import Wanted
from rooftree.compliance.numbers.shapes import Kind
from rooftree.flow.messages import send_messages
from rooftree.leads import to_do
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach import number_checks
from rooftree.outreach.duties import end_of_next_day
from rooftree.tasks.announce import announce

NEW_NUMBER = "new_number"
AT_ONCE = 1000  # questions put in one transaction


def set_up(wanted: service.Wanted, *, by: User, at: datetime) -> NumberService:
    """Ask this account from now on, also about what waits for people. Raises `BadService`."""
    kept = service.keep(wanted, by=by, at=at)
    with transaction.atomic():
        if kept.asks_reassigned and number_checks.ask_instead_of_people(at=at):
            send_messages.enqueue()
    return kept


def ask_due(*, at: datetime) -> None:
    """Ask the vendor until no question is due. Must not run in a transaction."""
    while (answered := questions.ask_next(at=at)) is not None:
        with transaction.atomic():
            _follow(questions.record(answered, at=at), at)


def come(found: Iterable[str], *, at: datetime) -> None:
    """Have the lists asked about numbers of a file that may be imported, some at a time."""
    for some in batched(sorted(found), AT_ONCE):
        with transaction.atomic():
            questions.ask({Wanted(kind=Kind.LISTS, number=one) for one in some}, at=at)


def arrived(stored: Sequence[Stored], *, at: datetime) -> None:
    """Have the lists asked about the numbers of new leads, before anybody calls or writes."""
    questions.ask(
        {
            Wanted(kind=Kind.LISTS, number=phone["e164"])
            for one in stored
            for phone in one.touch.inquiry.get("phones", [])
            if phone.get("e164")
        },
        at=at,
    )


def _follow(answered: Sequence[NumberQuestion], at: datetime) -> None:
    for one in answered:
        if one.response == "yes" and one.person_id:
            _changed_hands(one, at)
    if number_checks.now_answered(answered, at=at):
        send_messages.enqueue()


def _changed_hands(one: NumberQuestion, at: datetime) -> None:
    """The number is no longer theirs: it is unlinked, and their officer asks for another."""
    assert one.person_id is not None  # asked for this person
    cause = f"reassigned:{one.pk}"
    revoke.unlink(
        person_id=one.person_id, number=one.number, origin=f"numbers:{one.service}",
        cause=cause, at=at,
    )  # fmt: skip
    wanted = to_do.Wanted(
        kind=NEW_NUMBER,
        title="Their number has changed hands: ask for the new one by e-mail or letter",
        due_at=end_of_next_day(at),
    )
    for lead in Lead.objects.filter(person=one.person_id, state__in=OPEN):
        to_do.ask_for(wanted, lead_id=lead.pk, at=at)
        announce("lead", lead=str(lead.pk))
