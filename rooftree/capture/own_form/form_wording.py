"""The consent wording that our own form comes with, in all its versions. A table to edit.

A source shows it until staff publish a version of their own (`form_versions`). Never change a
version that was shown: consents refer to it. To change the wording, add a new version below with
the day from which it is shown; the tests check it as a published version is checked.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

from rooftree.compliance.evidence.form_certificate_check import SELLER_FIELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of the wording in one language; `{legal_name}` stands for the company."""

    version: str
    language: str
    from_date: date
    text: str

    def render(self, legal_name: str) -> str:
        """Return the wording as a visitor reads it."""
        return self.text.replace(SELLER_FIELD, legal_name)


EDITIONS = (
    Edition(
        version="form-2026-11",
        language="en",
        from_date=date(2026, 11, 1),
        text=(
            "{legal_name} may call and text me about mortgages at the number I gave, for "
            "marketing too, also with automated dialing and artificial or prerecorded voices. "
            "Ticking this box is my signature. Agreeing is not a condition of any loan or "
            "purchase: without it my request is answered all the same. Message frequency varies. "
            "Message and data rates may apply. I can reply STOP to end texts or HELP for help."
        ),
    ),
    Edition(
        version="form-2026-11",
        language="es",
        from_date=date(2026, 11, 1),
        text=(
            "{legal_name} puede hacerme llamadas y enviarme mensajes de texto sobre hipotecas al "
            "número que di, también con fines de mercadeo, con marcación automática y con voces "
            "artificiales o pregrabadas. Marcar esta casilla es mi firma. Aceptar no es una "
            "condición de ningún préstamo ni compra: sin ello mi solicitud se responde igual. "
            "La frecuencia de los mensajes varía. Pueden aplicarse tarifas de mensajes y datos. "
            "Puedo responder ALTO para terminar los mensajes o AYUDA para recibir ayuda."
        ),
    ),
)


def current_edition(language: str, *, on: date) -> Edition:
    """Return the newest version in force on a day; English if the language has none."""
    in_force = [edition for edition in EDITIONS if edition.from_date <= on] or list(EDITIONS)
    in_language = [edition for edition in in_force if edition.language == language]
    return max(in_language or in_force, key=lambda edition: edition.from_date)


def find_edition(version: str, language: str) -> Edition | None:
    """Return a version in a language, however old; None if it does not exist."""
    key = (version, language)
    return next(
        (edition for edition in EDITIONS if (edition.version, edition.language) == key), None
    )


def text_fingerprint(text: str) -> str:
    """Return the SHA-256 (hex) of a text with every run of white space as one space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
