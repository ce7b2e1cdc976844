"""Which approved wording fits everyone in a release's audience."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q, QuerySet

from rooftree.leads.models import Lead
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.occasions import OCCASIONS

# Leads to whom an occasion's words would be untrue, by the occasion's key.
UNTRUE_FOR: Mapping[str, Q] = {
    "not_reached_1": Q(first_conversation_at__isnull=False) | Q(first_attempt_at=None),
    "not_reached_2": Q(first_conversation_at__isnull=False),
}
UNTRUE_BECAUSE = {  # of one lead and of several
    "not_reached_1": (
        "has been spoken with or was never called",
        "have been spoken with or were never called",
    ),
    "not_reached_2": ("has been spoken with", "have been spoken with"),
}


def count_misfits(key: str, leads: QuerySet[Lead]) -> int:
    """Return how many of the leads an occasion's words would be untrue for."""
    misfit = UNTRUE_FOR.get(key)
    return leads.filter(misfit).count() if misfit is not None else 0


def approved_wordings(loan: str, *, at: datetime) -> list[tuple[str, str]]:
    """Return key and medium of the approved wordings for campaigns, for an audience's loan kind.

    Wordings that an event sends automatically are left out, and so are wordings that exist only
    for another loan kind. An empty `loan` means any loan.
    """
    keys = Template.objects.values_list("key", flat=True).distinct()
    steps = {key for key in keys if key not in OCCASIONS or OCCASIONS[key].is_step}
    loan_kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for template in message_templates.live_templates(steps, at=at):
        if template.language == "en":
            loan_kinds[template.key, template.medium].add(template.loan_kind)
    return sorted(place for place, kinds in loan_kinds.items() if kinds & {"", loan})


def fitting_wordings(leads: QuerySet[Lead], loan: str, *, at: datetime) -> list[tuple[str, str]]:
    """Return key and medium of the approved wordings that are true for every one of the leads."""
    approved = approved_wordings(loan, at=at)
    fits = {key: not count_misfits(key, leads) for key in {key for key, _ in approved}}
    return [(key, medium) for key, medium in approved if fits[key]]
