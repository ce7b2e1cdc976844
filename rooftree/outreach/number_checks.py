"""Asking about a number before it is called or texted, where only that answer is missing.

What waits for it is held, and decided anew when the answer comes, or in a quarter of an hour.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rooftree.compliance import reassigned
from rooftree.compliance.facts import known
from rooftree.compliance.facts_json import from_json
from rooftree.compliance.models import Verdict
from rooftree.compliance.numbers import questions
from rooftree.compliance.numbers.models import NumberQuestion
from rooftree.compliance.numbers.questions import Wanted
from rooftree.compliance.numbers.shapes import Kind
from rooftree.outreach import reconsider
from rooftree.outreach.models import Message

LOOK_AGAIN = timedelta(minutes=15)
ASKS = {  # what stops a message, and the answer that it lacks
    "scrub_stale": Kind.LISTS,
    "state_scrub_stale": Kind.LISTS,
    "rnd_check_stale": Kind.REASSIGNED,
    "rnd_required_maine": Kind.REASSIGNED,
}
STOPS = ("block", "require")


def waits(verdict: Verdict, *, at: datetime) -> bool:
    """Whether nothing but answers about the number stands in the way; they are asked for now.

    Without a vendor to ask, or with an answer of today that does not help, it does not wait.
    """
    reasons = {one["reason"] for one in verdict.results if one["decision"] in STOPS}
    if not reasons or not reasons <= ASKS.keys():
        return False
    wanted = _questions(verdict, {ASKS[one] for one in reasons}, at)
    return len(wanted) > 0 and questions.ask(wanted, at=at) == wanted


def now_answered(answered: Sequence[NumberQuestion], *, at: datetime) -> int:
    """Messages that waited for these answers are due; how many."""
    numbers = {one.number for one in answered}
    rows = Message.objects.filter(
        to_address__in=numbers, direction="out", state="held", verdict__reason__in=ASKS
    )
    return rows.update(due_at=at)


def ask_instead_of_people(*, at: datetime) -> int:
    """What was left to people for want of a vendor is decided anew; how many messages."""
    reasons = [reason for reason, kind in ASKS.items() if kind is Kind.REASSIGNED]
    return reconsider.now_asked(reasons, at=at)


def _questions(verdict: Verdict, kinds: set[Kind], at: datetime) -> set[Wanted]:
    """Those that it lacks; none where one of them cannot be put, as nobody knows since when."""
    facts = from_json(verdict.facts)
    number = known(facts.recipient, "recipient")
    since = reassigned.query_date(
        known(facts.consents, "consents"),
        spoken_on=known(facts.last_confirmed_on, "last_confirmed_on"),
        today=at.date(),
    )
    if since is None and Kind.REASSIGNED in kinds:
        return set()
    return {
        Wanted(kind=kind, number=number, since=since, person_id=verdict.person_id)
        if kind is Kind.REASSIGNED
        else Wanted(kind=kind, number=number)
        for kind in kinds
    }
