"""Call opening script: within every state's time limit, and on screen during the call."""

import pytest

from rooftree.compliance.gate.rulebook import STATES
from rooftree.core.us_states import STATES as NAMES
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead, Loan, Task
from rooftree.outreach.calls import call_script
from rooftree.outreach.calls.call_reason import CallReason, reason_phrase
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import message_templates, template_approval, version_approval
from rooftree.outreach.wording.message_templates import LOAN_PHRASES
from rooftree.outreach.wording.template_check import check_template
from tests import make

pytestmark = pytest.mark.django_db
# From the statutes themselves, so a value changed by mistake in the rule data fails here.
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
WHO_LASTS = 11  # words with the longest names and loan kind: 3, "of", 2, "about", 4


@pytest.fixture(autouse=True)
def company():
    return make.company()


def words(body, language="en", **changes):
    draft = {"key": "call_opening", "medium": "call", "language": language, "body": body}
    return Template(**draft | changes)


def lasting(seconds):
    """Return a script whose last required word ends at this second."""
    before = seconds * call_script.WORDS_PER_MINUTE // 60 - WHO_LASTS
    return words(" ".join(["well"] * before) + f" {WHO}. And so on and so on, as long as it takes.")


def refusals(template):
    return [
        blocking_finding.text
        for blocking_finding in check_template(template, at=make.NOON).blocking_findings
    ]


def test_rule_data_match_seconds_in_statutes():
    seconds_by_state = {
        code: row.disclose_seconds for code, row in STATES.items() if row.disclose_seconds
    }

    assert seconds_by_state == STATUTES
    assert {code for code, row in STATES.items() if row.end_call_seconds == 10} == {"WA"}


@pytest.mark.parametrize(("state", "seconds"), STATUTES.items())
def test_script_a_second_too_slow_is_rejected_naming_the_state(state, seconds):
    in_time, slow = lasting(seconds), lasting(seconds + 1)

    assert check_template(in_time, at=make.NOON).seconds == seconds
    assert not any(NAMES[state] in refusal for refusal in refusals(in_time))
    (sentence,) = refusals(slow)
    assert (
        f"{NAMES[state]} allows {seconds}" in sentence or f", {NAMES[state]} {seconds}" in sentence
    )
    assert f"takes about {seconds + 1} seconds to get to the purpose." in sentence


def test_strictest_state_decides_for_the_common_script():
    assert refusals(lasting(10)) == []
    assert refusals(lasting(14)) == [
        "Connecticut allows 10 seconds. This script takes about 14 seconds to get to the purpose."
        " Shorten what comes before."
    ]
    finding = check_template(lasting(14), at=make.NOON).blocking_findings[0]
    assert (finding.id, "42-288a" in finding.cite) == ("DIS-01", True)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{{ company.brand }} about {{ lead.kind }}", "the caller’s name: insert “caller.name”"),
        ("{{ caller.name }} about {{ lead.kind }}", "the company’s name: insert “company.brand”"),
        ("{{ caller.name }} of {{ company.brand }}", "the purpose: insert “lead.kind”"),
        ("{% if lead.kind == 'refinancing' %}Hello.{% else %}" + WHO + "{% endif %}",
         "the purpose: insert “lead.kind”"),
        ("{{ caller.name }}, {{ company.brand }}: a mortgage", "the purpose: insert “lead.kind”"),
    ],
)  # fmt: skip
def test_script_without_caller_company_or_purpose_is_rejected(body, problem):
    assert f"Add {problem}." in refusals(words(body))


def test_rejection_names_the_part_said_last():
    late = "About {{ lead.kind }}, from {{ company.brand }}: " + "well " * 20 + "{{ caller.name }}"

    (refusal,) = refusals(words(late))

    assert "to get to the caller’s name" in refusal


def test_timing_uses_longest_real_names_and_loans():
    padded = "well " * (25 - 9) + WHO  # 25 words for Alex Morgan and "buying a home"

    assert "Connecticut allows 10 seconds" in refusals(words(padded))[0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("one two three four five", 2),
        ("one two three four five six", 3),  # a started second counts whole
        ("NMLS 1204417", 5),  # spelled out: four letters and seven digits
        ("O’Brien isn’t late", 2),
        ("¿Cómo está usted?", 2),
    ],
)
def test_seconds_are_estimated_from_words_digits_and_letters(text, seconds):
    assert call_script.spoken_seconds(text) == seconds


@pytest.mark.parametrize("language", ["en", "es"])
def test_default_script_meets_connecticut_limit(language):
    message_templates.ensure_default_templates(at=make.NOON)
    template = Template.objects.get(key="call_opening", language=language)

    reading = check_template(template, at=make.NOON)

    assert reading.blocking_findings == []
    assert reading.seconds <= 10


def test_slow_script_cannot_be_proposed_or_approved():
    mia, cora = make.user("marketing"), make.user("compliance")
    with pytest.raises(version_approval.UnfitVersion, match="Connecticut allows 10 seconds"):
        template_approval.propose_draft(lasting(11), by=mia, summary="Warmer", at=make.NOON)
    draft = template_approval.propose_draft(lasting(10), by=mia, summary="Warmer", at=make.NOON)

    template_approval.approve_draft(draft, by=cora, until=make.NOON + make.DAY, at=make.NOON)

    live = message_templates.live_template(
        "call_opening", medium="call", language="en", at=make.NOON
    )
    assert live.body == draft.body


