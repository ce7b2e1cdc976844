"""Wording and steps that came with the company, approved anew each year, as a lender would."""

from datetime import datetime, timedelta
from types import ModuleType

from rooftree.nurture import publish_sequence
from rooftree.nurture.models import Sequence
from rooftree.org.models import StaffNotice, User
from rooftree.outreach import editions, publish_wording
from rooftree.outreach.models import Edition, Template

AHEAD = timedelta(days=90)  # that long every approval is still in force
EARLY = timedelta(days=15)  # before an approval ends, they look at it
KINDS: tuple[tuple[type[Edition], ModuleType], ...] = (
    (Template, publish_wording),
    (Sequence, publish_sequence),
)


def keep(*, at: datetime) -> None:
    """Marketing asks and compliance approves, in time, so that nothing in use runs out."""
    author = User.objects.filter(role="marketing").earliest("pk")
    reader = User.objects.filter(role="compliance").earliest("pk")
    for table, publish in KINDS:
        ending = table._default_manager.filter(
            from_at__isnull=False, until_at=None, approved_until__lt=at + AHEAD
        )
        for one in list(ending.order_by("pk")):
            moment = min(at, one.approved_until - EARLY)
            same = publish.propose(
                editions.copied(one), by=author, summary="The same, for another year", at=moment
            )
            publish.approve(same, by=reader, until=moment + editions.LONGEST, at=moment)
    StaffNotice.objects.filter(kind="edition", read_at=None, at__lte=at).update(read_at=at)
