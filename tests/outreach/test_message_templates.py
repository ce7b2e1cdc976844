"""Rendering of message templates: hostile names, languages, versions and signatures."""

import re
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.default_templates import DEFAULT_TEMPLATES
from tests import make

RATE = dict.fromkeys(("product", "target", "rate", "apr", "points", "day"), "x")


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Ben", "Ben"),
        ("BEN", "Ben"),
        ("ben", "Ben"),
        ("DeShawn", "DeShawn"),
        ("mary-jane", "Mary-Jane"),
        ("o'brien", "O'Brien"),
        ("José María", "José María"),
        ("J. R.", "J. R."),
        ("محمد", "محمد"),
        ("  Ben \n Ortiz ", "Ben Ortiz"),
        ("Ben 😀🏠", "Ben"),
        ("Ben\u202egnp.exe", ""),  # a right-to-left mark, and a dot inside a word
        ("\u200fBen\u200e", "Ben"),
        ("<b>Ben</b>", ""),
        ("{{ company.nmls_id }}", ""),
        ("{% raw %}", ""),
        ("https://evil.example", ""),
        ("evil.com", ""),
        ("Win at bit.ly now", ""),
        ("www.evil.com", ""),
        ("ben@home.example", ""),
        ("Call 800-555-0199", "Call --"),
        ("...", ""),
        ("--", ""),
        ("\u0336\u0336", ""),  # punctuation without a letter
        ("", ""),
        ("A" * 500, "A" + "a" * 39),
    ],
)
def test_borrower_name_is_cleaned_for_messages(given_name, shown):
    assert message_templates.safe_first_name(given_name) == shown


@given(st.text())
@example("evil.\U0001f600com")
@example("x" * 39 + " y")
def test_name_never_carries_link_markup_or_control_character(name):
    shown = message_templates.safe_first_name(name)

    assert len(shown) <= 40 * 3  # title case can make a letter longer
    assert not set(shown) & set("<>{}[]@/\\=:0123456789\n\r\t\u202e\u200b")
    assert shown == shown.strip()
    assert not re.search(r"\.[^\s.]{2}", shown)


@pytest.mark.parametrize(
    ("stated", "written"), [("es", "es"), ("en", "en"), ("vi", "en"), ("", "en")]
)
def test_message_uses_stated_language_if_available(stated, written):
    assert message_templates.language_for(stated) == written


@pytest.fixture
def company(db):
    company = make.company()
    message_templates.ensure_default_templates(at=make.NOON)
    return company


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    "default", DEFAULT_TEMPLATES, ids=lambda default: "-".join(filter(None, default.place))
)
def test_every_default_template_renders_for_any_borrower(company, default, named):
    template = message_templates.live_template(
        default.key,
        medium=default.medium,
        language=default.language,
        loan_kind=default.loan_kind,
        hours=default.hours,
        at=make.NOON,
    )
    person = make.person(first_name="Ben" if named else "")
    lead = make.lead(person=person, purpose="" if not named else "purchase", property_state="")
    officer = make.officer("Dana Whitfield") if named else None

    made = message_templates.render_template(
        template, lead=lead, company=company, officer=officer, at=make.NOON,
        extra_context={
            "rate": RATE, "caller": {"name": "Dana Whitfield"},
            "call": {"reason": "because you asked about buying a home"},
        },
    )  # fmt: skip

    assert "{" not in made.body + made.subject
    assert "1204417" in made.body or default.medium == "call"
    assert officer is None or "{{ sender }}" not in default.body or officer.nmls_id in made.body
    assert bool(made.subject) == (default.medium == "email")
    assert (template.language, template.loan_kind, template.hours) == default.place[2:]


def test_default_templates_are_added_once_and_keep_edits(company):
    make.edition("first_hello", body="Ours", at=make.NOON + make.HOUR)

    assert message_templates.ensure_default_templates(at=make.NOON + make.DAY) == 0
    template = message_templates.live_template(
        "first_hello", medium="text", language="en", at=make.NOON + make.DAY
    )
    assert (template.version, template.body) == (2, "Ours")


