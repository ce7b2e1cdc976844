"""Signed record of the form as the server rendered it; it travels in the form's hidden field."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.core.signing import BadSignature, Signer

from rooftree.capture.own_form import form_versions
from rooftree.capture.own_form.form_versions import ShownForm
from rooftree.capture.own_form.form_wording import text_fingerprint

SALT = "lead-form"
MAX_OPEN_TIME = timedelta(hours=24)  # a form left open longer is shown again with today's wording


class BadSeal(Exception):
    """The form was not rendered by us this way, or was rendered too long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One rendering of the form."""

    source: str  # the slug
    version: str  # `ShownForm.name`
    language: str
    text_sha256: str  # of the wording as shown
    snapshot_sha256: str  # of the disclosure block's markup as rendered
    page_sha256: str  # of the whole form as rendered, before anything was typed
    rendered_at: str  # ISO 8601, UTC
    submission_id: str  # one per rendering, so that a form sent twice counts once

    def age(self, at: datetime) -> timedelta:
        """Return how long the form has been open."""
        return at - datetime.fromisoformat(self.rendered_at)

    def sign(self) -> str:
        """Return the signed token for the form."""
        return Signer(salt=SALT).sign_object(asdict(self))


def make_seal(  # noqa: PLR0913
    *,
    source: str,
    form: ShownForm,
    language: str,
    legal_name: str,
    snapshot: str,
    page_sha256: str,
    at: datetime,
) -> Seal:
    """Make the seal of a form about to be shown; `snapshot` is the disclosure block's markup."""
    return Seal(
        source=source,
        version=form.name,
        language=language,
        text_sha256=text_fingerprint(form.design.consent_text(language, legal_name)),
        snapshot_sha256=text_fingerprint(snapshot),
        page_sha256=page_sha256,
        rendered_at=at.isoformat(),
        submission_id=str(uuid4()),
    )


def open_seal(token: str, *, source: str, legal_name: str, at: datetime) -> tuple[Seal, ShownForm]:
    """Read a token; return its seal and the form shown, which can be an earlier version.

    Raises `BadSeal` for a token that is not ours, is another form's or is too old, and for
    wording that differs from what was shown.
    """
    seal = read_seal(token)
    form = None
    if seal.source == source:
        form = form_versions.find_shown_form(seal.version, source_slug=source)
    text = form.design.consent_text(seal.language, legal_name) if form else ""
    if form is None or text_fingerprint(text) != seal.text_sha256:
        raise BadSeal("the seal is another form's, or its wording differs from what was shown")
    if not timedelta(0) <= seal.age(at) < MAX_OPEN_TIME:
        raise BadSeal("the form was open for too long")
    return seal, form


def read_seal(token: str) -> Seal:
    """Read a seal of any age. Raises `BadSeal` for a token that is not ours."""
    try:
        return Seal(**Signer(salt=SALT).unsign_object(token))
    except (BadSignature, TypeError, ValueError) as problem:
        raise BadSeal("the seal was not signed by us") from problem
