"""Leads that are only a form somebody began: no consent, so nothing goes to them by itself."""

from rooftree.leads.models import Lead, Touch

MARK = "is_unfinished"  # among the extras of an inquiry


def is_unfinished(touch: Touch) -> bool:
    """Whether this arrival is a form that was begun and not sent."""
    return MARK in touch.inquiry.get("extras", {})


def only_begun(lead: Lead) -> bool:
    """Whether they never asked us for anything: every arrival is a form that was not sent."""
    if MARK not in lead.details.get("extras", {}):
        return False  # the newest arrival is whole
    return all(is_unfinished(one) for one in lead.touches.all())
