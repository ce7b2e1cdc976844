"""Names of the values of a report's dimensions that are codes. Pure."""

from collections.abc import Mapping

from rooftree.core.us_states import STATES
from rooftree.leads.scenario_text import CHOICE_LABELS
from rooftree.reporting.reports.dimensions import PRICE_BANDS

LABELS: dict[str, Mapping[str, str]] = {
    "product": CHOICE_LABELS["loan_type"],
    "purpose": CHOICE_LABELS["purpose"],
    "state": STATES,
    "credit": CHOICE_LABELS["credit"],
    "language": {"en": "English", "es": "Spanish", "zh": "Chinese", "vi": "Vietnamese"},
    "price": {key: label for key, (label, _) in PRICE_BANDS.items()},
}


def label_code(dimension: str, code: str) -> str:
    """Return the name of a coded value; the text itself where it has no name."""
    return LABELS.get(dimension, {}).get(code, code)
