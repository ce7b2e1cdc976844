"""Wording on a page: its place in the address, and what somebody typed but did not send yet."""

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
ANY_SEGMENT = "any"  # stands in an address for every loan, or every hour
MAX_KEY_LENGTH, MAX_SUBJECT_LENGTH, MAX_BODY_LENGTH = 60, 200, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingPlace:
    """Where wording stands, in every language."""

    key: str
    medium: str
    loan_kind: str
    hours: str

    @property
    def url(self) -> str:
        """Of its page."""
        return reverse("wording_place", args=self.url_args)

    @property
    def url_args(self) -> list[str]:
        """As they stand in an address."""
        return [self.key, self.medium, self.loan_kind or ANY_SEGMENT, self.hours or ANY_SEGMENT]

    @property
    def occasion(self) -> Occasion:
        """What it is sent for."""
        return get_occasion(self.key)

    @property
    def description(self) -> str:
        """Its medium, loan and hour in one line."""
        loan, hours = LOAN_KIND_NAMES[self.loan_kind], HOURS_NAMES[self.hours]
        return " · ".join([self.occasion.media[self.medium], loan, hours])

    def build_template(self, language: str, said: Mapping[str, str]) -> Template:
        """What was typed, as an edition that is not on file."""
        return Template(
            key=self.key, medium=self.medium, loan_kind=self.loan_kind, hours=self.hours,
            language=language, subject=said["subject"], body=said["body"],
        )  # fmt: skip


def version_place(one: Template) -> WordingPlace:
    """Where an edition stands."""
    return WordingPlace(key=one.key, medium=one.medium, loan_kind=one.loan_kind, hours=one.hours)


def parse_place(key: str, medium: str, loan: str, hours: str) -> WordingPlace:
    """The place an address names. Raises `Http404` for one that cannot be."""
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
    """Subject and body in each language, with the line ends of one machine."""
    return {
        language: {
            "subject": _clean_subject(data.get(f"subject-{language}", "")),
            "body": data.get(f"body-{language}", "").replace("\x00", "").replace("\r\n", "\n")
            .strip()[:MAX_BODY_LENGTH],
        }
        for language in LANGUAGES
    }  # fmt: skip


def load_draft(request: StaffRequest, place: WordingPlace) -> dict[str, dict[str, str]] | None:
    """What this person typed last for a place and did not send."""
    held: dict[str, dict[str, str]] | None = request.session.get(SESSION_KEY, {}).get(
        _draft_key(place)
    )
    return held


def save_draft(
    request: StaffRequest, place: WordingPlace, said: Mapping[str, Mapping[str, str]]
) -> None:
    """Hold what was typed for this person alone."""
    request.session[SESSION_KEY] = {**request.session.get(SESSION_KEY, {}), _draft_key(place): said}


def delete_draft(request: StaffRequest, place: WordingPlace) -> None:
    """There is no draft any more."""
    held = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {
        name: said for name, said in held.items() if name != _draft_key(place)
    }


def diff_words(before: str, after: str) -> list[tuple[str, str]]:
    """The words of two texts in order, each run with what became of it: same, out or in."""
    old, new = _split_words(before), _split_words(after)
    found: list[tuple[str, str]] = []
    for how, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if how == "equal":
            found.append(("same", "".join(old[a:b])))
            continue
        found += [("out", "".join(old[a:b]))] if b > a else []
        found += [("in", "".join(new[c:d]))] if d > c else []
    return found


def _split_words(text: str) -> list[str]:
    """Words and what parts them, so that they join to the text again."""
    return [part for part in re.split(r"(\s+)", text) if part]


def _draft_key(place: WordingPlace) -> str:
    return "/".join(place.url_args)


def _clean_subject(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:MAX_SUBJECT_LENGTH]
