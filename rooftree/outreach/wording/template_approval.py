"""Templates written by staff: proposed, checked, and in use once a second person approves."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.transaction import atomic

from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import version_approval
from rooftree.outreach.wording.template_check import check_template


def propose_draft(draft: Template, *, by: User, summary: str, at: datetime) -> Template:
    """Send a template for approval.

    Raises `version_approval.CannotDecideVersion`, also while a finding blocks it.
    """
    return version_approval.propose_version(
        draft, by=by, summary=summary, check=_make_checker(at), at=at
    )


def approve_draft(
    template: Template, *, by: User, until: datetime, at: datetime, self_approved: bool = False
) -> Template:
    """Put a template into use.

    Raises `version_approval.CannotDecideVersion`, also while a finding blocks it.
    """
    return version_approval.approve_version(
        template, by=by, until=until, check=_make_checker(at), at=at, self_approved=self_approved
    )


def adopt_defaults(templates: Sequence[Template], *, by: User, at: datetime) -> int:
    """Approve default templates that somebody has read, for MAX_APPROVAL; return how many.

    Raises `version_approval.CannotDecideVersion`, and approves none, while a finding blocks one.
    """
    until = at + version_approval.MAX_APPROVAL
    with atomic():
        for template in templates:
            approve_draft(template, by=by, until=until, at=at)
    return len(templates)


def restore_draft(template: Template, *, by: User, at: datetime) -> Template:
    """Use an earlier version again. Raises `version_approval.CannotDecideVersion`."""
    return version_approval.restore_version(template, by=by, check=_make_checker(at), at=at)


def _make_checker(at: datetime) -> Callable[[Template], Sequence[str]]:
    return lambda template: [
        finding.text for finding in check_template(template, at=at).blocking_findings
    ]
