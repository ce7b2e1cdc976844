"""The words of an answer to a person, for staff to read, sign and hand over. Nothing is sent by us.

They say what was done, what stays and why, and where to complain, without a term of the trade.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rooftree.compliance.gate.rulebook import DATA_LEVEL_STATES
from rooftree.retention.models import PrivacyRequest
from rooftree.retention.retention_schedule import SCHEDULE

LEGAL_HOLD_SENTENCE = (
    "Records that a legal matter needs. While it lasts we may remove nothing, whatever its age."
)
APPEAL_SENTENCE = (
    "If you think this answer is wrong, write to us at the address above and say why; somebody "
    "else here will look at it again. You may also complain to the attorney general of {state}."
)
GLBA_SENTENCE = (
    "Information about an application for a loan is protected by the Gramm-Leach-Bliley Act and "
    "not by state privacy law; what we say of it here goes beyond what we owe you."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """What the letter needs to know besides the request."""

    company: str
    postal_address: str
    name: str  # of the person; "" when nobody is on file
    state: str  # in full, where they say they live
    removed: int  # records that are gone by now
    recipients: Sequence[str]  # who has the data from us


def compose_letter(request: PrivacyRequest, facts: LetterFacts) -> str:
    """It is the whole letter as plain text."""
    parts = [
        f"{facts.company}\n{facts.postal_address}",
        f"Your request of {request.received_date:%B} {request.received_date.day}, "
        f"{request.received_date.year}",
        f"Dear {facts.name or 'Sir or Madam'},",
        *_body_paragraphs(request, facts),
        *_closing_paragraphs(request, facts),
        facts.company,
    ]
    return "\n\n".join(parts) + "\n"


def kept_class_sentences(keys: Sequence[str]) -> list[str]:
    """What stays and why, a sentence or two for each class, each once."""
    return [
        LEGAL_HOLD_SENTENCE if key == "legal_hold" else SCHEDULE[key].kept_reason for key in keys
    ]


def _body_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    if request.outcome == "refused":
        return [f"We cannot do what you asked. {request.refused_because}"]
    if request.person_id is None:
        return [
            "We looked for the number or address you gave us, and hold nothing about you under it. "
            "If we may know you by another one, please tell us."
        ]
    return {
        "access": _access_paragraphs,
        "correction": _correction_paragraphs,
        "deletion": _deletion_paragraphs,
    }[request.kind](request, facts)


def _access_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    return [
        "You asked what we hold about you. All of it is in the file that comes with this letter: "
        "what you told us, what others told us about you and who they are, what you allowed and "
        "took back, and every message and call between us.",
        _disclosure_sentence(facts),
        "We do not sell information about you.",
    ]


def _correction_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    if not request.carried_at:
        return ["You asked us to correct what we hold about you."]
    return [
        f"You asked us to correct what we hold about you. We changed “{request.was or 'nothing'}” "
        f"to “{request.became}”.",
        _disclosure_sentence(facts),
    ]


def _deletion_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    said = ["You asked us to delete what we hold about you. From now on we do not contact you."]
    if facts.removed:
        said.append(
            "We removed what you told us about your plans and your home, and what we wrote down "
            "about it. It cannot be brought back."
        )
    if stays := kept_class_sentences(request.stays):
        said.append("We must keep the following, and use it for nothing else:")
        said.append("\n".join(f"- {stay}" for stay in stays))
    return [*said, _disclosure_sentence(facts)]


def _disclosure_sentence(facts: LetterFacts) -> str:
    if not facts.recipients:
        return "We handed your information to nobody else."
    return f"We had handed your information to: {', '.join(facts.recipients)}."


def _closing_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    said = []
    if "application_and_notices_reg_b" in request.stays:
        said.append(GLBA_SENTENCE)
    if request.state in DATA_LEVEL_STATES:
        said.append(APPEAL_SENTENCE.format(state=facts.state))
    return [*said, "Sincerely,"]
