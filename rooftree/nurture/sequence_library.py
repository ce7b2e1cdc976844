"""The library of sequences: written with their templates in both languages, added as proposals.

What is added waits until somebody here has read and approved it, or has made it theirs by editing
it: until then it is flagged, and nothing of it is sent. The files in `data/` say the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from rooftree.core.user_errors import UserError
from rooftree.ledger.write_events import write_event
from rooftree.nurture.models import Sequence, SequenceDraft
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import LANGUAGES
from rooftree.outreach.wording.version_approval import prepare_first_version

SUMMARY = "From the library"  # as the reason of a first version
FOLDER = Path(__file__).parent / "data"
ORDER = ("new_purchase", "new_refinance", "cash_out", "heloc")  # shown first


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySequence:
    """One sequence of the library with its templates."""

    key: str
    name: str
    about: str  # for whom it is, and what it is for
    rules: Mapping[str, Any]
    steps: tuple[dict[str, Any], ...]  # as stored in a version
    templates: tuple[Mapping[str, str], ...]  # key, medium, language, subject, body

    def new_templates(self) -> Iterator[Template]:
        """Yield its templates, unsaved."""
        for row in self.templates:
            yield Template(**row)


@cache
def load_library() -> tuple[LibrarySequence, ...]:
    """Load the sequences of the library, those for new leads first."""
    documents = [yaml.safe_load(path.read_text("utf-8")) for path in FOLDER.glob("*.yaml")]
    places = {key: nth for nth, key in enumerate(ORDER)}
    documents.sort(key=lambda document: (places.get(document["key"], 99), document["name"]))
    return tuple(_build(document) for document in documents)


def add_from_library(key: str, *, by: User, at: datetime) -> Sequence:
    """Add a sequence of the library and its templates; each waits for approval.

    Templates that are here already stay as they are. Raises `UserError`.
    """
    entry = next((entry for entry in load_library() if entry.key == key), None)
    if entry is None:
        raise UserError("There is no such sequence in the library.")
    with transaction.atomic():
        if Sequence.objects.filter(key=key).exists() or SequenceDraft.objects.filter(key=key):
            raise UserError(f"“{entry.name}” is here already.")
        known = set(Template.objects.values_list(*Template.PLACE_COLUMNS))
        new = [
            template
            for template in entry.new_templates()
            if tuple(getattr(template, name) for name in Template.PLACE_COLUMNS) not in known
        ]
        for template in new:
            prepare_first_version(template, is_approved=False, at=at).summary = SUMMARY
        Template.objects.bulk_create(new, ignore_conflicts=True)
        sequence = Sequence(
            key=key, name=entry.name, steps=list(entry.steps), rules=dict(entry.rules)
        )
        prepare_first_version(sequence, is_approved=False, at=at).summary = SUMMARY
        sequence.save(force_insert=True)
        write_event(
            "nurture.sequence.added", at=at, actor=f"user:{by.pk}", sequence=key, templates=len(new)
        )
    return sequence


def _build(document: dict[str, Any]) -> LibrarySequence:
    steps, templates = [], []
    for row in document["steps"]:
        words = {language: row[language] for language in LANGUAGES if language in row}
        steps.append({name: value for name, value in row.items() if name not in words})
        templates += [
            {"key": row["template"], "medium": medium, "language": language, **texts}
            for language, texts in words.items()
            for medium in row["media"]
        ]
    return LibrarySequence(
        key=document["key"],
        name=document["name"],
        about=document["about"],
        rules=document["rules"],
        steps=tuple(steps),
        templates=tuple(templates),
    )
