"""What a new installation starts with: first wording, one sequence, a first routing rule."""

from datetime import datetime

from rooftree.nurture import enrol
from rooftree.org.models import Company
from rooftree.outreach import wording
from rooftree.routing import publish


def ensure_of_company(*, at: datetime) -> None:
    """As `ensure`, once there is a company to answer for; the clock asks."""
    if Company.objects.exists():
        ensure(at=at)


def ensure(*, at: datetime) -> None:
    """Give the company what it needs to answer its first lead. Safe to repeat at every start."""
    wording.ensure_first_editions(at=at)
    enrol.ensure_first_sequence(at=at)
    publish.current(at=at)
