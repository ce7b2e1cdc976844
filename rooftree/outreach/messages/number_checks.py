"""Vendor checks of a number before a call or text, requested when only they are missing.

A message waiting for a check is held and decided again when the answer arrives, or after
RECHECK_AFTER.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rooftree.compliance.gate import reassigned_number_check
from rooftree.compliance.gate.facts import get_fact
from rooftree.compliance.gate.facts_json import facts_from_json
from rooftree.compliance.models import Verdict
from rooftree.compliance.numbers import number_questions
from rooftree.compliance.numbers.models import NumberQuestion
from rooftree.compliance.numbers.number_questions import NewQuestion
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.outreach.messages import redecide_held_messages
from rooftree.outreach.models import Message

RECHECK_AFTER = timedelta(minutes=15)
CHECK_KINDS = {  # the check that answers each reason for stopping a message
    "scrub_stale": QuestionKind.LISTS,
    "state_scrub_stale": QuestionKind.LISTS,
    "rnd_check_stale": QuestionKind.REASSIGNED,
    "rnd_required_maine": QuestionKind.REASSIGNED,
}
STOPPING_DECISIONS = ("block", "require")


def request_missing_checks(verdict: Verdict, *, at: datetime) -> bool:
    """Request the number checks a verdict lacks; return True if only they stop the message.

    Returns False without a vendor to ask, or if today's answer already didn't help.
    """
    reasons = {
        result["reason"] for result in verdict.results if result["decision"] in STOPPING_DECISIONS
    }
    if not reasons or not reasons <= CHECK_KINDS.keys():
        return False
    questions = _build_questions(verdict, {CHECK_KINDS[reason] for reason in reasons}, at)
    return len(questions) > 0 and number_questions.enqueue_questions(questions, at=at) == questions


def make_answered_messages_due(answered: Sequence[NumberQuestion], *, at: datetime) -> int:
    """Make messages that waited for these answers due now; return how many."""
    numbers = {question.number for question in answered}
    rows = Message.objects.filter(
        to_address__in=numbers, direction="out", state="held", verdict__reason__in=CHECK_KINDS
    )
    return rows.update(due_at=at)


def redecide_reviewed_messages(*, at: datetime) -> int:
    """Requeue messages left to staff because no vendor could check them; return how many."""
    reasons = [reason for reason, kind in CHECK_KINDS.items() if kind is QuestionKind.REASSIGNED]
    return redecide_held_messages.redecide_reviewed(reasons, at=at)


def _build_questions(verdict: Verdict, kinds: set[QuestionKind], at: datetime) -> set[NewQuestion]:
    """Build the missing questions; none at all if the date a reassigned check needs is unknown."""
    facts = facts_from_json(verdict.facts)
    number = get_fact(facts.recipient, "recipient")
    since = reassigned_number_check.query_date(
        get_fact(facts.consents, "consents"),
        spoken_on=get_fact(facts.last_confirmed_on, "last_confirmed_on"),
        today=at.date(),
    )
    if since is None and QuestionKind.REASSIGNED in kinds:
        return set()
    return {
        NewQuestion(kind=kind, number=number, since=since, person_id=verdict.person_id)
        if kind is QuestionKind.REASSIGNED
        else NewQuestion(kind=kind, number=number)
        for kind in kinds
    }
