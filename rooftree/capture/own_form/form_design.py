"""The design of our own form: which questions in which step, and every text in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.capture.own_form import form_texts
from rooftree.capture.own_form.form_questions import DEFAULT_STEPS, MAX_STEPS, QUESTION_NAMES
from rooftree.capture.own_form.form_texts import LANGUAGES
from rooftree.compliance.evidence.form_certificate_check import SELLER_FIELD


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDesign:
    """One design.

    `texts` holds, by language, the texts of `text_keys`. An empty `privacy_url` stands for the
    company's own privacy page.
    """

    steps: tuple[tuple[str, ...], ...]  # names of questions
    texts: Mapping[str, Mapping[str, str]]
    privacy_url: str = ""

    @property
    def questions(self) -> tuple[str, ...]:
        """The names of all questions asked, in order."""
        return tuple(name for step in self.steps for name in step)

    @property
    def text_keys(self) -> tuple[str, ...]:
        """The keys of its texts, in the order of the page."""
        steps = range(1, len(self.steps) + 1)
        return (
            *("title", "lead"),
            *(f"{kind}-{number}" for number in steps for kind in ("step", "step_hint")),
            *(f"{kind}-{name}" for name in self.questions for kind in ("label", "hint")),
            *("consent_label", "consent"),
        )

    def words(self, language: str) -> dict[str, Any]:
        """Return the texts that the page shows around the consent text, in the page's shape."""
        texts = self.texts[language]
        steps = range(1, len(self.steps) + 1)
        return {
            "title": texts["title"],
            "lead": texts["lead"],
            "consent": texts["consent_label"],
            "steps": [texts[f"step-{number}"] for number in steps],
            "step_hints": [texts[f"step_hint-{number}"] for number in steps],
            "labels": {name: texts[f"label-{name}"] for name in self.questions},
            "hints": {name: texts[f"hint-{name}"] for name in self.questions},
        }

    def consent_text(self, language: str, legal_name: str) -> str:
        """Return the consent text as a visitor of a company reads it."""
        return self.texts[language]["consent"].replace(SELLER_FIELD, legal_name)

    def to_json(self) -> dict[str, Any]:
        """Return the design as it is stored."""
        return {
            "steps": [list(step) for step in self.steps],
            "texts": {code: dict(self.texts[code]) for code in LANGUAGES},
            "privacy_url": self.privacy_url,
        }


def design_from_json(stored: Mapping[str, Any]) -> FormDesign:
    """Return a stored design."""
    return FormDesign(
        steps=tuple(tuple(step) for step in stored["steps"]),
        texts=stored["texts"],
        privacy_url=stored["privacy_url"],
    )


def default_design(consent_texts: Mapping[str, str]) -> FormDesign:
    """Return the design that comes with Rooftree, with a consent text for each language."""
    texts = {code: default_texts(code) | {"consent": consent_texts[code]} for code in LANGUAGES}
    design = FormDesign(steps=DEFAULT_STEPS, texts=texts)
    return FormDesign(
        steps=design.steps,
        texts={code: {key: texts[code][key] for key in design.text_keys} for code in LANGUAGES},
    )


def default_texts(language: str) -> dict[str, str]:
    """Return the default of every text that a design can have, but for the consent text."""
    titles, hints = form_texts.STEP_TITLES[language], form_texts.STEP_HINTS[language]
    return (
        form_texts.INTRODUCTION[language]
        | {f"step-{number + 1}": titles[number] for number in range(MAX_STEPS)}
        | {f"step_hint-{number + 1}": hints[number] for number in range(MAX_STEPS)}
        | {f"label-{name}": form_texts.LABELS[language][name] for name in QUESTION_NAMES}
        | {f"hint-{name}": form_texts.HINTS[language].get(name, "") for name in QUESTION_NAMES}
    )
