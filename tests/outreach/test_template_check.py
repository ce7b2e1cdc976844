"""What is found in wording before anybody gets it."""

import pytest

from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.template_check import check_template
from tests import make

pytestmark = pytest.mark.django_db
SENDER = "{{ sender }}. "
END = " Reply STOP to end."


@pytest.fixture(autouse=True)
def company():
    return make.company()


def text(body, key="not_reached_1", **changes):
    return Template(**{"key": key, "medium": "text", "language": "en", "body": body} | changes)


def email(body, subject="Your request", key="not_reached_1"):
    return Template(key=key, medium="email", language="en", subject=subject, body=body)


def found(template, action="block"):
    return [
        remark.id
        for remark in check_template(template, at=make.NOON).findings
        if remark.action == action
    ]


def test_what_a_company_starts_with_may_all_be_approved():
    message_templates.ensure_default_templates(at=make.NOON)

    for template in Template.objects.all():
        assert not check_template(template, at=make.NOON).blocking_findings, str(template)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("Rates from 5.5% today.", "CT-01"),
        ("Guaranteed approval, bad credit OK.", "CT-11"),
        ("Skip two payments when you refinance.", "CT-18"),
        ("See bit.ly/3xyz.", "CT-29"),
        ("You do not qualify.", "RGB-01"),
    ],
)
def test_what_the_rules_forbid_blocks(said, rule):
    assert rule in found(text(SENDER + said + END))


def test_what_takes_evidence_is_told_and_does_not_block():
    one = text(SENDER + "A 30-year fixed may fit." + END)

    assert found(one) == []
    assert found(one, "require") == ["CT-04"]


def test_a_rule_is_met_in_a_branch_that_no_made_up_borrower_takes():
    hidden = "{% if lead.kind == 'a reverse mortgage' %}Guaranteed approval.{% endif %}"

    assert "CT-11" in found(text(SENDER + hidden + END))


@pytest.mark.parametrize(
    "said",
    [
        "Now 5.9% (6.1% APR)",
        "Now {{ '5.9%' }} APR",
        "{% assign now = '5.9% APR' %}{{ now }}",
        "{% if false %}5.9% APR{% endif %}",
        "Save $200 a month",
    ],
)
@pytest.mark.parametrize("key", ["not_reached_1", "rate_reached"])
def test_a_figure_comes_from_a_rate_sheet_or_not_at_all(said, key):
    assert "CT-40" in found(email(said + ". " + SENDER, key=key))


def test_figures_of_the_sheet_may_be_filled_in_where_there_is_one():
    said = SENDER + "Our sheet shows {{ rate.rate }} ({{ rate.apr }} APR)."

    assert found(email(said, key="rate_reached")) == []
    broken = check_template(email(said), at=make.NOON)
    assert [blocking_finding.text for blocking_finding in broken.blocking_findings] == [
        "This can’t be rendered: there is no placeholder “rate”."
    ]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("Hello." + END, "LIC-01"),
        ("Hello from NMLS 1204417." + END, "LIC-01"),  # the officer signs too
        (SENDER, "TEN-01"),
        ("NMLS 1204417 NMLS 1234567." + END, "CP-01"),
    ],
)
def test_a_text_names_its_sender_and_the_way_out(body, rule):
    assert rule in found(text(body))


def test_the_confirmation_of_a_stop_needs_neither():
    assert found(text("{{ company.brand }}: done.", key="stop_confirmed")) == []


def test_an_email_needs_a_subject_and_words():
    assert len(check_template(email(SENDER, subject=" "), at=make.NOON).blocking_findings) == 1
    assert "Add a message." in [
        blocking_finding.text
        for blocking_finding in check_template(email("  "), at=make.NOON).blocking_findings
    ]


@pytest.mark.parametrize(
    "body",
    ["{{ borrower.ssn }}", "{% include 'x' %}", "{% for n in (1..9999999) %}x{% endfor %}", "{{"],
)
def test_what_cannot_be_filled_in_is_a_sentence(body):
    reading = check_template(text(body), at=make.NOON)

    assert reading.preview is None
    assert len(reading.blocking_findings) == 1
    assert reading.blocking_findings[0].text.startswith("This can’t be rendered: ")


def test_the_reader_sees_the_words_as_a_borrower_would_and_what_they_cost():
    reading = check_template(text("Hi {{ borrower.first_name }}, " + SENDER + END), at=make.NOON)

    assert reading.preview.body.startswith("Hi Maria, Alex Morgan NMLS 1234567, ")
    assert (reading.length.segments, reading.length.encoding) == (1, "GSM-7")


def test_one_letter_outside_the_plain_ones_is_named_with_its_price():
    reading = check_template(text(SENDER + "You’re next." + END), at=make.NOON)

    assert reading.length.encoding == "UCS-2"
    assert any(finding.text.startswith("’ costs more") for finding in reading.findings)


def test_spanish_is_left_to_somebody_who_reads_it():
    remarks = check_template(
        text(SENDER + "Responda ALTO para terminar.", language="es"), at=make.NOON
    ).findings

    assert [remark.action for remark in remarks] == ["note"]
