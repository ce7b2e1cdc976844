"""Wording on a page: its place in the address, and what somebody typed but did not send yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from rooftree.outreach.models import Template
from rooftree.outreach.purposes import HOURS, LOANS, Occasion, occasion
from rooftree.outreach.wording import LANGUAGES

KEY = "wording_drafts"
ANY = "any"  # stands in an address for every loan, or every hour
LONGEST_KEY, LONGEST_SUBJECT, LONGEST_BODY = 60, 200, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where wording stands, in every language."""

    key: str
    medium: str
    loan_kind: str
    hours: str

    @property
    def address(self) -> str:
        """Of its page."""
        return reverse("wording_place", args=self.parts)

    @property
    def parts(self) -> list[str]:
        """As they stand in an address."""
        return [self.key, self.medium, self.loan_kind or ANY, self.hours or ANY]

    @property
    def occasion(self) -> Occasion:
        """What it is sent for."""
        return occasion(self.key)

    @property
    def words(self) -> str:
        """Its medium, loan and hour in one line."""
        loan, hours = LOANS[self.loan_kind], HOURS[self.hours]
        return " · ".join([self.occasion.media[self.medium], loan, hours])

    def template(self, language: str, said: Mapping[str, str]) -> Template:
        """What was typed, as an edition that is not on file."""
        return Template(
            key=self.key, medium=self.medium, loan_kind=self.loan_kind, hours=self.hours,
            language=language, subject=said["subject"], body=said["body"],
        )  # fmt: skip


def place_of(one: Template) -> Place:
    """Where an edition stands."""
    return Place(key=one.key, medium=one.medium, loan_kind=one.loan_kind, hours=one.hours)


def in_address(key: str, medium: str, loan: str, hours: str) -> Place:
    """The place an address names. Raises `Http404` for one that cannot be."""
    place = Place(
        key=key,
        medium=medium,
        loan_kind="" if loan == ANY else loan,
        hours="" if hours == ANY else hours,
    )
    if len(key) > LONGEST_KEY or medium not in occasion(key).media:
        raise Http404
    if place.loan_kind not in LOANS or place.hours not in HOURS:
        raise Http404
    return place


def typed(data: QueryDict) -> dict[str, dict[str, str]]:
    """Subject and body in each language, with the line ends of one machine."""
    return {
        language: {
            "subject": _line(data.get(f"subject-{language}", "")),
            "body": data.get(f"body-{language}", "").replace("\x00", "").replace("\r\n", "\n")
            .strip()[:LONGEST_BODY],
        }
        for language in LANGUAGES
    }  # fmt: skip


def draft_of(request: HttpRequest, place: Place) -> dict[str, dict[str, str]] | None:
    """What this person typed last for a place and did not send."""
    held: dict[str, dict[str, str]] | None = request.session.get(KEY, {}).get(_name(place))
    return held


def keep_draft(request: HttpRequest, place: Place, said: Mapping[str, Mapping[str, str]]) -> None:
    """Hold what was typed for this person alone."""
    request.session[KEY] = {**request.session.get(KEY, {}), _name(place): said}


def drop_draft(request: HttpRequest, place: Place) -> None:
    """There is no draft any more."""
    held = request.session.get(KEY, {})
    request.session[KEY] = {name: said for name, said in held.items() if name != _name(place)}


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """The words of two texts in order, each run with what became of it: same, out or in."""
    old, new = _words(before), _words(after)
    found: list[tuple[str, str]] = []
    for how, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if how == "equal":
            found.append(("same", "".join(old[a:b])))
            continue
        found += [("out", "".join(old[a:b]))] if b > a else []
        found += [("in", "".join(new[c:d]))] if d > c else []
    return found


def _words(text: str) -> list[str]:
    """Words and what parts them, so that they join to the text again."""
    return [part for part in re.split(r"(\s+)", text) if part]


def _name(place: Place) -> str:
    return "/".join(place.parts)


def _line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:LONGEST_SUBJECT]
