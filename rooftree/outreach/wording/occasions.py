"""What standing wording is for: the occasions the program knows, and those of sequences."""

from collections.abc import Mapping
from dataclasses import dataclass

from rooftree.outreach.models import Template

MEDIUM_NAMES = {"text": "Text", "email": "E-mail"}  # what is sent
SPOKEN_MEDIUM_NAMES = {"call": "Call"}  # what a person says
LANGUAGE_NAMES = {"en": "English", "es": "Spanish"}
LOAN_KIND_NAMES = {
    "": "Any loan",
    "purchase": "Purchase",
    "refinance": "Refinance",
    "equity": "Home equity",
}
HOURS_NAMES = {"": "Any hour", "closed": "While nobody calls"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One thing that wording is sent for."""

    title: str
    when: str
    is_bare: bool = False  # a few words in a running exchange: no NMLS ID, no way out of it
    is_step: bool = False  # a step of a sequence, so a sequence may use it
    has_rates: bool = False  # it carries the figures of a rate sheet we keep
    is_spoken: bool = False  # an officer says it; nothing goes out

    @property
    def media(self) -> Mapping[str, str]:
        """What it may go by, by code, with its name."""
        return SPOKEN_MEDIUM_NAMES if self.is_spoken else MEDIUM_NAMES


OCCASIONS = {
    "call_opening": Occasion(
        title="Opening words", when="What an officer says first on a call", is_spoken=True
    ),
    "first_hello": Occasion(title="First answer", when="Within seconds of a first inquiry"),
    "again_hello": Occasion(
        title="Answer to a repeated inquiry", when="When somebody we know asks again"
    ),
    "missed_call": Occasion(title="Missed call", when="When nobody took a borrower’s call"),
    "not_reached_1": Occasion(
        title="Not reached, first try", when="A step of a sequence", is_step=True
    ),
    "not_reached_2": Occasion(
        title="Not reached, last try", when="A step of a sequence", is_step=True
    ),
    "rate_reached": Occasion(
        title="Rate reached", when="When a rate they wait for is on our sheet", has_rates=True
    ),
    "clear_to_close": Occasion(title="Clear to close", when="When underwriting has no condition"),
    "stop_confirmed": Occasion(
        title="Stop confirmed", when="Once, after they wrote STOP", is_bare=True
    ),
    "help_answer": Occasion(title="Answer to HELP", when="After they wrote HELP", is_bare=True),
}


def get_occasion(key: str) -> Occasion:
    """It is what wording of this key is for; staff name those of steps themselves."""
    found = OCCASIONS.get(key)
    title = key.replace("_", " ").capitalize()
    return found or Occasion(title=title, when="A step of a sequence", is_step=True)


def describe_place(one: Template) -> str:
    """Where it stands: its medium, and its loan and hour unless it is for all of them."""
    parts = [
        get_occasion(one.key).media[one.medium],
        LOAN_KIND_NAMES[one.loan_kind] if one.loan_kind else "",
    ]
    return ", ".join(filter(None, [*parts, HOURS_NAMES[one.hours].lower() if one.hours else ""]))
