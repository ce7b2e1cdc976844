"""What `rooftree decide` says, to hold a page against."""

from typing import Any

from rooftree.compliance import reasons
from rooftree.compliance.cases import verdict_of


def decided(**given: Any) -> tuple[str, str]:
    """The decision and its reason."""
    verdict = verdict_of(given)
    return verdict.decision, verdict.reason


def law_of(reason: str) -> str:
    """The reason as a page writes it."""
    return reasons.MESSAGES[reason].replace("'", "&#x27;")
