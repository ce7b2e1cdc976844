"""Parsing for the template editor: places in URLs, typed text, drafts in the session, and diffs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.http import Http404, QueryDict
from django.urls import reverse

from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import LANGUAGES
from rooftree.outreach.wording.occasions import HOURS_NAMES, LOAN_KIND_NAMES, Occasion, get_occasion
from rooftree.web.shared.staff_request import StaffRequest

SESSION_KEY = "wording_drafts"
ANY_SEGMENT = "any"  # in a URL: any loan type, or any hours
MAX_KEY_LENGTH, MAX_SUBJECT_LENGTH, MAX_BODY_LENGTH = 60, 200, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingPlace:
    """The place of a template: occasion, medium, loan type and hours; it has all languages."""

    key: str
    medium: str
    loan_kind: str
    hours: str

    @property
    def url(self) -> str:
        """The URL of its page."""
        return reverse("wording_place", args=self.url_args)

    @property
    def url_args(self) -> list[str]:
        """Its parts as they are in the URL."""
        return [self.key, self.medium, self.loan_kind or ANY_SEGMENT, self.hours or ANY_SEGMENT]

    @property
    def occasion(self) -> Occasion:
        """The occasion it is sent for."""
        return get_occasion(self.key)

    @property
    def description(self) -> str:
        """Medium, loan type and hours in one line."""
        loan, hours = LOAN_KIND_NAMES[self.loan_kind], HOURS_NAMES[self.hours]
        return " · ".join([self.occasion.media[self.medium], loan, hours])

    def build_template(self, language: str, typed: Mapping[str, str]) -> Template:
        """Build an unsaved version from typed text."""
        return Template(
            key=self.key, medium=self.medium, loan_kind=self.loan_kind, hours=self.hours,
            language=language, subject=typed["subject"], body=typed["body"],
        )  # fmt: skip


def version_place(version: Template) -> WordingPlace:
    """Return the place of a version."""
    return WordingPlace(
        key=version.key, medium=version.medium, loan_kind=version.loan_kind, hours=version.hours
    )


def parse_place(key: str, medium: str, loan: str, hours: str) -> WordingPlace:
    """Parse a place from a URL's parts. Raises `Http404` if there is no such place."""
    place = WordingPlace(
        key=key,
        medium=medium,
        loan_kind="" if loan == ANY_SEGMENT else loan,
        hours="" if hours == ANY_SEGMENT else hours,
    )
    if len(key) > MAX_KEY_LENGTH or medium not in get_occasion(key).media:
        raise Http404
    if place.loan_kind not in LOAN_KIND_NAMES or place.hours not in HOURS_NAMES:
        raise Http404
    return place


def parse_wording(data: QueryDict) -> dict[str, dict[str, str]]:
    r"""Parse subject and body in each language; line ends become `\\n`."""
    return {
        language: {
            "subject": _clean_subject(data.get(f"subject-{language}", "")),
            "body": data.get(f"body-{language}", "").replace("\x00", "").replace("\r\n", "\n")
            .strip()[:MAX_BODY_LENGTH],
        }
        for language in LANGUAGES
    }  # fmt: skip


def load_draft(request: StaffRequest, place: WordingPlace) -> dict[str, dict[str, str]] | None:
    """Return the user's draft for a place, or None."""
    draft: dict[str, dict[str, str]] | None = request.session.get(SESSION_KEY, {}).get(
        _draft_key(place)
    )
    return draft


def save_draft(
    request: StaffRequest, place: WordingPlace, typed: Mapping[str, Mapping[str, str]]
) -> None:
    """Save typed text as the user's draft, in their session."""
    drafts = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {**drafts, _draft_key(place): typed}


def delete_draft(request: StaffRequest, place: WordingPlace) -> None:
    """Delete the user's draft for a place; do nothing if there is none."""
    drafts = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {
        key: draft for key, draft in drafts.items() if key != _draft_key(place)
    }


def diff_words(before: str, after: str) -> list[tuple[str, str]]:
    """Diff two texts by words: runs as (kind, text), of kind `same`, `out` or `in`."""
    old, new = _split_words(before), _split_words(after)
    runs: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            runs.append(("same", "".join(old[a:b])))
            continue
        runs += [("out", "".join(old[a:b]))] if b > a else []
        runs += [("in", "".join(new[c:d]))] if d > c else []
    return runs


def _split_words(text: str) -> list[str]:
    """Split into words and white space, which join to the text again."""
    return [part for part in re.split(r"(\s+)", text) if part]


def _draft_key(place: WordingPlace) -> str:
    return "/".join(place.url_args)


def _clean_subject(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:MAX_SUBJECT_LENGTH]
