"""Leads that are only a form somebody began: no consent, so nothing goes to them by itself."""

from rooftree.leads.models import Lead, Touch

UNFINISHED_KEY = "is_unfinished"  # among the extras of an inquiry


def is_unfinished_form(touch: Touch) -> bool:
    """Whether this arrival is a form that was begun and not sent."""
    return UNFINISHED_KEY in touch.inquiry.get("extras", {})


def has_only_unfinished_forms(lead: Lead) -> bool:
    """Whether they never asked us for anything: every arrival is a form that was not sent."""
    if UNFINISHED_KEY not in lead.details.get("extras", {}):
        return False  # the newest arrival is whole
    return all(is_unfinished_form(touch) for touch in lead.touches.all())
