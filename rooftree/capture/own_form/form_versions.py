"""Versions of our own form: the one that visitors see, and any that a visitor saw earlier.

A source without a published version shows the default that comes with Rooftree. A consent names
the version shown by `ShownForm.name`: `<source>-v<number>`, or the default's own name.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rooftree.capture.own_form import form_wording
from rooftree.capture.own_form.form_design import FormDesign, default_design, design_from_json
from rooftree.capture.own_form.form_texts import LANGUAGES
from rooftree.capture.own_form.models import FormVersion
from rooftree.leads.models import Source
from rooftree.money.company_day import company_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownForm:
    """A form as visitors see it."""

    name: str  # recorded with each consent
    design: FormDesign
    version: FormVersion | None = None  # None: the default


def form_in_use(source: Source, *, at: datetime) -> ShownForm:
    """Return the form that a source shows at a moment, now or in the past."""
    published = FormVersion.objects.filter(source=source, published_at__lte=at)
    newest = published.order_by("-published_at", "-number").first()
    return shown_form(newest, source.slug) if newest else default_form(on=company_day(at))


def form_before(version: FormVersion, *, at: datetime) -> ShownForm:
    """Return the form that a version replaced; for one not published, the form in use at `at`."""
    moment = version.published_at or at
    published = FormVersion.objects.filter(source=version.source_id, published_at__lte=moment)
    newest = published.exclude(pk=version.pk).order_by("-published_at", "-number").first()
    if newest:
        return shown_form(newest, version.source.slug)
    return default_form(on=company_day(moment))


def find_shown_form(name: str, *, source_slug: str) -> ShownForm | None:
    """Return a form by the name recorded with a consent; None if it was never published."""
    if form_wording.find_edition(name, LANGUAGES[0]):
        return _default_form_of(name)
    match = re.fullmatch(rf"{re.escape(source_slug)}-v(\d{{1,9}})", name)
    if match is None:
        return None
    version = FormVersion.objects.filter(
        source__slug=source_slug, number=int(match[1]), published_at__isnull=False
    ).first()
    return shown_form(version, source_slug) if version else None


def shown_form(version: FormVersion, source_slug: str) -> ShownForm:
    """Return a version as visitors see it."""
    return ShownForm(
        name=f"{source_slug}-v{version.number}",
        design=design_from_json(version.content),
        version=version,
    )


def default_form(*, on: date) -> ShownForm:
    """Return the form that comes with Rooftree, as it is on a day."""
    return _default_form_of(form_wording.current_edition(LANGUAGES[0], on=on).version)


def list_versions(source: Source) -> Sequence[FormVersion]:
    """Return a source's versions, newest first, at most 100."""
    rows = FormVersion.objects.filter(source=source)
    return list(
        rows.select_related("written_by", "decided_by", "restores").order_by("-number")[:100]
    )


def content_hash(version: FormVersion) -> str:
    """Return the SHA-256 (hex) of a version's content, independent of key order."""
    text = json.dumps(version.content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _default_form_of(name: str) -> ShownForm:
    """Return the default form with one version of its consent wording."""
    texts = {
        edition.language: edition.text
        for edition in form_wording.EDITIONS
        if edition.version == name
    }
    return ShownForm(name=name, design=default_design(texts))
