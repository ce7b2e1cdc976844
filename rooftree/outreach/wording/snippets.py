"""Snippets: short texts with placeholders that staff put into a message they write.

A snippet is its owner's, or everyone's if marketing shares it. The gate checks the message that it
ends up in; here the wording is checked while it is written, so that no snippet is always refused.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.wording_rules import wording_check
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead, Person
from rooftree.ledger.write_events import write_event
from rooftree.org.current_company import current_company
from rooftree.org.models import Company, User
from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import (
    BadTemplate,
    language_for,
    render_template,
)
from rooftree.outreach.wording.models import Snippet

PLACEHOLDERS = {  # name: description for staff
    "borrower.first_name": "First name, or a greeting that works without one",
    "officer.first_name": "Loan officer’s first name",
    "officer.name": "Loan officer’s full name",
    "lead.kind": "What they asked about, such as “buying a home”",
    "lead.where": "“ in Florida”, including the space, or nothing if the state is unknown",
    "company.brand": "Company name",
    "company.phone": "Company phone number",
}
MAX_TITLE_LENGTH, MAX_BODY_LENGTH = 60, 900  # characters
MAX_SHOWN = 20  # snippets in one composer
OTHER_LANGUAGE_NOTE = "The wording rules only cover English. Read it carefully."
SAMPLE_NAME, SAMPLE_PURPOSE, SAMPLE_STATE = "Marisol", "purchase", "FL"
DEFAULT_SNIPPETS = (
    (
        "en",
        "Book a call",
        "Hi {{ borrower.first_name }}, when’s a good time for a quick call about {{ lead.kind }}?",
    ),
    (
        "en",
        "Documents needed",
        "Hi {{ borrower.first_name }}, to get started, please have ready: your last two pay stubs, "
        "W-2s for the last two years, and two months of bank statements.",
    ),
    (
        "en",
        "Missed you",
        "Hi {{ borrower.first_name }}, it’s {{ officer.first_name }}. Sorry I missed you just now. "
        "When can I call you back?",
    ),
    (
        "en",
        "Thanks for talking",
        "Thanks for your time today, {{ borrower.first_name }}. Just reply here with any questions "
        "about {{ lead.kind }}.",
    ),
    (
        "es",
        "Agendar una llamada",
        "Hola {{ borrower.first_name }}, ¿a qué hora le puedo llamar para hablar de "
        "{{ lead.kind }}?",
    ),
    (
        "es",
        "No le encontré",
        "Hola {{ borrower.first_name }}, soy {{ officer.first_name }}. Siento no haberle "
        "encontrado. ¿A qué hora le puedo llamar?",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledSnippet:
    """A snippet with its placeholders filled for one borrower."""

    id: UUID
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnippetCheck:
    """The preview of a snippet for a sample borrower, and its problems as sentences."""

    preview: str
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_snippets(user: User) -> list[Snippet]:
    """List the user's own snippets, then the shared ones, by title."""
    rows = Snippet.objects.filter(Q(owner=user) | Q(owner=None), archived_at=None)
    return sorted(rows.order_by("title", "id"), key=lambda snippet: snippet.owner_id is None)


def fill_snippets(lead: Lead, *, user: User, at: datetime) -> list[FilledSnippet]:
    """Fill the snippets that `user` can use for a lead, those in the borrower's language first.

    A snippet that can't be rendered is left out; its page says why.
    """
    language = language_for(lead.person.language)
    in_order = sorted(list_snippets(user), key=lambda snippet: snippet.language != language)
    company, filled = current_company(), []
    for snippet in in_order[:MAX_SHOWN]:
        try:
            text = _render(snippet.body, lead, user, company, snippet.language, at)
        except BadTemplate:
            continue
        filled.append(FilledSnippet(id=snippet.pk, title=snippet.title, text=text))
    return filled


