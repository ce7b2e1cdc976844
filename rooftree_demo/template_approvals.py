"""Yearly renewal of the approvals of default templates and sequences, as a lender does it."""

from datetime import datetime, timedelta
from types import ModuleType

from rooftree.nurture import sequence_approval
from rooftree.nurture.models import Sequence
from rooftree.org.models import StaffNotice, User
from rooftree.outreach.models import ContentVersion, Template
from rooftree.outreach.wording import template_approval, version_approval

RENEW_WINDOW = timedelta(days=90)  # every approval stays in force at least this long
RENEW_LEAD_TIME = timedelta(days=15)  # renewal is dated this long before an approval ends
EDITION_KINDS: tuple[tuple[type[ContentVersion], ModuleType], ...] = (
    (Template, template_approval),
    (Sequence, sequence_approval),
)


def renew_approvals(*, at: datetime) -> None:
    """Renew approvals that end soon: marketing proposes and compliance approves."""
    author = User.objects.with_role("marketing").earliest("pk")
    reader = User.objects.with_role("compliance").earliest("pk")
    for table, publish in EDITION_KINDS:
        ending = table._default_manager.filter(
            from_at__isnull=False, until_at=None, approved_until__lt=at + RENEW_WINDOW
        )
        for version in list(ending.order_by("pk")):
            assert version.approved_until  # the filter leaves no other
            moment = min(at, version.approved_until - RENEW_LEAD_TIME)
            draft = publish.propose_draft(
                version_approval.copy_as_draft(version),
                by=author,
                summary="Renewal without changes",
                at=moment,
            )
            publish.approve_draft(
                draft, by=reader, until=moment + version_approval.MAX_APPROVAL, at=moment
            )
    StaffNotice.objects.filter(kind="edition", read_at=None, at__lte=at).update(read_at=at)
