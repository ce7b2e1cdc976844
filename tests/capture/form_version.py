"""Versions of the website form for tests: proposed and published by made-up staff."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from rooftree.capture.own_form import form_versions, publish_form
from rooftree.capture.own_form.form_design import FormDesign
from rooftree.capture.own_form.models import FormVersion
from rooftree.leads.models import Source
from rooftree.org.models import User
from tests import make

DEFAULT = form_versions.default_form(on=make.NOON.date()).design
OURS = {
    "en": "I agree: {legal_name} may call and text me for marketing at the number above, by "
    "automated means and with prerecorded voices. Checking the box is my signature. Consent is not "
    "a condition of any purchase. Message frequency varies. Data rates may apply. Reply STOP to "
    "stop, HELP for help.",
    "es": "Acepto: {legal_name} puede hacerme llamadas y enviarme mensajes de texto de mercadeo al "
    "número de arriba, de forma automática y con voces artificiales. Marcar la casilla es mi "
    "firma. Aceptar no es una condición de ninguna compra. La frecuencia varía. Pueden aplicarse "
    "tarifas de datos. Responda ALTO para terminar, AYUDA para recibir ayuda.",
}


def design(base: FormDesign = DEFAULT, *, steps: Any = None, **texts: str) -> FormDesign:
    """Return a design with other texts: `en_consent="..."` changes the English consent text."""
    changed = {code: dict(base.texts[code]) for code in ("en", "es")}
    for name, text in texts.items():
        changed[name[:2]][name[3:].replace("__", "-")] = text
    return replace(base, texts=changed, steps=steps or base.steps)


def our_design() -> FormDesign:
    """Return the default with a consent text of the company's own."""
    return design(en_consent=OURS["en"], es_consent=OURS["es"])


def propose(
    source: Source,
    new: FormDesign | None = None,
    *,
    by: User | None = None,
    at: datetime = make.NOON - make.HOUR,
) -> FormVersion:
    """Propose a version, by default with the company's own consent text."""
    return publish_form.propose_version(
        new or our_design(), source_id=source.pk, by=by or make.user("marketing"),
        summary="Counsel's new text", approvers=[], at=at,
    )  # fmt: skip


def publish(
    source: Source, new: FormDesign | None = None, *, at: datetime = make.NOON - make.HOUR
) -> FormVersion:
    """Propose a version and have compliance publish it."""
    version = propose(source, new, at=at)
    return publish_form.publish_version(
        version_id=version.pk, by=make.user("compliance"), reason="Read by counsel", at=at
    )
