"""The words of the public form's consent: complete, in every language, and never changed."""

import json
import re
from pathlib import Path

import pytest

from rooftree.capture import form_wording
from rooftree.capture.consent import named_channels
from rooftree.capture.form_wording import EDITIONS, LANGUAGES
from rooftree.compliance.consent_record import BY_MACHINE, FREE_OF_CONDITION

LEGAL = "Lindenfield Mortgage, LLC"


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda one: f"{one.version}-{one.language}")
def test_every_edition_says_what_written_consent_must_say(edition):
    text = edition.of(LEGAL)

    assert LEGAL in text
    assert FREE_OF_CONDITION.search(text)
    assert BY_MACHINE.search(text)
    assert {"call", "text", "autodial_call"} <= set(named_channels(text))
    assert re.search(r"data rates|tarifas de mensajes y datos", text)
    assert re.search(r"STOP|ALTO", text)
    assert edition.language in LANGUAGES


def test_every_version_exists_in_every_language():
    versions = {one.version for one in EDITIONS}

    assert len({(one.version, one.language) for one in EDITIONS}) == len(EDITIONS)
    assert len(EDITIONS) == len(versions) * len(LANGUAGES)


def test_the_edition_shown_is_the_newest_in_force():
    day = EDITIONS[0].from_date

    assert form_wording.current("en", on=day).version == EDITIONS[0].version
    assert form_wording.current("es", on=day).language == "es"
    assert form_wording.current("fr", on=day).language == "en"


def test_an_edition_that_was_shown_is_never_changed():
    known = json.loads((Path(__file__).parent / "form_wordings.json").read_text(encoding="utf-8"))

    assert {
        f"{one.version} {one.language}": form_wording.fingerprint(one.text) for one in EDITIONS
    } == known