@pytest.mark.parametrize(
    ("key", "loan_kind", "hours", "expected"),
    [
        ("first_hello", "refinance", "", ("refinance", "")),
        ("first_hello", "", "", ("", "")),
        ("first_hello", "refinance", "closed", ("", "closed")),  # the hour outranks the loan
        ("first_hello", "refinance", "no_call", ("", "no_call")),
        ("not_reached_1", "refinance", "closed", ("", "")),
    ],
)
def test_template_for_hour_outranks_loan_and_general_ones(company, key, loan_kind, hours, expected):
    template = message_templates.live_template(
        key, medium="text", language="es", loan_kind=loan_kind, hours=hours, at=make.NOON
    )

    assert (template.loan_kind, template.hours) == expected
    assert template.language == "es"


@pytest.mark.parametrize(
    ("at", "en", "es"),
    [
        (make.NOON, "shortly", "en breve"),
        (make.NIGHT, "on Tuesday", "el martes"),  # 23:00 on Monday
        (make.NIGHT + 4 * make.HOUR, "on Tuesday", "el martes"),  # 3:00 on Tuesday
        (make.NOON + 5 * make.DAY + 6 * make.HOUR, "on Monday", "el lunes"),  # Saturday evening
    ],
)
def test_closed_company_names_day_of_its_call(company, at, en, es):
    opening = message_templates.company_opening(company, at)
    assert message_templates.call_day_phrase(company, "en", opening) == en
    assert message_templates.call_day_phrase(company, "es", opening) == es
    assert message_templates.is_company_closed(company, at) == (en != "shortly")


def test_company_without_hours_is_always_open(company):
    company.hours = {}

    assert not message_templates.is_company_closed(company, make.NIGHT)
    assert message_templates.company_opening(company, make.NIGHT) is None
    assert message_templates.call_day_phrase(company, "en", None) == "shortly"


def test_language_without_template_falls_back_to_english(company):
    Template.objects.filter(key="first_hello", language="es").update(until_at=make.NOON)

    template = message_templates.live_template(
        "first_hello", medium="text", language="es", at=make.NOON
    )

    assert template.language == "en"


def test_version_in_force_at_that_time_is_used(company):
    old = Template.objects.get(
        key="first_hello", medium="text", language="en", loan_kind="", hours=""
    )
    new = make.edition("first_hello", at=make.NOON + make.DAY)

    def live(at):
        return message_templates.live_template("first_hello", medium="text", language="en", at=at)

    assert live(make.NOON) == old
    assert live(make.NOON + make.DAY) == new


def test_missing_template_raises_named_error(company):
    with pytest.raises(message_templates.NoTemplate, match="no text template named birthday"):
        message_templates.live_template("birthday", medium="text", language="en", at=make.NOON)


@pytest.mark.parametrize(
    "body", ["Hi {{ borrower.ssn }}", "Hi {{ nobody }}", "Hi {{ borrower.first_name", "{% if %}"]
)
def test_template_with_unknown_variable_is_rejected(company, body):
    template = Template(key="x", medium="text", language="en", version=1, body=body)

    with pytest.raises(message_templates.BadTemplate, match="x/text/en v1"):
        message_templates.render_template(
            template, lead=make.lead(), company=company, officer=None, at=make.NOON
        )


def test_name_is_never_rendered_as_template_and_subject_is_one_line(company):
    template = Template(
        key="x",
        medium="email",
        language="en",
        version=1,
        subject="For\n{{ borrower.first_name }}",
        body="Hi {{ borrower.first_name }}",
    )
    person = make.person(first_name="{{ company.phone }}")

    made = message_templates.render_template(
        template, lead=make.lead(person=person), company=company, officer=None, at=make.NOON
    )

    assert (made.subject, made.body) == ("For there", "Hi there")


def test_officer_signature_has_both_nmls_ids():
    company = SimpleNamespace(brand="Lindenfield", nmls_id="1204417")
    officer = SimpleNamespace(user=SimpleNamespace(name="Dana Whitfield"), nmls_id="1400001")

    assert message_templates.signature(company, officer) == (
        "Dana Whitfield NMLS 1400001, Lindenfield NMLS 1204417"
    )
    assert message_templates.signature(company, None) == "Lindenfield NMLS 1204417"
