"""The form in which staff write to a borrower: the kept draft, snippets, length and problems."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from rooftree.core import sms_segments
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.wording import message_drafts, snippets
from rooftree.outreach.wording.models import MessageDraft
from rooftree.outreach.wording.snippets import FilledSnippet

MEDIA = ("text", "email")
MAX_LENGTHS = {"text": 900, "email": 8000}  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedState:
    """The state of a text as typed: whether it is kept, its length and wording problems."""

    medium: str
    is_saved: bool
    segments: int
    problems: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """A message form with what the user typed so far."""

    medium: str
    max_length: int
    subject: str
    body: str
    snippets: list[FilledSnippet]
    state: TypedState


def build_composers(
    lead: Lead, *, user: User, at: datetime, media: Iterable[str] = MEDIA
) -> list[Composer]:
    """Build one composer for each medium, with the user's drafts. Two queries."""
    drafts = message_drafts.load_drafts(lead, user=user)
    filled = snippets.fill_snippets(lead, user=user, at=at)
    return [_build_composer(medium, drafts.get(medium), filled) for medium in media]


def with_typed_text(composer: Composer, *, body: str, subject: str) -> Composer:
    """Return the composer with a text that was typed in place of the draft."""
    state = describe_typed_text(composer.medium, body, is_saved=False)
    return replace(composer, body=body, subject=subject, state=state)


def with_snippet(composer: Composer, snippet_id: str) -> Composer:
    """Return the composer with a snippet after what is typed; unchanged for an unknown one."""
    chosen = next((row for row in composer.snippets if str(row.id) == snippet_id), None)
    if chosen is None:
        return composer
    body = "\n".join(filter(None, [composer.body.rstrip(), chosen.text]))
    return with_typed_text(composer, body=body, subject=composer.subject)


def describe_typed_text(medium: str, body: str, *, is_saved: bool) -> TypedState:
    """Describe a text as typed: length in segments, and what the wording rules find."""
    return TypedState(
        medium=medium,
        is_saved=is_saved,
        segments=sms_segments.measure_text(body).segments if medium == "text" and body else 0,
        problems=snippets.check_wording_as_typed(body) if body.strip() else [],
    )


def _build_composer(
    medium: str, draft: MessageDraft | None, filled: list[FilledSnippet]
) -> Composer:
    body = draft.body if draft else ""
    return Composer(
        medium=medium,
        max_length=MAX_LENGTHS[medium],
        subject=draft.subject if draft else "",
        body=body,
        snippets=filled,
        state=describe_typed_text(medium, body, is_saved=draft is not None),
    )
