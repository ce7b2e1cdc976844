"""Sequences that staff change: proposed, read by a second person, and followed once approved."""

from collections.abc import Callable
from collections.abc import Sequence as Many
from datetime import datetime
from typing import Any

from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, version_approval
from rooftree.outreach.wording.occasions import get_occasion

MAX_STEPS = 12  # steps
MAX_STEP_MINUTES = 90 * 24 * 60  # minutes between two steps


def propose_draft(draft: Sequence, *, by: User, summary: str, at: datetime) -> Sequence:
    """Send steps for approval. Raises `editions.CannotDecide`."""
    return version_approval.propose_version(
        draft, by=by, summary=summary, check=_make_checker(at), at=at
    )


def approve_draft(
    sequence: Sequence, *, by: User, until: datetime, at: datetime, alone: bool = False
) -> Sequence:
    """Who starts from now on follows it. Raises `editions.CannotDecide`."""
    return version_approval.approve_version(
        sequence, by=by, until=until, check=_make_checker(at), at=at, self_approved=alone
    )


def restore_draft(sequence: Sequence, *, by: User, at: datetime) -> Sequence:
    """Follow an earlier edition anew, as the next one. Raises `editions.CannotDecide`."""
    return version_approval.restore_version(sequence, by=by, check=_make_checker(at), at=at)


def find_problems(steps: Many[dict[str, Any]], *, at: datetime) -> list[str]:
    """What is wrong with steps, in sentences: each must be able to go out as things stand."""
    if not steps:
        return ["A sequence has at least one step."]
    live = message_templates.live_templates({step["template"] for step in steps}, at=at)
    found = [f"A sequence has at most {MAX_STEPS} steps."] if len(steps) > MAX_STEPS else []
    for place, step in enumerate(steps, 1):
        found += [f"Step {place}: {said}" for said in _find_step_problems(step, live)]
    return found


def _find_step_problems(step: dict[str, Any], live: Many[Template]) -> list[str]:
    found = []
    if not 1 <= step["after_minutes"] <= MAX_STEP_MINUTES:
        found.append("it comes between a minute and 90 days after the one before.")
    if not step["media"]:
        found.append("choose a text, an e-mail or both.")
    if not get_occasion(step["template"]).is_step:
        found.append("this wording is for another occasion.")
    for medium in step["media"]:
        try:
            message_templates.best_template(live, step["template"], medium=medium, language="en")
        except message_templates.NoTemplate:
            title = get_occasion(step["template"]).title
            found.append(f"“{title}” has no approved wording in English by {medium}.")
    return found


def _make_checker(at: datetime) -> Callable[[Sequence], Many[str]]:
    return lambda sequence: find_problems(sequence.steps, at=at)
