"""Consent wording of the public form: complete, in every language, and never changed."""

import json
import re
from pathlib import Path

import pytest

from rooftree.capture.own_form import form_wording
from rooftree.capture.own_form.form_texts import LANGUAGES
from rooftree.capture.own_form.form_wording import EDITIONS
from rooftree.capture.parsing.consent_evidence import channels_in_wording
from rooftree.compliance.consent.build_consent_record import AUTODIAL_PATTERN, NO_CONDITION_PATTERN

LEGAL = "Lindenfield Mortgage, LLC"


@pytest.mark.parametrize(
    "edition", EDITIONS, ids=lambda version: f"{version.version}-{version.language}"
)
def test_every_version_contains_required_consent_statements(edition):
    text = edition.render(LEGAL)

    assert LEGAL in text
    assert NO_CONDITION_PATTERN.search(text)
    assert AUTODIAL_PATTERN.search(text)
    assert {"call", "text", "autodial_call"} <= set(channels_in_wording(text))
    assert re.search(r"data rates|tarifas de mensajes y datos", text)
    assert re.search(r"STOP|ALTO", text)
    assert edition.language in LANGUAGES


def test_every_version_exists_in_every_language():
    versions = {edition.version for edition in EDITIONS}

    assert len({(edition.version, edition.language) for edition in EDITIONS}) == len(EDITIONS)
    assert len(EDITIONS) == len(versions) * len(LANGUAGES)


def test_shown_version_is_newest_in_force():
    day = EDITIONS[0].from_date

    assert form_wording.current_edition("en", on=day).version == EDITIONS[0].version
    assert form_wording.current_edition("es", on=day).language == "es"
    assert form_wording.current_edition("fr", on=day).language == "en"


def test_shown_version_is_never_changed():
    stored = json.loads((Path(__file__).parent / "form_wordings.json").read_text(encoding="utf-8"))

    assert {
        f"{edition.version} {edition.language}": form_wording.text_fingerprint(edition.text)
        for edition in EDITIONS
    } == stored
