"""What an officer says first on a call: in time in every state, and before them when they call."""

import pytest

from rooftree.compliance.gate.rulebook import STATES
from rooftree.core.us_states import STATES as NAMES
from rooftree.leads.models import Lead
from rooftree.outreach.calls import call_script
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, template_approval, version_approval
from rooftree.outreach.wording.template_check import check_template
from tests import make

pytestmark = pytest.mark.django_db
# The statutes themselves, so that a value of the rule data that is changed by mistake is told here.
STATUTES = {
    "CT": 10,  # Conn. Gen. Stat. 42-288a
    "NM": 15,  # NMSA 57-12-22(B)(1)
    "KY": 30,  # KRS 367.46953
    "NJ": 30,  # N.J.S.A. 56:8-128
    "NV": 30,  # NRS 598.092(2)
    "NY": 30,  # N.Y. GBL 399-z
    "RI": 30,  # R.I. Gen. Laws 5-61-3.3
    "WA": 30,  # RCW 80.36.390
    "MA": 60,  # 201 CMR 12.02(7)
}
WHO = "{{ caller.name }} of {{ company.brand }} about {{ lead.kind }}"
WHO_LASTS = 11  # words of it with the longest names and kind of loan: 3, "of", 2, "about", 4


@pytest.fixture(autouse=True)
def company():
    return make.company()


def words(body, language="en", **changes):
    draft = {"key": "call_opening", "medium": "call", "language": language, "body": body}
    return Template(**draft | changes)


def lasting(seconds):
    """Words of which the last one that must be said ends right at this second."""
    before = seconds * call_script.WORDS_PER_MINUTE // 60 - WHO_LASTS
    return words(" ".join(["well"] * before) + f" {WHO}. And so on and so on, as long as it takes.")


def refusals(template):
    return [
        blocking_finding.text
        for blocking_finding in check_template(template, at=make.NOON).blocking_findings
    ]


def test_the_rule_data_give_the_seconds_of_the_statutes():
    given = {code: row.disclose_seconds for code, row in STATES.items() if row.disclose_seconds}

    assert given == STATUTES
    assert {code for code, row in STATES.items() if row.end_call_seconds == 10} == {"WA"}


@pytest.mark.parametrize(("state", "seconds"), STATUTES.items())
def test_words_that_are_a_second_too_slow_for_a_state_are_refused_in_its_name(state, seconds):
    in_time, slow = lasting(seconds), lasting(seconds + 1)

    assert check_template(in_time, at=make.NOON).seconds == seconds
    assert not any(NAMES[state] in refusal for refusal in refusals(in_time))
    (said,) = refusals(slow)
    assert f"{NAMES[state]} allows {seconds}" in said or f", {NAMES[state]} {seconds}" in said
    assert f"takes about {seconds + 1} seconds to get to the purpose." in said


def test_one_wording_is_said_everywhere_so_the_strictest_state_decides():
    assert refusals(lasting(10)) == []
    assert refusals(lasting(14)) == [
        "Connecticut allows 10 seconds. This script takes about 14 seconds to get to the purpose."
        " Shorten what comes before."
    ]
    found = check_template(lasting(14), at=make.NOON).blocking_findings[0]
    assert (found.id, "42-288a" in found.cite) == ("DIS-01", True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ company.brand }} about {{ lead.kind }}", "the caller’s name: insert “caller.name”"),
        ("{{ caller.name }} about {{ lead.kind }}", "the company’s name: insert “company.brand”"),
        ("{{ caller.name }} of {{ company.brand }}", "the purpose: insert “lead.kind”"),
        ("{% if lead.kind == 'refinancing' %}Hello.{% else %}" + WHO + "{% endif %}",
         "the purpose: insert “lead.kind”"),
        ("{{ caller.name }}, {{ company.brand }}: a mortgage", "the purpose: insert “lead.kind”"),
    ],
)  # fmt: skip
def test_words_that_leave_out_who_for_whom_or_why_are_refused(body, said):
    assert f"Add {said}." in refusals(words(body))


def test_what_is_said_last_is_what_the_refusal_names():
    late = "About {{ lead.kind }}, from {{ company.brand }}: " + "well " * 20 + "{{ caller.name }}"

    (said,) = refusals(words(late))

    assert "to get to the caller’s name" in said


