"""Turning a template into the words one borrower gets."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Lead
from rooftree.org import working_hours
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.models import Template
from rooftree.outreach.wording.default_templates import DEFAULT_TEMPLATES
from rooftree.outreach.wording.version_approval import prepare_first_version

LANGUAGES = ("en", "es")
MAX_NAME_LENGTH = 40

LOAN_PHRASES = {
    "en": {
        "purchase": "buying a home",
        "refinance": "refinancing",
        "refinance_rate_term": "refinancing",
        "refinance_cash_out": "a cash-out refinance",
        "home_equity_loan": "a home equity loan",
        "heloc": "a home equity line",
        "home_equity": "your home equity",
        "construction": "a construction loan",
        "renovation": "a renovation loan",
        "reverse": "a reverse mortgage",
        "": "a mortgage",
    },
    "es": {
        "purchase": "la compra de una casa",
        "refinance": "refinanciar",
        "refinance_rate_term": "refinanciar",
        "refinance_cash_out": "un refinanciamiento con efectivo",
        "home_equity_loan": "un préstamo sobre su vivienda",
        "heloc": "una línea de crédito sobre su vivienda",
        "home_equity": "el valor de su vivienda",
        "construction": "un préstamo de construcción",
        "renovation": "un préstamo de renovación",
        "reverse": "una hipoteca inversa",
        "": "una hipoteca",
    },
}
NAME_FALLBACKS = {"en": "there", "es": "buen día"}
LOAN_KINDS = {
    "purchase": "purchase",
    "construction": "purchase",
    "refinance": "refinance",
    "refinance_rate_term": "refinance",
    "refinance_cash_out": "refinance",
    "home_equity_loan": "equity",
    "heloc": "equity",
    "home_equity": "equity",
}
SOON_PHRASES = {"en": "shortly", "es": "en breve"}
WEEKDAY_PHRASES = {
    "en": ("on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday",
           "on Sunday"),
    "es": ("el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado",
           "el domingo"),
}  # fmt: skip


class _Liquid(Environment):
    """Liquid in strangers' hands: strict names, no files, and no loop that does not end soon."""

    loop_iteration_limit = 1_000
    output_stream_limit = 100_000  # bytes
    local_namespace_limit = 100_000


_liquid = _Liquid(undefined=StrictUndefined, autoescape=False)
for tag in ("include", "render"):
    del _liquid.tags[tag]
LIVE_TEMPLATES = PreparedQuery(
    lambda keys, at: (
        Template.objects.filter(key__in=keys, from_at__lte=at, approved_until__gt=at)
        .exclude(until_at__lte=at)
        .order_by("version")
    ),
    keys=list[str],
    at=datetime,
)


class NoTemplate(Exception):
    """No live template for this purpose, medium and language."""


class BadTemplate(Exception):
    """The template cannot be rendered; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedTemplate:
    template: Template
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """What a message says and in whose name."""

    body: str
    subject: str = ""
    language: str = "en"
    template: Template | None = None
    officer: LoanOfficer | None = None

    @classmethod
    def from_rendered(cls, rendered: RenderedTemplate, officer: LoanOfficer | None) -> "MessageContent":
        return cls(
            body=rendered.body,
            subject=rendered.subject,
            language=rendered.template.language,
            template=rendered.template,
            officer=officer,
        )


def language_for(stated: str) -> str:
    """The language we write in: the one the borrower stated, if we have it, else English."""
    return stated if stated in LANGUAGES else "en"


def live_template(
    key: str,
    *,
    medium: str,
    language: str,
    loan_kind: str = "",
    is_closed: bool = False,
    at: datetime,
) -> Template:
    """The edition in force at `at` that fits best: by language, then by hour, then by kind of loan.

    English where the language has none, and the one for any hour or any loan
    where there is none of its own. Raises `NoWording`.
    """
    return best_template(
        live_templates([key], at=at),
        key,
        medium=medium,
        language=language,
        loan_kind=loan_kind,
        is_closed=is_closed,
    )


def live_templates(keys: Iterable[str], *, at: datetime) -> list[Template]:
    """Every edition of some templates in use at `at` under an approval, the oldest first."""
    return LIVE_TEMPLATES.all(keys=list(keys), at=at)


def best_template(
    live: Iterable[Template],
    key: str,
    *,
    medium: str,
    language: str,
    loan_kind: str = "",
    is_closed: bool = False,
) -> Template:
    """As `live_template`, of those in force."""
    fitting = [
        template
        for template in live
        if (template.key, template.medium) == (key, medium)
        and template.language in (language, "en")
        and template.loan_kind in (loan_kind, "")
        and (is_closed or not template.hours)
    ]
    if not fitting:
        raise NoTemplate(f"There is no {medium} template named {key}.")
    # The later of two equal ones, as a newer edition is the better fit.
    return max(
        reversed(fitting),
        key=lambda one: (one.language == language, one.hours, one.loan_kind == loan_kind),
    )


def is_company_closed(company: Company, at: datetime) -> bool:
    """Whether nobody of the company calls at this moment. Without hours it never closes."""
    return bool(company.hours) and not working_hours.is_open(
        company.hours, zone=company.zone, at=at
    )


def call_day_phrase(company: Company, language: str, at: datetime) -> str:
    """When we call: `shortly`, or the day we open. A day's name stays true when it is read late."""
    opening = working_hours.next_opening(company.hours, zone=company.zone, at=at)
    if opening is None or opening == at:
        return SOON_PHRASES[language]
    return WEEKDAY_PHRASES[language][working_hours.local_date(company.zone, opening).weekday()]


