"""Signed record of the form as the server rendered it; it travels in the form's hidden field."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.core.signing import BadSignature, Signer

from rooftree.capture.own_form import form_wording
from rooftree.capture.own_form.form_wording import Edition

SALT = "lead-form"
MAX_OPEN_TIME = timedelta(hours=24)  # a form left open longer is shown again with today's wording


class BadSeal(Exception):
    """The form was not rendered by us this way, or was rendered too long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One rendering of the form."""

    source: str  # the slug
    version: str  # of the wording
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


def make_seal(
    *, source: str, edition: Edition, text: str, snapshot: str, page_sha256: str, at: datetime
) -> Seal:
    """Make the seal of a form about to be shown; `snapshot` is the disclosure block's markup."""
    return Seal(
        source=source,
        version=edition.version,
        language=edition.language,
        text_sha256=form_wording.text_fingerprint(text),
        snapshot_sha256=form_wording.text_fingerprint(snapshot),
        page_sha256=page_sha256,
        rendered_at=at.isoformat(),
        submission_id=str(uuid4()),
    )


def open_seal(token: str, *, source: str, legal_name: str, at: datetime) -> tuple[Seal, str]:
    """Read a token; return its seal and the wording shown, with the company's current name.

    Raises `BadSeal` for a token that is not ours, is another form's or is too old, and for
    wording that differs from what was shown.
    """
    seal = read_seal(token)
    edition = form_wording.find_edition(seal.version, seal.language)
    text = edition.render(legal_name) if edition else ""
    if seal.source != source or form_wording.text_fingerprint(text) != seal.text_sha256:
        raise BadSeal("the seal is another form's, or its wording differs from what was shown")
    if not timedelta(0) <= seal.age(at) < MAX_OPEN_TIME:
        raise BadSeal("the form was open for too long")
    return seal, text


def read_seal(token: str) -> Seal:
    """Read a seal of any age. Raises `BadSeal` for a token that is not ours."""
    try:
        return Seal(**Signer(salt=SALT).unsign_object(token))
    except (BadSignature, TypeError, ValueError) as problem:
        raise BadSeal("the seal was not signed by us") from problem
