"""The consent wording of our own form, every edition of it. A table to edit.

An edition that was ever shown is never changed, for consents point at it by its version:
new words are a new edition, added below with the day from which it is shown. The wording
must name the company, the calls and texts, their automation, and that saying no costs
nothing (47 CFR 64.1200(f)(9)); the tests hold every edition against that.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

LANGUAGES = ("en", "es")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One wording in one language; `{legal_name}` stands for the company."""

    version: str
    language: str
    from_date: date
    text: str

    def render(self, legal_name: str) -> str:
        """It is the wording as a visitor reads it."""
        return self.text.replace("{legal_name}", legal_name)


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
    """It is the newest edition in force on the day; English where `language` has none."""
    in_force = [edition for edition in EDITIONS if edition.from_date <= on] or list(EDITIONS)
    mine = [one for one in in_force if one.language == language]
    return max(mine or in_force, key=lambda one: one.from_date)


def find_edition(version: str, language: str) -> Edition | None:
    """It is that edition, however old; None for one that never was."""
    wanted = (version, language)
    return next(
        (edition for edition in EDITIONS if (edition.version, edition.language) == wanted), None
    )


def text_fingerprint(text: str) -> str:
    """SHA-256, hex, of a text with every run of white space as one space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
