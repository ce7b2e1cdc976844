"""Sequences edited by staff: proposed, checked, and followed once a second person approves."""

from collections.abc import Callable
from collections.abc import Sequence as Many
from datetime import datetime

from rooftree.nurture.models import Sequence
from rooftree.nurture.sequence_enrollment import plan_of
from rooftree.nurture.sequence_plan import BadPlan, Step
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, template_samples, version_approval
from rooftree.outreach.wording.occasions import get_occasion


def propose_draft(draft: Sequence, *, by: User, summary: str, at: datetime) -> Sequence:
    """Send a sequence for approval. Raises `version_approval.CannotDecideVersion`.

    It takes the place of a default, or one of the library, that nobody has approved yet.
    """
    checker = _make_checker(at, counts_waiting=True)
    if summary.strip() and not checker(draft):
        for waiting in version_approval.waiting_defaults(Sequence).filter(key=draft.key):
            version_approval.refuse_version(
                waiting, by=by, reason="Replaced by an edited version", at=at
            )
    return version_approval.propose_version(draft, by=by, summary=summary, check=checker, at=at)


def approve_draft(
    sequence: Sequence, *, by: User, until: datetime, at: datetime, self_approved: bool = False
) -> Sequence:
    """Put a sequence into use for new enrollments.

    Raises `version_approval.CannotDecideVersion`.
    """
    return version_approval.approve_version(
        sequence, by=by, until=until, check=_make_checker(at), at=at, self_approved=self_approved
    )


def restore_draft(sequence: Sequence, *, by: User, at: datetime) -> Sequence:
    """Use an earlier version again. Raises `version_approval.CannotDecideVersion`."""
    return version_approval.restore_version(sequence, by=by, check=_make_checker(at), at=at)


def find_problems(
    sequence: Sequence, *, at: datetime, counts_waiting: bool = False
) -> list[tuple[int, str]]:
    """Return the problems of a sequence as sentences by step number; 0 is the whole sequence.

    Every message has to be sendable as things stand.

    Args:
        counts_waiting: a template that waits for approval is good enough, as for a proposal.
    """
    try:
        plan = plan_of(sequence)
    except BadPlan as problem:
        return list(problem.problems)
    keys = {step.template for step in plan.steps if step.template}
    usable = message_templates.live_templates(keys, at=at)
    if counts_waiting:
        usable += Template.objects.filter(key__in=keys, decided_at=None)
    return [
        (number, sentence)
        for number, step in enumerate(plan.steps, 1)
        for sentence in [*_find_step_problems(step, usable), *_find_word_problems(step, at)]
    ]


def name_problems(problems: Many[tuple[int, str]]) -> list[str]:
    """Return problems as sentences that name their step."""
    return [f"Step {number}: {text}" if number else text for number, text in problems]


def _find_step_problems(step: Step, usable: Many[Template]) -> list[str]:
    problems = []
    if step.kind == "message" and not get_occasion(step.template).is_step:
        problems.append("choose a template meant for sequences.")
    for medium in step.media if step.kind == "message" else ():
        try:
            message_templates.best_template(usable, step.template, medium=medium, language="en")
        except message_templates.NoTemplate:
            title = get_occasion(step.template).title
            problems.append(f"“{title}” has no approved English {medium} template.")
    verb, _, target = step.then.partition(":")
    others = Sequence.objects.filter(key=target)
    if step.kind == "branch" and verb == "move" and not others.exists():
        problems.append(f"the sequence it moves to, “{target}”, is not here. Add it first.")
    return problems


def _find_word_problems(step: Step, at: datetime) -> list[str]:
    """Return the problems of what a loan officer reads, as it renders for sample borrowers."""
    problems = []
    for language, words in step.words.items():
        template = Template(key="sequence_step", medium="email", language=language, body=words)
        try:
            for sample in template_samples.sample_borrowers(template):
                template_samples.render_sample(template, sample, at=at)
        except message_templates.BadTemplate as problem:
            text = str(problem).partition(": ")[2].partition("\n")[0].rstrip(".")
            problems.append(f"write what can be filled in: {text}.")
    return problems


def _make_checker(at: datetime, *, counts_waiting: bool = False) -> Callable[[Sequence], Many[str]]:
    return lambda sequence: name_problems(
        find_problems(sequence, at=at, counts_waiting=counts_waiting)
    )