def render_template(
    template: Template,
    *,
    lead: Lead,
    company: Company,
    officer: LoanOfficer | None,
    at: datetime,
    extra_context: Mapping[str, Mapping[str, str]] | None = None,
) -> RenderedTemplate:
    """The words for one borrower. Raises `BadTemplate` when a name in it is unknown."""
    language = template.language
    first = safe_first_name(lead.person.first_name)
    where = f" in {lead.property_state}" if language == "en" else f" en {lead.property_state}"
    context = {
        "borrower": {"first_name": first or NAME_FALLBACKS[language]},
        "lead": {
            "kind": LOAN_PHRASES[language].get(lead.purpose, LOAN_PHRASES[language][""]),
            "where": where if lead.property_state else "",
        },
        "company": {
            "brand": company.brand,
            "nmls_id": company.nmls_id,
            "phone": company.phone,
        },
        "call": {"day": call_day_phrase(company, language, at)},
        "sender": signature(company, officer),
        **(extra_context or {}),
    }
    try:
        return RenderedTemplate(
            template=template,
            subject=" ".join(_parse_liquid(template.subject).render(**context).split()),
            body=_parse_liquid(template.body).render(**context),
        )
    except LiquidError as problem:
        raise BadTemplate(f"{template}: {problem}") from problem


@lru_cache(maxsize=256)
def _parse_liquid(text: str) -> BoundTemplate:
    """A template's text as Liquid, read once a process."""
    return _liquid.from_string(text)


def signature(company: Company, officer: LoanOfficer | None) -> str:
    """How the sender is named, with every NMLS ID that must be shown (SAFE Act, state law)."""
    ours = f"{company.brand} NMLS {company.nmls_id}"
    return f"{officer.user.name} NMLS {officer.nmls_id}, {ours}" if officer else ours


def safe_first_name(name: str) -> str:
    """A first name as it may stand in a message: no markup, links, control or odd signs.

    Names come from strangers; what is left is letters, marks, spaces, hyphens,
    apostrophes and the dots of initials, or nothing. A dot inside a word is
    refused: phones make a link of it.
    """
    if re.search(r"[<>{}\[\]@/\\=]|https?:", name):
        return ""
    kept = "".join(
        one for one in name if unicodedata.category(one)[0] in "LM" or one in " -'’."
    ).strip()
    shown = " ".join(kept.split())[:MAX_NAME_LENGTH].strip()
    if not any(one.isalpha() for one in shown) or re.search(r"\.[^\s.]{2}", shown):
        return ""
    return shown.title() if shown.isupper() or shown.islower() else shown


def ensure_default_templates(*, at: datetime) -> int:
    """Give a new company the wording it starts with; how many were added. Safe to repeat."""
    there = set(Template.objects.values_list(*Template.PLACE_COLUMNS))
    new = [
        prepare_first_version(
            Template(
                key=default_template.key,
                medium=default_template.medium,
                language=default_template.language,
                loan_kind=default_template.loan_kind,
                hours=default_template.hours,
                subject=default_template.subject,
                body=default_template.body,
            ),
            at=at,
        )
        for default_template in DEFAULT_TEMPLATES
        if default_template.place not in there
    ]
    Template.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)
