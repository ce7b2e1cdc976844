"""What `rooftree decide` says, to hold a page against."""

from typing import Any

from rooftree.compliance.gate import reason_sentences
from rooftree_casebook.decide_case import case_verdict


def decided(**given: Any) -> tuple[str, str]:
    """The decision and its reason."""
    verdict = case_verdict(given)
    return verdict.decision, verdict.reason


def law_of(reason: str) -> str:
    """The reason as a page writes it."""
    return reason_sentences.REASON_SENTENCES[reason].replace("'", "&#x27;")
