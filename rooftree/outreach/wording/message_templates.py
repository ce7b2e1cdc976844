"""Template selection and rendering: the text one borrower gets."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from rooftree.core.phone_numbers import format_phone
from rooftree.core.us_states import STATES
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Lead
from rooftree.org import working_hours
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.models import Template
from rooftree.outreach.wording import bounded_liquid
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
# State names in running text, where they differ from `us_states.STATES`.
STATE_PHRASES = {
    "en": {
        "DC": "Washington, DC",
        "MH": "the Marshall Islands",
        "MP": "the Northern Mariana Islands",
        "VI": "the Virgin Islands",
    },
    "es": {
        "DC": "Washington, DC",
        "HI": "Hawái",
        "LA": "Luisiana",
        "MI": "Míchigan",
        "MS": "Misisipi",
        "MO": "Misuri",
        "NH": "Nuevo Hampshire",
        "NJ": "Nueva Jersey",
        "NM": "Nuevo México",
        "NY": "Nueva York",
        "NC": "Carolina del Norte",
        "ND": "Dakota del Norte",
        "OR": "Oregón",
        "PA": "Pensilvania",
        "SC": "Carolina del Sur",
        "SD": "Dakota del Sur",
        "WV": "Virginia Occidental",
        "AS": "Samoa Americana",
        "MH": "las Islas Marshall",
        "MP": "las Islas Marianas del Norte",
        "VI": "las Islas Vírgenes",
    },
}
SOON_PHRASES = {"en": "shortly", "es": "en breve"}
WEEKDAY_PHRASES = {
    "en": ("on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday",
           "on Sunday"),
    "es": ("el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado",
           "el domingo"),
}  # fmt: skip


LIVE_TEMPLATES = PreparedQuery(
    lambda keys, at: (
        Template.objects.filter(key__in=keys, from_at__lte=at, approved_until__gt=at)
        .exclude(until_at__lte=at)
        .order_by("version")
    ),
    keys=list[str],
    at=datetime,
)


ALWAYS_APPROVED = frozenset({"stop_confirmed", "help_answer"})


class NoTemplate(Exception):
    """No live template for this purpose, medium and language."""


class BadTemplate(Exception):
    """The template can't be rendered; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedTemplate:
    """The text of a template rendered for one borrower."""

    template: Template
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """The content of a message and the officer it is signed by."""

    body: str
    subject: str = ""
    language: str = "en"
    template: Template | None = None
    officer: LoanOfficer | None = None

    @classmethod
    def from_rendered(
        cls, rendered: RenderedTemplate, officer: LoanOfficer | None
    ) -> "MessageContent":
        """Return the content of a rendered template, signed by `officer`."""
        return cls(
            body=rendered.body,
            subject=rendered.subject,
            language=rendered.template.language,
            template=rendered.template,
            officer=officer,
        )


def language_for(stated: str) -> str:
    """Return the borrower's stated language if we have it, otherwise English."""
    return stated if stated in LANGUAGES else "en"


def live_template(
    key: str,
    *,
    medium: str,
    language: str,
    loan_kind: str = "",
    hours: str = "",
    at: datetime,
) -> Template:
    """Return the best live template at `at`: by language, then by hour, then by loan kind.

    Falls back to English, to the template for any hour and to the one for any loan. Raises
    `NoTemplate`.

    Args:
        hours: the situation now, as of a template: closed, no_call, or "" for any hour.
    """
    return best_template(
        live_templates([key], at=at),
        key,
        medium=medium,
        language=language,
        loan_kind=loan_kind,
        hours=hours,
    )


def live_templates(keys: Iterable[str], *, at: datetime) -> list[Template]:
    """Return the live, approved versions of some templates at `at`, oldest first."""
    return LIVE_TEMPLATES.all(keys=list(keys), at=at)


def best_template(
    live: Iterable[Template],
    key: str,
    *,
    medium: str,
    language: str,
    loan_kind: str = "",
    hours: str = "",
) -> Template:
    """Return the best of the live templates, as `live_template` does. Raises `NoTemplate`."""
    fitting = [
        template
        for template in live
        if (template.key, template.medium) == (key, medium)
        and template.language in (language, "en")
        and template.loan_kind in (loan_kind, "")
        and template.hours in (hours, "")
    ]
    if not fitting:
        raise NoTemplate(f"There is no {medium} template named {key}.")
    # Of two equal fits the newer version wins.
    return max(
        reversed(fitting),
        key=lambda template: (
            template.language == language,
            template.hours,
            template.loan_kind == loan_kind,
        ),
    )


