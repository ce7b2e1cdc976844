"""The occasions templates are for: built in, or named by staff for sequence steps."""

from collections.abc import Mapping
from dataclasses import dataclass

MEDIUM_NAMES = {"text": "Text", "email": "Email"}  # sent
SPOKEN_MEDIUM_NAMES = {"call": "Call"}  # said by a person
LANGUAGE_NAMES = {"en": "English", "es": "Spanish"}
LOAN_KIND_NAMES = {
    "": "Any loan",
    "purchase": "Purchase",
    "refinance": "Refinance",
    "equity": "Home equity",
}
HOURS_NAMES = {"": "Any hour", "closed": "After hours", "no_call": "When we can’t call"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One occasion for sending a message."""

    title: str
    when: str
    is_bare: bool = False  # a short reply in a conversation: no NMLS ID, no opt-out
    is_step: bool = False  # sequences can use it as a step
    has_rates: bool = False  # contains figures from a rate sheet we keep
    is_spoken: bool = False  # an officer says it; nothing is sent

    @property
    def media(self) -> Mapping[str, str]:
        """The names of the possible media, by code."""
        return SPOKEN_MEDIUM_NAMES if self.is_spoken else MEDIUM_NAMES


OCCASIONS = {
    "call_opening": Occasion(
        title="Opening script", when="The first words of an officer on a call", is_spoken=True
    ),
    "first_hello": Occasion(title="First response", when="Within seconds of a first inquiry"),
    "again_hello": Occasion(
        title="Response to a repeat inquiry", when="When a known borrower asks again"
    ),
    "missed_call": Occasion(title="Missed call", when="When no one answered a borrower’s call"),
    "not_reached_1": Occasion(title="Not reached, first try", when="Sequence step", is_step=True),
    "not_reached_2": Occasion(title="Not reached, last try", when="Sequence step", is_step=True),
    "rate_reached": Occasion(
        title="Rate reached",
        when="When our rate sheet reaches a borrower’s target rate",
        has_rates=True,
    ),
    "clear_to_close": Occasion(
        title="Clear to close", when="When underwriting has cleared all conditions"
    ),
    "stop_confirmed": Occasion(
        title="Opt-out confirmation", when="Once, after a borrower texts STOP", is_bare=True
    ),
    "help_answer": Occasion(
        title="Answer to HELP", when="After a borrower texts HELP", is_bare=True
    ),
}


def get_occasion(key: str) -> Occasion:
    """Return the occasion of a template key; an unknown key is a sequence step named by staff."""
    title = key.replace("_", " ").capitalize()
    return OCCASIONS.get(key) or Occasion(title=title, when="Sequence step", is_step=True)
