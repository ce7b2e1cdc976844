"""Sequences that staff change: proposed, read by a second person, and followed once approved."""

from collections.abc import Callable
from collections.abc import Sequence as Many
from datetime import datetime
from typing import Any

from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach import editions, wording
from rooftree.outreach.models import Template
from rooftree.outreach.purposes import occasion

MOST = 12  # steps
LONGEST = 90 * 24 * 60  # minutes between two steps


def propose(draft: Sequence, *, by: User, summary: str, at: datetime) -> Sequence:
    """Send steps for approval. Raises `editions.CannotDecide`."""
    return editions.propose(draft, by=by, summary=summary, check=_reader(at), at=at)


def approve(
    sequence: Sequence, *, by: User, until: datetime, at: datetime, alone: bool = False
) -> Sequence:
    """Who starts from now on follows it. Raises `editions.CannotDecide`."""
    return editions.approve(sequence, by=by, until=until, check=_reader(at), at=at, alone=alone)


def put_back(sequence: Sequence, *, by: User, at: datetime) -> Sequence:
    """Follow an earlier edition anew, as the next one. Raises `editions.CannotDecide`."""
    return editions.put_back(sequence, by=by, check=_reader(at), at=at)


def problems(steps: Many[dict[str, Any]], *, at: datetime) -> list[str]:
    """What is wrong with steps, in sentences: each must be able to go out as things stand."""
    if not steps:
        return ["A sequence has at least one step."]
    live = wording.live_templates({one["template"] for one in steps}, at=at)
    found = [f"A sequence has at most {MOST} steps."] if len(steps) > MOST else []
    for place, step in enumerate(steps, 1):
        found += [f"Step {place}: {said}" for said in _of_step(step, live)]
    return found


def _of_step(step: dict[str, Any], live: Many[Template]) -> list[str]:
    found = []
    if not 1 <= step["after_minutes"] <= LONGEST:
        found.append("it comes between a minute and 90 days after the one before.")
    if not step["media"]:
        found.append("choose a text, an e-mail or both.")
    if not occasion(step["template"]).is_step:
        found.append("this wording is for another occasion.")
    for medium in step["media"]:
        try:
            wording.best(live, step["template"], medium=medium, language="en")
        except wording.NoWording:
            title = occasion(step["template"]).title
            found.append(f"“{title}” has no approved wording in English by {medium}.")
    return found


def _reader(at: datetime) -> Callable[[Sequence], Many[str]]:
    return lambda sequence: problems(sequence.steps, at=at)
