"""A lead that a credit bureau sold: its rows, sent to, get the verdict that `decide` gives.

Each line is a case of the rulebook as rows: the source's reviewed terms, what is on
file of the lead, what the company is and when it acquired the lead.
"""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from rooftree.compliance.credit import trigger_lead_basis
from rooftree.compliance.credit.trigger_lead_basis import BadBasis, BasisProof
from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.models import SourceTerms
from rooftree.leads.models import Lead
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from rooftree_casebook import decide_case
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
NOTICES = (
    "You can choose to stop receiving prescreened offers: call 1-888-567-8688. "
    "PRESCREEN & OPT-OUT NOTICE: This prescreened offer is based on information in your credit "
    "report indicating that you meet certain criteria."
)
HONEST = (
    "A credit bureau told us that you asked about a mortgage. We are not affiliated with the "
    "lender you applied to."
)
WORDS = f"{HONEST} {NOTICES} Lindenfield Mortgage NMLS 1204417."
AUTHORIZED = BasisProof(
    is_authorized=True, relationship="", has_opted_out=False, reference="EQ-118"
)
ACQUIRED = datetime(2026, 11, 20, 17, tzinfo=UTC)
TIES = ("current_servicer", "originated_current_loan", "current_account")


@pytest.fixture
def company():
    journey.ready(states=("FL", "UT", "ID", "TX"))
    return make.company()


def sold(*, acquired=ACQUIRED, state="FL", **terms) -> Lead:
    """A lead of a bureau, under terms that were reviewed."""
    source = make.source("generic")
    kept = {
        "source_class": "cra_trigger",
        "is_firm_offer": True,
        "criteria": "Score 660 or more, loan to value 80 % or less",
        "channels": ["email"],
        **terms,
    }
    SourceTerms.objects.create(
        source=source, from_date=date(2026, 1, 1), reviewed_at=make.NOON,
        reviewed_by=make.user("compliance"), **kept,
    )  # fmt: skip
    person = make.person(email="ben@home.example", phone=None, state=state)
    return make.lead(person=person, source=source, property_state=state, at=acquired)


def proven(lead: Lead, basis: BasisProof = AUTHORIZED, **changes) -> None:
    trigger_lead_basis.record_basis(
        lead, replace(basis, **changes), by=make.user("compliance"), at=make.NOON
    )


def sent(lead: Lead, body: str = WORDS) -> Message:
    words = MessageContent(body=body, subject="A firm offer", officer=None, language="en")
    message = send.queue_message(
        lead=Lead.objects.select_related("person", "source").get(pk=lead.pk), medium="email",
        purpose="marketing", cause=f"test:{make.number()}", words=words, to="ben@home.example",
        at=make.NOON + make.HOUR,
    )  # fmt: skip
    send.deliver_messages([message.pk], at=make.NOON + make.HOUR)
    message.refresh_from_db()
    return message


def said(message: Message, rule: str) -> tuple[str, str]:
    """What one rule answered about a message that was asked about."""
    (found,) = [result for result in message.verdict.results if result["id"] == rule]
    return found["decision"], found["reason"]


def of_case(given: dict) -> tuple[str, str]:
    """What `rooftree decide` says of the same case."""
    verdict = decide_case.case_verdict(given)
    return verdict.decision.value, verdict.reason


GIVEN = {"acquired": "2026-11-20", "source": "cra_trigger", "firm_offer": True}


@pytest.mark.parametrize("relationship", ["", *TIES])
@pytest.mark.parametrize("is_authorized", [True, False])
def test_an_authorization_or_a_tie_of_today_is_a_basis(company, relationship, is_authorized):
    lead = sold()
    proven(lead, is_authorized=is_authorized, relationship=relationship)

    message = sent(lead)

    given = GIVEN | {"relationship": relationship or None}
    given |= {"authorization_certified_to_cra": True} if is_authorized else {}
    assert said(message, "TRG-01") == of_case(given)
    # The notices' own word “prescreened” is one that a person reads first.
    allowed = said(message, "TRG-01")[0] == "allow"
    assert message.state == ("review" if allowed else "blocked")


def test_a_current_account_is_a_tie_at_an_insured_bank_only(company):
    company.kind = "depository"
    company.save()
    lead = sold()
    proven(lead, is_authorized=False, relationship="current_account")

    given = GIVEN | {"relationship": "current_account", "entity": "insured_bank"}
    assert said(sent(lead), "TRG-01") == of_case(given) == ("allow", "hppa_relationship")


@pytest.mark.parametrize("day", ["2026-03-03", "2026-03-04"])
def test_what_was_acquired_before_the_law_needs_no_basis(company, day):
    lead = sold(acquired=datetime.fromisoformat(f"{day}T17:00:00+00:00"))

    given = GIVEN | {"acquired": day, "relationship": None}
    assert said(sent(lead), "TRG-01") == of_case(given)


