"""Unfinished forms: leads without consent, so nothing is sent to them automatically."""

from rooftree.leads.models import Lead, Touch

UNFINISHED_KEY = "is_unfinished"  # among the extras of an inquiry


def is_unfinished_form(touch: Touch) -> bool:
    """Return True if this arrival is a form that was started but not submitted."""
    return UNFINISHED_KEY in touch.inquiry.get("extras", {})


def has_only_unfinished_forms(lead: Lead) -> bool:
    """Return True if every arrival of the lead is a form that was not submitted."""
    if UNFINISHED_KEY not in lead.details.get("extras", {}):
        return False  # the newest arrival was submitted
    return all(is_unfinished_form(touch) for touch in lead.touches.all())
