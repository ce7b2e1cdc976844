"""The editor of the website form: typed questions and texts, drafts in the session, and rows."""

from typing import Any
from uuid import UUID

from django.http import QueryDict

from rooftree.capture.own_form.form_design import FormDesign, default_texts, design_from_json
from rooftree.capture.own_form.form_findings import LANGUAGE_NAMES, MAX_TEXT_LENGTH, text_place
from rooftree.capture.own_form.form_questions import (
    ALWAYS_ASKED,
    EXTRA_QUESTIONS,
    MAX_STEPS,
    QUESTION_NAMES,
)
from rooftree.capture.own_form.form_texts import LABELS, LANGUAGES
from rooftree.web.shared.staff_request import StaffRequest

SESSION_KEY = "form_drafts"
MAX_DRAFTS = 5  # of a user; the oldest are forgotten
MAX_TYPED_LENGTH = 5_000  # characters of any text; the findings name the shorter limits
MAX_ORDER, LAST_ORDER = 99, 20  # LAST_ORDER: of an added question, at the end of its step


def parse_design(data: QueryDict, *, start: FormDesign) -> FormDesign:
    """Parse a typed design; what was not typed is as in `start`. Empty steps are left out."""
    places = {**_default_places(), **_places_of(start)}
    chosen: dict[int, list[tuple[int, int, str]]] = {}
    for index, name in enumerate(QUESTION_NAMES):
        old_step, old_order = places[name]
        is_asked = name in start.questions
        step = _parse_number(data.get(f"step-{name}"), old_step if is_asked else 0, MAX_STEPS)
        if step == 0 and name in ALWAYS_ASKED:
            step = old_step
        order = _parse_number(data.get(f"order-{name}"), old_order, MAX_ORDER)
        if step:
            chosen.setdefault(step, []).append((order, index, name))
    numbers = sorted(chosen)
    steps = tuple(tuple(name for _, _, name in sorted(chosen[number])) for number in numbers)
    design = FormDesign(
        steps=steps,
        texts={},
        privacy_url=_clean_text(data.get("privacy_url", start.privacy_url)),
    )
    texts = {
        code: {key: _typed_text(data, code, key, numbers, start) for key in design.text_keys}
        for code in LANGUAGES
    }
    return FormDesign(steps=steps, texts=texts, privacy_url=design.privacy_url)


def load_draft(request: StaffRequest, source_id: UUID) -> FormDesign | None:
    """Return the user's draft for a source, or None."""
    draft = request.session.get(SESSION_KEY, {}).get(str(source_id))
    return design_from_json(draft) if draft else None


def save_draft(request: StaffRequest, source_id: UUID, design: FormDesign) -> None:
    """Save a design as the user's draft, in their session."""
    drafts = {**request.session.get(SESSION_KEY, {}), str(source_id): design.to_json()}
    request.session[SESSION_KEY] = dict(list(drafts.items())[-MAX_DRAFTS:])


def delete_draft(request: StaffRequest, source_id: UUID) -> None:
    """Delete the user's draft for a source; do nothing if there is none."""
    drafts = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {
        key: draft for key, draft in drafts.items() if key != str(source_id)
    }


def build_rows(design: FormDesign) -> dict[str, Any]:
    """Return a design as the editor shows it: all steps and all questions that can be asked."""
    places = _places_of(design)
    questions = [
        {
            "name": name,
            "title": LABELS["en"][name],
            "step": places[name][0] if name in places else 0,
            "order": (_default_places() | places)[name][1],
            "is_fixed": name in ALWAYS_ASKED,
            "texts": [_text_input(design, code, f"label-{name}") for code in LANGUAGES]
            + [_text_input(design, code, f"hint-{name}") for code in LANGUAGES],
        }
        for name in QUESTION_NAMES
    ]
    return {
        "questions": sorted(
            questions, key=lambda row: (row["step"] or MAX_STEPS + 1, row["order"])
        ),
        "step_numbers": range(1, MAX_STEPS + 1),
        "max_order": MAX_ORDER,
        "steps": [
            {
                "number": number,
                "texts": [_text_input(design, code, f"step-{number}") for code in LANGUAGES]
                + [_text_input(design, code, f"step_hint-{number}") for code in LANGUAGES],
            }
            for number in range(1, MAX_STEPS + 1)
        ],
        "introduction": [
            _text_input(design, code, key) for key in ("title", "lead") for code in LANGUAGES
        ],
        "consent": [
            {
                "label": _text_input(design, code, "consent_label"),
                "text": _text_input(design, code, "consent"),
            }
            for code in LANGUAGES
        ],
        "privacy_url": design.privacy_url,
    }


def _places_of(design: FormDesign) -> dict[str, tuple[int, int]]:
    """Return step and order of each question asked, both from 1."""
    return {
        name: (number, order)
        for number, step in enumerate(design.steps, start=1)
        for order, name in enumerate(step, start=1)
    }


def _default_places() -> dict[str, tuple[int, int]]:
    """Return step and order of each question if it is added: at the end of its usual step."""
    return {name: (EXTRA_QUESTIONS.get(name, 3), LAST_ORDER) for name in QUESTION_NAMES}


def _typed_text(
    data: QueryDict, language: str, key: str, numbers: list[int], start: FormDesign
) -> str:
    """Return a typed text; the title of a step moves with the step when an empty one goes."""
    kind, _, which = key.partition("-")
    typed_key = f"{kind}-{numbers[int(which) - 1]}" if kind in ("step", "step_hint") else key
    old = (default_texts(language) | dict(start.texts[language])).get(typed_key, "")
    return _clean_text(data.get(f"{typed_key}-{language}", old))


def _text_input(design: FormDesign, language: str, key: str) -> dict[str, Any]:
    texts = default_texts(language) | dict(design.texts[language])
    place = text_place(key).partition(" of ")[0]
    return {
        "id": f"{key}-{language}",
        "language": language,
        "label": f"{LANGUAGE_NAMES[language]} {place}",
        "value": texts.get(key, ""),
        "max_length": MAX_TEXT_LENGTH,
    }


def _parse_number(typed: str | None, default: int, most: int) -> int:
    if typed is None:
        return default
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
    return min(number, most)


def _clean_text(typed: str) -> str:
    return " ".join(typed.replace("\x00", "").split())[:MAX_TYPED_LENGTH]