def is_company_closed(company: Company, at: datetime) -> bool:
    """Return True if the company makes no calls at `at`. Without hours it is always open."""
    return bool(company.hours) and not working_hours.is_open(
        company.hours, zone=company.zone, at=at
    )


def call_day_phrase(company: Company, language: str, calls_from: datetime | None) -> str:
    """Return when we call: "shortly" (None), or a weekday, which stays true if read late."""
    if calls_from is None:
        return SOON_PHRASES[language]
    return WEEKDAY_PHRASES[language][working_hours.local_date(company.zone, calls_from).weekday()]


def company_opening(company: Company, at: datetime) -> datetime | None:
    """Return when the company opens next; None while it is open, and without hours."""
    opening = working_hours.next_opening(company.hours, zone=company.zone, at=at)
    return None if opening == at else opening


def render_template(
    template: Template,
    *,
    lead: Lead,
    company: Company,
    officer: LoanOfficer | None,
    at: datetime,
    extra_context: Mapping[str, Mapping[str, str]] | None = None,
) -> RenderedTemplate:
    """Render a template for one borrower. Raises `BadTemplate` for an unknown placeholder."""
    language = template.language
    first_name = safe_first_name(lead.person.first_name)
    more = dict(extra_context or {})
    day = call_day_phrase(company, language, company_opening(company, at))
    context = {
        "borrower": {"first_name": first_name or NAME_FALLBACKS[language]},
        "lead": {
            "kind": LOAN_PHRASES[language].get(lead.purpose, LOAN_PHRASES[language][""]),
            "where": _place_phrase(lead.property_state, language),
        },
        "company": {
            "brand": company.brand,
            "nmls_id": company.nmls_id,
            "phone": company.phone,
        },
        "call": {"day": day, **more.pop("call", {})},
        "sender": signature(company, officer),
        "officer": {
            "name": officer.user.name if officer else company.brand,
            "phone": format_phone((officer and officer.text_number) or company.phone),
        },
        "property": {"city": lead.property_city},
        **more,
    }
    try:
        return RenderedTemplate(
            template=template,
            subject=" ".join(_parse_liquid(template.subject).render(**context).split()),
            body=_parse_liquid(template.body).render(**context),
        )
    except LiquidError as problem:
        raise BadTemplate(f"{template}: {problem}") from problem


def _place_phrase(state: str, language: str) -> str:
    """Return “ in Florida” with its leading space, in the template's language; "" if unknown."""
    if not state:
        return ""
    name = STATE_PHRASES[language].get(state) or STATES.get(state, state)
    return f" in {name}" if language == "en" else f" en {name}"


@lru_cache(maxsize=256)
def _parse_liquid(text: str) -> BoundTemplate:
    """Parse a template's text as Liquid, cached per process."""
    return bounded_liquid.parse_liquid(text)


def signature(company: Company, officer: LoanOfficer | None) -> str:
    """Return the sender's name with every required NMLS ID (SAFE Act, state law)."""
    company_name = f"{company.brand} NMLS {company.nmls_id}"
    return (
        f"{officer.user.name} NMLS {officer.nmls_id}, {company_name}" if officer else company_name
    )


def safe_first_name(name: str) -> str:
    """Return a first name that is safe in a message: no markup, links or control characters.

    Names come from strangers. Only letters, marks, spaces, hyphens, apostrophes and the dots of
    initials are kept; "" if the name is unusable. A dot inside a word is refused because phones
    turn it into a link.
    """
    if re.search(r"[<>{}\[\]@/\\=]|https?:", name):
        return ""
    kept = "".join(
        char for char in name if unicodedata.category(char)[0] in "LM" or char in " -'’."
    ).strip()
    shown = " ".join(kept.split())[:MAX_NAME_LENGTH].strip()
    if not any(char.isalpha() for char in shown) or re.search(r"\.[^\s.]{2}", shown):
        return ""
    return shown.title() if shown.isupper() or shown.islower() else shown


def ensure_default_templates(*, at: datetime, are_approved: bool = True) -> int:
    """Add missing default templates for a new company; return how many. Safe to repeat.

    Without `are_approved` each waits for somebody to read it, except those that the carriers
    require at once: answers to STOP and HELP.
    """
    existing = set(Template.objects.values_list(*Template.PLACE_COLUMNS))
    new = [
        prepare_first_version(
            Template(
                key=default.key,
                medium=default.medium,
                language=default.language,
                loan_kind=default.loan_kind,
                hours=default.hours,
                subject=default.subject,
                body=default.body,
            ),
            is_approved=are_approved or default.key in ALWAYS_APPROVED,
            at=at,
        )
        for default in DEFAULT_TEMPLATES
        if default.place not in existing
    ]
    Template.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)