def test_the_longest_names_and_loans_count_not_the_made_up_ones():
    padded = "well " * (25 - 9) + WHO  # 25 words for Alex Morgan who offers "buying a home"

    assert "Connecticut allows 10 seconds" in refusals(words(padded))[0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("one two three four five", 2),
        ("one two three four five six", 3),  # begun is counted whole
        ("NMLS 1204417", 5),  # spelled: four letters and seven figures
        ("O’Brien isn’t late", 2),
        ("¿Cómo está usted?", 2),
    ],
)
def test_seconds_are_reckoned_from_words_figures_and_letters(text, seconds):
    assert call_script.spoken_seconds(text) == seconds


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_a_company_starts_with_is_in_time_for_connecticut(language):
    message_templates.ensure_default_templates(at=make.NOON)
    one = Template.objects.get(key="call_opening", language=language)

    found = check_template(one, at=make.NOON)

    assert found.blocking_findings == []
    assert found.seconds <= 10


def test_words_that_are_too_slow_are_neither_proposed_nor_approved():
    mia, cora = make.user("marketing"), make.user("compliance")
    with pytest.raises(version_approval.UnfitVersion, match="Connecticut allows 10 seconds"):
        template_approval.propose_draft(lasting(11), by=mia, summary="Warmer", at=make.NOON)
    one = template_approval.propose_draft(lasting(10), by=mia, summary="Warmer", at=make.NOON)

    template_approval.approve_draft(one, by=cora, until=make.NOON + make.DAY, at=make.NOON)

    live = message_templates.live_template(
        "call_opening", medium="call", language="en", at=make.NOON
    )
    assert live.body == one.body


def test_a_text_may_not_name_who_calls():
    one = Template(key="not_reached_1", medium="text", language="en", body="{{ caller.name }}")

    assert refusals(one) == ["This can’t be rendered: there is no placeholder “caller”."]


def lead_in(number, home="", property_state="FL", **changes):
    person = make.person(first_name="Ana", phone=number, **changes)
    person.state = home
    person.save()
    lead = make.lead(person=person, purpose="purchase", property_state=property_state)
    return Lead.objects.select_related("person").get(pk=lead.pk)


@pytest.fixture
def dana():
    message_templates.ensure_default_templates(at=make.NOON)
    return make.user("officer", name="Dana Whitfield")


@pytest.mark.parametrize(
    ("number", "home", "property_state", "limit", "end"),
    [
        ("+18135550142", "", "FL", None, None),
        ("+12035550142", "", "FL", (10, "Connecticut"), None),  # their number alone
        ("+18135550142", "MA", "FL", (60, "Massachusetts"), None),
        ("+15055550142", "MA", "CT", (10, "Connecticut"), None),
        ("+15055550142", "MA", "WA", (15, "New Mexico"), (10, "Washington")),
    ],
)
def test_the_strictest_of_all_places_where_they_may_be_is_shown(
    dana, number, home, property_state, limit, end
):
    lead = lead_in(number, home, property_state)

    said = call_script.script_for_call(make.NOON, lead=lead, by=dana)

    shown = [one and (one.seconds, one.state) for one in (said.say_within, said.end_within)]
    assert shown == [limit, end]


def test_the_words_are_filled_in_for_this_caller_and_borrower(dana):
    said = call_script.script_for_call(make.NOON, lead=lead_in("+12035550142"), by=dana)

    assert said.script.body.startswith(
        "Hello Ana, this is Dana Whitfield with Lindenfield Mortgage, calling to offer our"
        " services for buying a home."
    )
    assert (said.seconds, said.is_too_slow) == (8, False)


def test_who_speaks_spanish_is_called_in_spanish(dana):
    said = call_script.script_for_call(
        make.NOON, lead=lead_in("+12035550142", language="es"), by=dana
    )

    assert said.script.body.startswith("Hola Ana, le habla Dana Whitfield de Lindenfield Mortgage")
    assert "la compra de una casa" in said.script.body


def test_names_that_are_longer_than_most_are_told_to_be_slow(dana):
    dana.name = " ".join(["Dana"] * 12)

    said = call_script.script_for_call(make.NOON, lead=lead_in("+12035550142"), by=dana)

    assert said.is_too_slow
    assert said.seconds > said.say_within.seconds == 10


def test_without_words_in_use_the_limit_is_shown_all_the_same(dana):
    Template.objects.filter(key="call_opening").update(until_at=make.NOON)

    said = call_script.script_for_call(make.NOON, lead=lead_in("+12035550142"), by=dana)

    assert said.script is None
    assert said.say_within.seconds == 10
