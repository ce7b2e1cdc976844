"""The defaults of a new installation: first templates, one sequence, a first routing rule."""

from datetime import datetime

from rooftree.nurture import sequence_enrollment
from rooftree.org.models import Company
from rooftree.outreach.wording import message_templates, snippets
from rooftree.routing import rule_sets


def create_defaults_if_company(*, at: datetime) -> None:
    """Create the defaults once a company exists. The scheduler calls this."""
    if Company.objects.exists():
        create_defaults(are_approved=False, at=at)


def create_defaults(*, are_approved: bool, at: datetime) -> None:
    """Create what a company needs to answer its first lead. Safe to repeat at every start.

    Args:
        are_approved: an invented company uses templates and sequence at once; a real one's
            wait for somebody who reads and adopts them.
    """
    message_templates.ensure_default_templates(are_approved=are_approved, at=at)
    snippets.ensure_default_snippets(at=at)
    sequence_enrollment.ensure_first_sequence(is_approved=are_approved, at=at)
    rule_sets.load_current_rule_set(at=at)
