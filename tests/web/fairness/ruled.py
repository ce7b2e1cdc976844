"""Expected decisions from `rooftree decide`, for comparison with a page."""

from typing import Any

from rooftree.compliance.gate import reason_sentences
from rooftree_casebook.decide_case import case_verdict


def decide(**facts: Any) -> tuple[str, str]:
    """Return the decision and its reason code."""
    verdict = case_verdict(facts)
    return verdict.decision, verdict.reason


def law_of(reason: str) -> str:
    """Return the reason's sentence, escaped as on a page."""
    return reason_sentences.REASON_SENTENCES[reason].replace("'", "&#x27;")