def test_text_template_cannot_name_caller():
    template = Template(key="not_reached_1", medium="text", language="en", body="{{ caller.name }}")

    assert refusals(template) == ["This can’t be rendered: there is no placeholder “caller”."]


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
        ("+12035550142", "", "FL", (10, "Connecticut"), None),  # only the number
        ("+18135550142", "MA", "FL", (60, "Massachusetts"), None),
        ("+15055550142", "MA", "CT", (10, "Connecticut"), None),
        ("+15055550142", "MA", "WA", (15, "New Mexico"), (10, "Washington")),
    ],
)
def test_script_shows_strictest_limit_of_possible_locations(
    dana, number, home, property_state, limit, end
):
    lead = lead_in(number, home, property_state)

    script = call_script.script_for_call(make.NOON, lead=lead, by=dana)

    shown = [
        timing and (timing.seconds, timing.state)
        for timing in (script.say_within, script.end_within)
    ]
    assert shown == [limit, end]


def test_script_is_filled_in_for_caller_and_borrower(dana):
    script = call_script.script_for_call(make.NOON, lead=lead_in("+12035550142"), by=dana)

    assert script.script.body.startswith(
        "Hello Ana, this is Dana Whitfield with Lindenfield Mortgage, calling because you asked"
        " about buying a home."
    )
    assert (script.seconds, script.is_too_slow) == (7, False)


def test_spanish_speaker_gets_spanish_script(dana):
    script = call_script.script_for_call(
        make.NOON, lead=lead_in("+12035550142", language="es"), by=dana
    )

    assert script.script.body.startswith(
        "Hola Ana, le habla Dana Whitfield de Lindenfield Mortgage"
    )
    assert "la compra de una casa" in script.script.body


def test_unusually_long_names_give_a_timing_warning(dana):
    dana.name = " ".join(["Dana"] * 12)

    script = call_script.script_for_call(make.NOON, lead=lead_in("+12035550142"), by=dana)

    assert script.is_too_slow
    assert script.seconds > script.say_within.seconds == 10


def test_limit_is_shown_without_an_active_script(dana):
    Template.objects.filter(key="call_opening").update(until_at=make.NOON)

    script = call_script.script_for_call(make.NOON, lead=lead_in("+12035550142"), by=dana)

    assert script.script is None
    assert script.say_within.seconds == 10


def add_inbound(lead, medium, *, at=make.NOON - make.HOUR, result=""):
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium=medium, direction="in", result=result, at=at,
        idempotency_key=f"in:{make.number()}",
    )  # fmt: skip


def send_rate_alert(lead):
    Message.objects.create(
        lead=lead, person=lead.person, medium="text", direction="out", state="sent",
        purpose="marketing", to_address=lead.person.phones.get().e164, body="Rates dropped.",
        created_at=make.NOON - make.DAY, sent_at=make.NOON - make.DAY, is_automated=True,
        idempotency_key="watch:1",
    )  # fmt: skip


def borrowed(lead):
    Loan.objects.create(
        lead=lead, los="encompass", instance="main", los_loan_id="L1", rank=50,
        application_date=make.NOON.date(), created_at=make.NOON,
    )  # fmt: skip


def agreed(lead):
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium="call", result="call_back", at=make.NOON - make.HOUR,
        idempotency_key="call:1",
    )  # fmt: skip
    Task.objects.create(
        lead=lead, title="Call back", kind=lead_tasks.CALL_BACK, due_at=make.NOON,
        created_at=make.NOON - make.HOUR,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (lambda lead: None, "because you asked about buying a home"),
        (
            lambda lead: add_inbound(lead, "text"),
            "in reply to your message about buying a home",
        ),
        (
            lambda lead: add_inbound(lead, "call", result="missed"),
            "to return your call about",
        ),
        (agreed, "as you asked, about buying a home"),
        (send_rate_alert, "because rates reached your target for buying a home"),
        (borrowed, "about your loan application for buying a home"),
    ],
)
def test_opening_words_fit_what_the_borrower_asked_for(dana, history, reason):
    lead = lead_in("+18135550142")
    history(lead)

    script = call_script.script_for_call(make.NOON, lead=lead, by=dana)

    assert f"calling {reason}" in script.script.body


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        ("referral_partner", "calling about buying a home"),
        ("csv_import", "calling about buying a home"),
        ("zillow", "calling because you asked about"),
    ],
)
def test_opening_words_fit_where_the_lead_came_from(dana, adapter, reason):
    lead = lead_in("+18135550142")
    lead.source.adapter = adapter
    lead.source.save()

    assert reason in call_script.script_for_call(make.NOON, lead=lead, by=dana).script.body


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("purpose", LOAN_PHRASES["en"])
def test_every_reason_names_the_kind_of_loan(language, purpose):
    kind = LOAN_PHRASES[language][purpose]
    phrases = [reason_phrase(reason, language, purpose) for reason in CallReason]

    assert all(kind in phrase for phrase in phrases)
    assert len(set(phrases)) == len(CallReason)
