"""Template check: the findings before anyone gets the message."""

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


def rules_found(template, action="block"):
    return [
        remark.id
        for remark in check_template(template, at=make.NOON).findings
        if remark.action == action
    ]


def test_all_default_templates_can_be_approved():
    message_templates.ensure_default_templates(at=make.NOON)

    for template in Template.objects.all():
        assert not check_template(template, at=make.NOON).blocking_findings, str(template)


@pytest.mark.parametrize(
    ("wording", "rule"),
    [
        ("Rates from 5.5% today.", "CT-01"),
        ("Guaranteed approval, bad credit OK.", "CT-11"),
        ("Skip two payments when you refinance.", "CT-18"),
        ("See bit.ly/3xyz.", "CT-29"),
        ("You do not qualify.", "RGB-01"),
    ],
)
def test_forbidden_wording_blocks_template(wording, rule):
    assert rule in rules_found(text(SENDER + wording + END))


def test_wording_that_needs_evidence_warns_without_blocking():
    template = text(SENDER + "A 30-year fixed may fit." + END)

    assert rules_found(template) == []
    assert rules_found(template, "require") == ["CT-04"]


def test_rule_applies_in_branch_no_sample_borrower_takes():
    hidden = "{% if lead.kind == 'a reverse mortgage' %}Guaranteed approval.{% endif %}"

    assert "CT-11" in rules_found(text(SENDER + hidden + END))


@pytest.mark.parametrize(
    "wording",
    [
        "Now 5.9% (6.1% APR)",
        "Now {{ '5.9%' }} APR",
        "{% assign now = '5.9% APR' %}{{ now }}",
        "{% if false %}5.9% APR{% endif %}",
        "Save $200 a month",
    ],
)
@pytest.mark.parametrize("key", ["not_reached_1", "rate_reached"])
def test_rate_figure_must_come_from_rate_sheet(wording, key):
    assert "CT-40" in rules_found(email(wording + ". " + SENDER, key=key))


def test_rate_sheet_figures_fill_only_rate_templates():
    wording = SENDER + "Our sheet shows {{ rate.rate }} ({{ rate.apr }} APR)."

    assert rules_found(email(wording, key="rate_reached")) == []
    broken = check_template(email(wording), at=make.NOON)
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
def test_text_must_name_sender_and_opt_out(body, rule):
    assert rule in rules_found(text(body))


def test_stop_confirmation_needs_no_sender_or_opt_out():
    assert rules_found(text("{{ company.brand }}: done.", key="stop_confirmed")) == []


def test_email_needs_subject_and_body():
    assert len(check_template(email(SENDER, subject=" "), at=make.NOON).blocking_findings) == 1
    assert "Add a message." in [
        blocking_finding.text
        for blocking_finding in check_template(email("  "), at=make.NOON).blocking_findings
    ]


@pytest.mark.parametrize(
    "body",
    ["{{ borrower.ssn }}", "{% include 'x' %}", "{% for n in (1..9999999) %}x{% endfor %}", "{{"],
)
def test_unfillable_template_gives_plain_sentence(body):
    reading = check_template(text(body), at=make.NOON)

    assert reading.preview is None
    assert len(reading.blocking_findings) == 1
    assert reading.blocking_findings[0].text.startswith("This can’t be rendered: ")


def test_preview_shows_borrower_view_and_cost():
    reading = check_template(text("Hi {{ borrower.first_name }}, " + SENDER + END), at=make.NOON)

    assert reading.preview.body.startswith("Hi Maria, Alex Morgan NMLS 1234567, ")
    assert (reading.length.segments, reading.length.encoding) == (1, "GSM-7")


def test_character_outside_gsm_alphabet_is_named_with_its_cost():
    reading = check_template(text(SENDER + "You’re next." + END), at=make.NOON)

    assert reading.length.encoding == "UCS-2"
    assert any(finding.text.startswith("’ costs more") for finding in reading.findings)


def test_spanish_template_gets_a_note_for_a_spanish_reader():
    remarks = check_template(
        text(SENDER + "Responda ALTO para terminar.", language="es"), at=make.NOON
    ).findings

    assert [remark.action for remark in remarks] == ["note"]