def check_snippet(body: str, *, language: str, user: User, at: datetime) -> SnippetCheck:
    """Check a snippet as typed: its placeholders, its wording and its length."""
    sample = Lead(
        person=Person(first_name=SAMPLE_NAME), purpose=SAMPLE_PURPOSE, property_state=SAMPLE_STATE
    )
    problems = [] if body.strip() else ["Write the snippet."]
    if len(body) > MAX_BODY_LENGTH:
        problems.append(f"Use at most {MAX_BODY_LENGTH} characters.")
    try:
        preview = _render(body, sample, user, current_company(), language, at)
    except BadTemplate:
        names = ", ".join(f"{{{{ {name} }}}}" for name in PLACEHOLDERS)
        return SnippetCheck(preview="", problems=(f"Use only these placeholders: {names}.",))
    issues = check_wording_as_typed(preview)
    notes = () if language == "en" else (OTHER_LANGUAGE_NOTE,)
    return SnippetCheck(preview=preview, problems=(*problems, *issues), notes=notes)


def check_wording_as_typed(text: str) -> list[str]:
    """Return what to change in a text as typed: its gravest wording problem, as a sentence."""
    ruling = wording_check.draft_ruling(wording_check.Draft(body=text, channel="sms"))
    sentences = [] if ruling.decision is Decision.ALLOW else [ruling.detail]
    if wording_check.sounds_like_denial(text):
        sentences.append("This reads like a denial, which needs an adverse action notice.")
    return sentences


def save_snippet(  # noqa: PLR0913
    snippet: Snippet | None,
    *,
    title: str,
    body: str,
    language: str,
    is_shared: bool,
    by: User,
    at: datetime,
) -> Snippet:
    """Create or change a snippet, the user's own or everyone's. Raises `InvalidField`.

    A shared snippet with a wording problem is refused; the owner of a snippet stays.
    """
    check = check_snippet(body, language=language, user=by, at=at)
    if check.problems:
        raise InvalidField("body", " ".join(check.problems))
    values = {"title": title, "body": body.strip(), "language": language}
    stamp = {"written_by": by, "written_at": at}
    try:
        with transaction.atomic():
            if snippet is None:
                owner = None if is_shared else by
                snippet = Snippet.objects.create(id=uuid7_at(at), owner=owner, **values, **stamp)
            else:
                Snippet.objects.filter(pk=snippet.pk, archived_at=None).update(**values, **stamp)
            write_event("outreach.snippet.saved", at=at, actor=f"user:{by.pk}", snippet=snippet.pk)
    except IntegrityError as problem:
        raise InvalidField("title", "There is a snippet with this name already.") from problem
    return snippet


def archive_snippet(snippet: Snippet, *, by: User, at: datetime) -> bool:
    """Archive a snippet; return False if it was archived already."""
    with transaction.atomic():
        if not Snippet.objects.filter(pk=snippet.pk, archived_at=None).update(archived_at=at):
            return False
        write_event("outreach.snippet.archived", at=at, actor=f"user:{by.pk}", snippet=snippet.pk)
    return True


def ensure_default_snippets(*, at: datetime) -> int:
    """Add the snippets of a new company; return how many. Archived ones do not come back."""
    if Snippet.objects.filter(owner=None).exists():
        return 0
    rows = [
        Snippet(id=uuid7_at(at), language=language, title=title, body=body, written_at=at)
        for language, title, body in DEFAULT_SNIPPETS
    ]
    return len(Snippet.objects.bulk_create(rows, ignore_conflicts=True))


def _render(
    body: str, lead: Lead, user: User, company: Company, language: str, at: datetime
) -> str:
    name = lead.officer.user.name if lead.officer else user.name
    rendered = render_template(
        Template(key="snippet", medium="text", language=language, body=body),
        lead=lead,
        company=company,
        officer=None,
        at=at,
        extra_context={"officer": {"first_name": name.split(" ")[0], "name": name}},
    )
    return rendered.body.strip()
