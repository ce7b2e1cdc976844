"""Findings about a design of our own form: what its consent texts lack, and forbidden wording.

A consent text must hold the elements of prior express written consent (CON-01), and what carriers
require of a call to action. The patterns are a net: whoever publishes a version reads it too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from rooftree.capture.own_form.form_design import FormDesign, default_texts
from rooftree.capture.own_form.form_questions import ALWAYS_ASKED, MAX_STEPS, QUESTION_NAMES
from rooftree.capture.own_form.form_texts import LABELS, LANGUAGES
from rooftree.compliance.evidence.form_certificate_check import SELLER_FIELD
from rooftree.compliance.wording_rules import wording_check

LANGUAGE_NAMES = {"en": "English", "es": "Spanish"}
MAX_CONSENT_LENGTH = 2_000  # characters
MAX_TEXT_LENGTH = 300
CONSENT_CITE = "47 CFR 64.1200(f)(9)"
CARRIER_CITE = "CTIA Messaging Principles; carrier contract"
ASKING_CITE = "12 CFR 1026.2(a)(3)(ii)"
PROTECTED_CITE = "12 CFR 1002.5(b)"
ACTION_ORDER = ("block", "require", "note")
# Texts that can be empty: hints, and the words under a title.
OPTIONAL_KINDS = frozenset({"hint", "step_hint", "lead"})
CURLY = re.compile(r"\{[^{}]*\}|[{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFinding:
    """One finding, as a sentence. Only `block` prevents publication."""

    action: str  # one of ACTION_ORDER
    text: str
    cite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPart:
    """One part that a consent text needs, and the words in which each language says it.

    The gate reads the same parts in a recorded consent (`build_consent_record`), by patterns that
    cover these.
    """

    missing: str  # the sentence when it is missing
    words: dict[str, str]
    cite: str = CONSENT_CITE
    action: str = "block"


CONSENT_PARTS = (
    ConsentPart(
        missing=f"the seller isn’t named. Insert {SELLER_FIELD}.",
        words=dict.fromkeys(LANGUAGES, re.escape(SELLER_FIELD)),
    ),
    ConsentPart(
        missing="calls aren’t named.",
        words={"en": r"\bcall(s|ed|ing)?\b", "es": r"\bllamad"},
    ),
    ConsentPart(
        missing="text messages aren’t named.",
        words={"en": r"\btext(s|ed|ing)?\b|\bsms\b", "es": r"\bmensajes? de texto\b|\bsms\b"},
    ),
    ConsentPart(
        missing="automated technology isn’t named. Say that calls and texts can be automated.",
        words={"en": r"\bauto-?\s?dial|\bautomat(ed|ic)", "es": r"\bautomátic|\bautomatizad"},
    ),
    ConsentPart(
        missing="marketing isn’t named. Say that calls and texts can be marketing.",
        words={
            "en": r"\bmarket|\btelemarket|\badvertis|\bpromotion",
            "es": r"\bmercadeo|\bmarketing|\bpublicidad|\bpublicitari|\bpromoci",
        },
    ),
    ConsentPart(
        missing="the phone number isn’t named. Say which number may be called.",
        words={"en": r"\bnumber\b", "es": r"\bnúmero\b"},
    ),
    ConsentPart(
        missing="the signature isn’t named. Say that checking the box is a signature.",
        words={"en": r"\bsignature\b|\bsign(s|ed|ing)?\b", "es": r"\bfirm(a|o|ar)\b"},
    ),
    ConsentPart(
        missing="it doesn’t say that agreeing is not a condition of a purchase.",
        words={
            "en": r"\bnot\b[^.;]{0,40}\b(condition|required|requirement)\b",
            "es": r"\bno (es|son) (una )?(condici[oó]n|requisito|necesari\w+)",
        },
    ),
    ConsentPart(
        missing="it doesn’t say how to stop texts. Name STOP (ALTO in Spanish).",
        words={"en": r"(?-i:\bSTOP\b)", "es": r"(?-i:\bALTO\b|\bSTOP\b)"},
        cite=CARRIER_CITE,
    ),
    ConsentPart(
        missing="it doesn’t say how to get help. Name HELP (AYUDA in Spanish).",
        words={"en": r"(?-i:\bHELP\b)", "es": r"(?-i:\bAYUDA\b|\bHELP\b)"},
        cite=CARRIER_CITE,
    ),
    ConsentPart(
        missing="it doesn’t say that message and data rates may apply.",
        words={"en": r"\bdata rates\b", "es": r"\btarifas\b[^.]{0,20}\bdatos\b"},
        cite=CARRIER_CITE,
    ),
    ConsentPart(
        missing="it doesn’t say how often you send messages, or that the frequency varies.",
        words={"en": r"\bfrequency\b|\bper (week|month)\b", "es": r"\bfrecuencia\b|\bpor mes\b"},
        cite=CARRIER_CITE,
    ),
    ConsentPart(
        missing="recorded voices aren’t named, so no consent will cover them.",
        words={
            "en": r"\bpre-?\s?record|\bartificial\b",
            "es": r"\bpregrabad|\bartificiales\b",
        },
        action="note",
    ),
)
# Wording that makes agreeing a condition, whatever the rest says.
CONDITION_PATTERN = {
    "en": r"\b(is|are) (a |the )?(condition|required|requirement)\b|(?<!not )\bas a condition\b"
    r"|\bmust (agree|consent)\b",
    "es": r"(?<!no )\b(es|son) (una |un )?(condición|requisito|obligatori\w+)|\bdebe aceptar\b",
}
# What a form must never ask for: the other items of an application, and protected traits.
ASKING_PATTERN = re.compile(
    r"\bsocial security|\bssn\b|\bincome\b|\bsalary\b|\bstreet address\b|\bdate of birth\b"
    r"|\bseguro social\b|\bingresos?\b|\bsalario\b|\bdomicilio\b|\bfecha de nacimiento\b",
    re.IGNORECASE,
)
PROTECTED_PATTERN = re.compile(
    r"\brace\b|\bethnic|\breligio|\bnational origin\b|\bgender\b|\bmarital\b|\bpregnan|\bchildren\b"
    r"|\braza\b|\betnia\b|\borigen nacional\b|\bgénero\b|\bestado civil\b|\bembaraz|\bhijos\b",
    re.IGNORECASE,
)
NOT_ASKING_PATTERN = re.compile(
    r"\b(leave out|don.t|do not|never|no|without)\b|\bsin\b", re.IGNORECASE
)


def check_design(design: FormDesign, *, legal_name: str) -> tuple[FormFinding, ...]:
    """Return the findings about a design, those that prevent publication first."""
    findings = [
        *_check_layout(design),
        *_check_privacy_url(design.privacy_url),
        *(
            finding
            for language in LANGUAGES
            for finding in (
                *_check_consent(design, language, legal_name),
                *_check_texts(design, language),
            )
        ),
    ]
    unique = list(dict.fromkeys(findings))
    return tuple(sorted(unique, key=lambda finding: ACTION_ORDER.index(finding.action)))


def blocking_problems(design: FormDesign, *, legal_name: str) -> list[str]:
    """Return the sentences that prevent publication."""
    findings = check_design(design, legal_name=legal_name)
    return [finding.text for finding in findings if finding.action == "block"]


def _check_layout(design: FormDesign) -> Iterator[FormFinding]:
    asked = design.questions
    missing = [LABELS["en"][name] for name in QUESTION_NAMES if name in ALWAYS_ASKED - set(asked)]
    if missing:
        yield FormFinding(action="block", text=f"Always ask: {', '.join(missing)}.")
    if len(set(asked)) < len(asked) or not set(asked) <= set(QUESTION_NAMES):
        yield FormFinding(action="block", text="Ask each question once.")
    if not 1 <= len(design.steps) <= MAX_STEPS or not all(design.steps):
        yield FormFinding(action="block", text=f"Use one to {MAX_STEPS} steps, none empty.")
    if not any({"email", "phone"} <= set(step) for step in design.steps):
        yield FormFinding(action="block", text="Ask for email and phone in the same step.")
    if len(design.steps) != 3 and any(
        design.texts[code]["lead"] == default_texts(code)["lead"] for code in LANGUAGES
    ):
        yield FormFinding(
            action="block",
            text=f"The introduction says three steps, and the form has {len(design.steps)}. "
            "Change the introduction in both languages.",
        )


def _check_privacy_url(url: str) -> Iterator[FormFinding]:
    try:
        if url:
            URLValidator(schemes=["https"])(url)
    except ValidationError:
        text = "Enter the privacy page’s full address, such as https://www.example.com/privacy."
        yield FormFinding(action="block", text=text)


def _check_consent(design: FormDesign, language: str, legal_name: str) -> Iterator[FormFinding]:
    """Yield what a consent text lacks, and what it must not say."""
    consent = design.texts[language]["consent"]
    place = f"{LANGUAGE_NAMES[language]} consent text"
    for part in CONSENT_PARTS:
        if not re.search(part.words[language], consent, re.IGNORECASE):
            text = f"{place}: {part.missing}"
            yield FormFinding(action=part.action, text=text, cite=part.cite)
    if condition := re.search(CONDITION_PATTERN[language], consent, re.IGNORECASE):
        text = f"{place}: “{condition[0]}” makes agreeing a condition. Remove it."
        yield FormFinding(action="block", text=text, cite=CONSENT_CITE)
    if len(consent) > MAX_CONSENT_LENGTH:
        text = f"{place}: use at most {MAX_CONSENT_LENGTH:,} characters."
        yield FormFinding(action="block", text=text)
    yield from _check_wording(place, design.consent_text(language, legal_name), language)


def _check_texts(design: FormDesign, language: str) -> Iterator[FormFinding]:
    """Yield the findings of the other texts; the defaults were read when they were written."""
    defaults, texts = default_texts(language), design.texts[language]
    changed = {key: texts[key] for key in design.text_keys if texts[key] != defaults.get(key)}
    for key, text in changed.items():
        place = f"{LANGUAGE_NAMES[language]} {text_place(key)}"
        unknown = CURLY.search(text.replace(SELLER_FIELD, "") if key == "consent" else text)
        if unknown:
            yield FormFinding(
                action="block",
                text=f"{place}: “{unknown[0]}” isn’t a merge field. Only {SELLER_FIELD} is one, "
                "in the consent text.",
            )
        if not text and key.partition("-")[0] not in OPTIONAL_KINDS:
            yield FormFinding(action="block", text=f"{place}: enter a text.")
        if key != "consent":
            if len(text) > MAX_TEXT_LENGTH:
                advice = f"{place}: use at most {MAX_TEXT_LENGTH} characters."
                yield FormFinding(action="block", text=advice)
            yield from _check_wording(place, text, language)
            yield from _check_asking(place, text)
    if language == "es":
        yield FormFinding(
            action="note",
            text="The wording rules only cover English. Whoever publishes this has to read "
            "Spanish.",
        )


def _check_wording(place: str, text: str, language: str) -> Iterator[FormFinding]:
    """Yield the findings of the wording rules."""
    draft = wording_check.Draft(body=text, channel="page", language=language)
    for issue in wording_check.find_wording_issues(draft):
        name = issue.name.replace("_", " ")
        advice = f"{place}: rewrite “{issue.match[:80]}” ({name})."
        if issue.action == "require":
            proof = wording_check.EVIDENCE_BY_RULE[issue.id] or "evidence on file"
            advice = f"{place}: “{issue.match[:80]}” ({name}) needs {proof}."
        yield FormFinding(action=issue.action, text=advice, cite=issue.cite)


def _check_asking(place: str, text: str) -> Iterator[FormFinding]:
    """Yield a finding if a text asks for what a lead form must not ask for."""
    if NOT_ASKING_PATTERN.search(text):
        return
    for pattern, cite in ((ASKING_PATTERN, ASKING_CITE), (PROTECTED_PATTERN, PROTECTED_CITE)):
        if match := pattern.search(text):
            advice = f"{place}: a lead form must not ask for “{match[0]}”."
            yield FormFinding(action="block", text=advice, cite=cite)


def text_place(key: str) -> str:
    """Return where on the form a text stands, such as "label of “Email”"."""
    kind, _, which = key.partition("-")
    names = {
        "title": "title",
        "lead": "introduction",
        "consent_label": "label of the consent box",
        "consent": "consent text",
        "step": f"title of step {which}",
        "step_hint": f"help text of step {which}",
        "label": f"label of “{LABELS['en'].get(which, which)}”",
        "hint": f"help text of “{LABELS['en'].get(which, which)}”",
    }
    return names[kind]
