"""Wording and steps that came with the company, approved anew each year, as a lender would."""

from datetime import datetime, timedelta
from types import ModuleType

from rooftree.nurture import sequence_approval
from rooftree.nurture.models import Sequence
from rooftree.org.models import StaffNotice, User
from rooftree.outreach.models import ContentVersion, Template
from rooftree.outreach.wording import template_approval, version_approval

RENEW_WINDOW = timedelta(days=90)  # that long every approval is still in force
RENEW_LEAD_TIME = timedelta(days=15)  # before an approval ends, they look at it
EDITION_KINDS: tuple[tuple[type[ContentVersion], ModuleType], ...] = (
    (Template, template_approval),
    (Sequence, sequence_approval),
)


def renew_approvals(*, at: datetime) -> None:
    """Marketing asks and compliance approves, in time, so that nothing in use runs out."""
    author = User.objects.filter(role="marketing").earliest("pk")
    reader = User.objects.filter(role="compliance").earliest("pk")
    for table, publish in EDITION_KINDS:
        ending = table._default_manager.filter(
            from_at__isnull=False, until_at=None, approved_until__lt=at + RENEW_WINDOW
        )
        for one in list(ending.order_by("pk")):
            moment = min(at, one.approved_until - RENEW_LEAD_TIME)
            same = publish.propose_draft(
                version_approval.copy_as_draft(one),
                by=author,
                summary="Renewal without changes",
                at=moment,
            )
            publish.approve_draft(
                same, by=reader, until=moment + version_approval.MAX_APPROVAL, at=moment
            )
    StaffNotice.objects.filter(kind="edition", read_at=None, at__lte=at).update(read_at=at)
