"""Sequences edited by staff: proposed, checked, and followed once a second person approves."""

from collections.abc import Callable
from collections.abc import Sequence as Many
from datetime import datetime
from typing import Any

from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, version_approval
from rooftree.outreach.wording.occasions import get_occasion

MAX_STEPS = 12
MAX_STEP_MINUTES = 90 * 24 * 60  # between two steps


def propose_draft(draft: Sequence, *, by: User, summary: str, at: datetime) -> Sequence:
    """Send a sequence for approval. Raises `version_approval.CannotDecideVersion`."""
    return version_approval.propose_version(
        draft, by=by, summary=summary, check=_make_checker(at), at=at
    )


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


def find_problems(steps: Many[dict[str, Any]], *, at: datetime) -> list[str]:
    """Return the problems of steps as sentences; every step has to be sendable as things stand."""
    if not steps:
        return ["Add at least one step."]
    live = message_templates.live_templates({step["template"] for step in steps}, at=at)
    problems = [f"A sequence can have up to {MAX_STEPS} steps."] if len(steps) > MAX_STEPS else []
    for number, step in enumerate(steps, 1):
        problems += [f"Step {number}: {problem}" for problem in _find_step_problems(step, live)]
    return problems


def _find_step_problems(step: dict[str, Any], live: Many[Template]) -> list[str]:
    problems = []
    if not 1 <= step["after_minutes"] <= MAX_STEP_MINUTES:
        problems.append("set a delay between 1 minute and 90 days.")
    if not step["media"]:
        problems.append("choose text, email or both.")
    if not get_occasion(step["template"]).is_step:
        problems.append("choose a template meant for sequences.")
    for medium in step["media"]:
        try:
            message_templates.best_template(live, step["template"], medium=medium, language="en")
        except message_templates.NoTemplate:
            title = get_occasion(step["template"]).title
            problems.append(f"“{title}” has no approved English {medium} template.")
    return problems


def _make_checker(at: datetime) -> Callable[[Sequence], Many[str]]:
    return lambda sequence: find_problems(sequence.steps, at=at)