def test_without_a_basis_on_file_nothing_goes(company):
    message = sent(sold())
    assert (message.state, message.verdict.reason) == ("blocked", "hppa_no_basis")


def test_a_contract_that_certifies_each_authorization_is_a_basis_of_all(company):
    assert said(sent(sold(is_authorized=True)), "TRG-01") == ("allow", "hppa_consent")


def test_without_a_firm_offer_nothing_goes(company):
    message = sent(sold(is_firm_offer=False, is_authorized=True))
    assert said(message, "TRG-01") == of_case(GIVEN | {"firm_offer": False})
    assert message.state == "blocked"


def test_a_source_that_nobody_knows_is_blocked_and_intent_data_waits_for_a_person(company):
    nobody, intent = (
        sent(sold(source_class="unknown")),
        sent(sold(source_class="web_intent_vendor")),
    )

    assert said(nobody, "TRG-01") == ("block", "provenance_unknown")
    given = {
        "source": "web_intent_vendor", "signal": "visited_competitor", "cra_provenance": "none",
    }  # fmt: skip
    assert said(intent, "TRG-01") == of_case(given)
    assert (nobody.state, intent.state) == ("blocked", "review")


def test_whoever_opted_out_of_prescreened_offers_gets_none(company):
    lead = sold(state="ID")
    proven(lead, has_opted_out=True)

    given = {"state": "ID", "prescreen_opted_out": True, "source": "cra_trigger"}
    assert said(sent(lead), "TRG-02") == of_case(given) == ("block", "prescreen_optout")


def test_where_a_state_asks_it_the_first_words_say_that_we_are_not_their_lender(company):
    lead = sold(state="UT", is_authorized=True)

    silent = sent(lead, f"{NOTICES} Lindenfield Mortgage NMLS 1204417.")
    assert said(silent, "TRG-02") == ("block", "state_disclosure_missing")
    assert silent.state == "blocked"

    given = {
        "state": "UT", "source": "cra_trigger", "authorization_certified_to_cra": True,
        "firm_offer": True, "text_has_not_affiliated_statement": True,
    }  # fmt: skip
    assert said(sent(lead), "TRG-02") == of_case(given) == ("allow", "state_disclosure_ok")


@pytest.mark.parametrize(
    ("earlier", "answer"),
    [
        (HONEST, "state_disclosure_ok"),
        ("No somos afiliados con su banco.", "state_disclosure_ok"),
        ("We could not be more proud to be affiliated with them.", "state_disclosure_missing"),
    ],
)
def test_who_was_told_so_once_need_not_be_told_again(company, earlier, answer):
    lead = sold(state="UT", is_authorized=True)
    Message.objects.filter(pk=sent(lead).pk).update(body=earlier, state="sent", sent_at=make.NOON)

    silent = sent(lead, f"{NOTICES} Lindenfield Mortgage NMLS 1204417.")

    assert said(silent, "TRG-02")[1] == answer


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (f"{HONEST} NMLS 1204417.", {"optout_notice_short_and_long": False}),
        (WORDS, {"optout_notice_short_and_long": True, "criteria_kept": True}),
    ],
)  # fmt: skip
def test_an_offer_carries_both_opt_out_notices(company, body, given):
    message = sent(sold(is_authorized=True), body)
    assert said(message, "FCR-02") == of_case({"message": "prescreened_offer", **given})


def test_an_offer_without_its_criteria_on_file_is_none(company):
    message = sent(sold(is_authorized=True, criteria=""))
    assert said(message, "FCR-02") == ("block", "not_a_firm_offer")


def test_who_asks_us_afterwards_began_it_themselves(company):
    lead = sold()
    make.touch(lead, source=journey.website())

    assert said(sent(lead), "TRG-01") == ("allow", "consumer_initiated_transaction")


def test_terms_that_nobody_reviewed_change_nothing(company):
    lead = sold()
    SourceTerms.objects.update(reviewed_at=None)
    assert said(sent(lead), "TRG-01") == ("allow", "consumer_initiated_transaction")


def test_the_checker_sees_a_bureaus_lead_that_was_allowed_without_a_basis(company):
    allowed = sent(sold(is_authorized=True)).verdict
    facts = dict(allowed.facts)
    assert verdict_checker.find_objections(facts) == []

    facts["provenance"] = facts["provenance"] | {"is_authorized_to_cra": False}
    assert verdict_checker.find_objections(facts) == ["a credit bureau's lead has no basis"]


def test_a_basis_without_its_proof_is_none(company):
    with pytest.raises(BadBasis, match="where the proof is kept"):
        proven(sold(), reference=" ")
