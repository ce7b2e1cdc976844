"""Wording that staff write: proposed, read by a second person, and in use once approved."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rooftree.org.models import User
from rooftree.outreach import editions
from rooftree.outreach.models import Template
from rooftree.outreach.read_wording import read


def propose(draft: Template, *, by: User, summary: str, at: datetime) -> Template:
    """Send wording for approval. Raises `editions.CannotDecide`, also while a finding blocks."""
    return editions.propose(draft, by=by, summary=summary, check=_reader(at), at=at)


def approve(
    template: Template, *, by: User, until: datetime, at: datetime, alone: bool = False
) -> Template:
    """Use it from now on. Raises `editions.CannotDecide`, also while a finding blocks."""
    return editions.approve(template, by=by, until=until, check=_reader(at), at=at, alone=alone)


def put_back(template: Template, *, by: User, at: datetime) -> Template:
    """Use an earlier edition anew, as the next one. Raises `editions.CannotDecide`."""
    return editions.put_back(template, by=by, check=_reader(at), at=at)


def _reader(at: datetime) -> Callable[[Template], Sequence[str]]:
    return lambda template: [one.said for one in read(template, at=at).blocking]
