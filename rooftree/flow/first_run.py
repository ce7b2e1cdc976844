"""What a new installation starts with: first wording, one sequence, a first routing rule."""

from datetime import datetime

from rooftree.nurture import enrol
from rooftree.outreach import wording
from rooftree.routing import publish


def ensure(*, at: datetime) -> None:
    """Give the company what it needs to answer its first lead. Safe to repeat at every start."""
    wording.ensure_first_editions(at=at)
    enrol.ensure_first_sequence(at=at)
    publish.current(at=at)
