"""The answer letter to a privacy request, for staff to read, sign and send; Rooftree sends nothing.

The letter says what was done, what stays and why, and where to complain, without jargon.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rooftree.compliance.gate.rulebook import DATA_LEVEL_STATES
from rooftree.retention.models import PrivacyRequest
from rooftree.retention.retention_schedule import SCHEDULE

LEGAL_HOLD_SENTENCE = (
    "Records that a legal matter needs. While it lasts, we can’t remove anything, whatever its age."
)
APPEAL_SENTENCE = (
    "If you think this answer is wrong, write to us at the address above and tell us why. Someone "
    "else here will review it. You can also complain to the attorney general of {state}."
)
GLBA_SENTENCE = (
    "The Gramm-Leach-Bliley Act, not state privacy law, protects information about a loan "
    "application. What we tell you about it here goes beyond what the law requires."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """The facts of the letter that are not in the request."""

    company: str
    postal_address: str
    name: str  # of the person; "" if nobody is on file
    state: str  # the full name of the state they gave
    removed: int  # records removed so far
    recipients: Sequence[str]  # who received the data from the company


def compose_letter(request: PrivacyRequest, facts: LetterFacts) -> str:
    """Compose the whole letter as plain text."""
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
    """Return one or two sentences for each class, saying which records stay and why."""
    return [
        LEGAL_HOLD_SENTENCE if key == "legal_hold" else SCHEDULE[key].kept_reason for key in keys
    ]


def _body_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    if request.outcome == "refused":
        return [f"We can’t do what you asked. {request.refusal_reason}"]
    if request.person_id is None:
        return [
            "We looked for the number or address you gave us and have nothing about you under it. "
            "If we might know you by another one, please tell us."
        ]
    return {
        "access": _access_paragraphs,
        "correction": _correction_paragraphs,
        "deletion": _deletion_paragraphs,
    }[request.kind](request, facts)


def _access_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    return [
        "You asked what we have about you. All of it is in the file that comes with this letter: "
        "what you told us, what others told us about you and who they are, the permissions you "
        "gave and withdrew, and every message and call between us.",
        _disclosure_sentence(facts),
        "We do not sell information about you.",
    ]


def _correction_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    if not request.carried_at:
        return ["You asked us to correct what we have about you."]
    return [
        f"You asked us to correct what we have about you. "
        f"We changed “{request.old_value or 'nothing'}” "
        f"to “{request.new_value}”.",
        _disclosure_sentence(facts),
    ]


def _deletion_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    paragraphs = ["You asked us to delete what we have about you. We won’t contact you anymore."]
    if facts.removed:
        paragraphs.append(
            "We removed what you told us about your plans and your home, and our notes about it. "
            "It can’t be restored."
        )
    if sentences := kept_class_sentences(request.kept_classes):
        paragraphs.append("We must keep the following, and we use it for nothing else:")
        paragraphs.append("\n".join(f"- {sentence}" for sentence in sentences))
    return [*paragraphs, _disclosure_sentence(facts)]


def _disclosure_sentence(facts: LetterFacts) -> str:
    if not facts.recipients:
        return "We didn’t share your information with anyone."
    return f"We shared your information with: {', '.join(facts.recipients)}."


def _closing_paragraphs(request: PrivacyRequest, facts: LetterFacts) -> list[str]:
    paragraphs = []
    if "application_and_notices_reg_b" in request.kept_classes:
        paragraphs.append(GLBA_SENTENCE)
    if request.state in DATA_LEVEL_STATES:
        paragraphs.append(APPEAL_SENTENCE.format(state=facts.state))
    return [*paragraphs, "Sincerely,"]
