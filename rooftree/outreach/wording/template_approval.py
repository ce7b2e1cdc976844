"""Wording that staff write: proposed, read by a second person, and in use once approved."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import version_approval
from rooftree.outreach.wording.template_check import check_template


def propose_draft(draft: Template, *, by: User, summary: str, at: datetime) -> Template:
    """Send wording for approval. Raises `editions.CannotDecide`, also while a finding blocks."""
    return version_approval.propose_version(
        draft, by=by, summary=summary, check=_make_checker(at), at=at
    )


def approve_draft(
    template: Template, *, by: User, until: datetime, at: datetime, alone: bool = False
) -> Template:
    """Use it from now on. Raises `editions.CannotDecide`, also while a finding blocks."""
    return version_approval.approve_version(
        template, by=by, until=until, check=_make_checker(at), at=at, self_approved=alone
    )


def restore_draft(template: Template, *, by: User, at: datetime) -> Template:
    """Use an earlier edition anew, as the next one. Raises `editions.CannotDecide`."""
    return version_approval.restore_version(template, by=by, check=_make_checker(at), at=at)


def _make_checker(at: datetime) -> Callable[[Template], Sequence[str]]:
    return lambda template: [
        blocking_finding.text
        for blocking_finding in check_template(template, at=at).blocking_findings
    ]
