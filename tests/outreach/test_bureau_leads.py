"""Leads sold by a credit bureau: messages to stored leads get the verdict that `decide` gives.

Each case of the rulebook becomes rows: the source's reviewed terms, the lead's records, the
kind of company and the date it acquired the lead.
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
    journey.set_up_company(states=("FL", "UT", "ID", "TX"))
    return make.company()


def sold(*, acquired=ACQUIRED, state="FL", **terms) -> Lead:
    """Create a bureau lead, under reviewed terms."""
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


def rule_result(message: Message, rule: str) -> tuple[str, str]:
    """Return one rule's result in the verdict of a message."""
    (rule_row,) = [result for result in message.verdict.results if result["id"] == rule]
    return rule_row["decision"], rule_row["reason"]


def of_case(case_facts: dict) -> tuple[str, str]:
    """Return the result of `rooftree decide` for the same case."""
    verdict = decide_case.case_verdict(case_facts)
    return verdict.decision.value, verdict.reason


GIVEN = {"acquired": "2026-11-20", "source": "cra_trigger", "firm_offer": True}


@pytest.mark.parametrize("relationship", ["", *TIES])
@pytest.mark.parametrize("is_authorized", [True, False])
def test_authorization_or_current_account_is_a_basis(company, relationship, is_authorized):
    lead = sold()
    proven(lead, is_authorized=is_authorized, relationship=relationship)

    message = sent(lead)

    case_facts = GIVEN | {"relationship": relationship or None}
    case_facts |= {"authorization_certified_to_cra": True} if is_authorized else {}
    assert rule_result(message, "TRG-01") == of_case(case_facts)
    # The word “prescreened” in the notices requires a review first.
    allowed = rule_result(message, "TRG-01")[0] == "allow"
    assert message.state == ("review" if allowed else "blocked")


def test_current_account_is_a_basis_only_at_insured_bank(company):
    company.kind = "depository"
    company.save()
    lead = sold()
    proven(lead, is_authorized=False, relationship="current_account")

    case_facts = GIVEN | {"relationship": "current_account", "entity": "insured_bank"}
    assert (
        rule_result(sent(lead), "TRG-01") == of_case(case_facts) == ("allow", "hppa_relationship")
    )


@pytest.mark.parametrize("day", ["2026-03-03", "2026-03-04"])
def test_bureau_lead_bought_before_the_law_needs_no_basis(company, day):
    lead = sold(acquired=datetime.fromisoformat(f"{day}T17:00:00+00:00"))

    case_facts = GIVEN | {"acquired": day, "relationship": None}
    assert rule_result(sent(lead), "TRG-01") == of_case(case_facts)


def test_bureau_lead_without_basis_gets_no_message(company):
    message = sent(sold())
    assert (message.state, message.verdict.reason) == ("blocked", "hppa_no_basis")


def test_contract_that_certifies_authorizations_is_a_basis_for_all(company):
    assert rule_result(sent(sold(is_authorized=True)), "TRG-01") == ("allow", "hppa_consent")


def test_prescreened_lead_without_firm_offer_gets_no_message(company):
    message = sent(sold(is_firm_offer=False, is_authorized=True))
    assert rule_result(message, "TRG-01") == of_case(GIVEN | {"firm_offer": False})
    assert message.state == "blocked"


def test_unknown_source_class_is_blocked_and_intent_data_needs_review(company):
    nobody, intent = (
        sent(sold(source_class="unknown")),
        sent(sold(source_class="web_intent_vendor")),
    )

    assert rule_result(nobody, "TRG-01") == ("block", "provenance_unknown")
    case_facts = {
        "source": "web_intent_vendor", "signal": "visited_competitor", "cra_provenance": "none",
    }  # fmt: skip
    assert rule_result(intent, "TRG-01") == of_case(case_facts)
    assert (nobody.state, intent.state) == ("blocked", "review")


def test_borrower_opted_out_of_prescreening_gets_no_offer(company):
    lead = sold(state="ID")
    proven(lead, has_opted_out=True)

    case_facts = {"state": "ID", "prescreen_opted_out": True, "source": "cra_trigger"}
    assert rule_result(sent(lead), "TRG-02") == of_case(case_facts) == ("block", "prescreen_optout")


def test_first_message_says_we_are_not_their_lender_where_state_requires(company):
    lead = sold(state="UT", is_authorized=True)

    silent = sent(lead, f"{NOTICES} Lindenfield Mortgage NMLS 1204417.")
    assert rule_result(silent, "TRG-02") == ("block", "state_disclosure_missing")
    assert silent.state == "blocked"

    case_facts = {
        "state": "UT", "source": "cra_trigger", "authorization_certified_to_cra": True,
        "firm_offer": True, "text_has_not_affiliated_statement": True,
    }  # fmt: skip
    assert (
        rule_result(sent(lead), "TRG-02") == of_case(case_facts) == ("allow", "state_disclosure_ok")
    )


@pytest.mark.parametrize(
    ("earlier", "answer"),
    [
        (HONEST, "state_disclosure_ok"),
        ("No somos afiliados con su banco.", "state_disclosure_ok"),
        ("We could not be more proud to be affiliated with them.", "state_disclosure_missing"),
    ],
)
def test_not_their_lender_notice_is_needed_once(company, earlier, answer):
    lead = sold(state="UT", is_authorized=True)
    Message.objects.filter(pk=sent(lead).pk).update(body=earlier, state="sent", sent_at=make.NOON)

    silent = sent(lead, f"{NOTICES} Lindenfield Mortgage NMLS 1204417.")

    assert rule_result(silent, "TRG-02")[1] == answer


@pytest.mark.parametrize(
    ("body", "case_facts"),
    [
        (f"{HONEST} NMLS 1204417.", {"optout_notice_short_and_long": False}),
        (WORDS, {"optout_notice_short_and_long": True, "criteria_kept": True}),
    ],
)  # fmt: skip
def test_prescreened_offer_carries_both_opt_out_notices(company, body, case_facts):
    message = sent(sold(is_authorized=True), body)
    assert rule_result(message, "FCR-02") == of_case({"message": "prescreened_offer", **case_facts})


def test_offer_without_criteria_on_file_is_no_firm_offer(company):
    message = sent(sold(is_authorized=True, criteria=""))
    assert rule_result(message, "FCR-02") == ("block", "not_a_firm_offer")


def test_borrower_who_inquires_later_needs_no_basis(company):
    lead = sold()
    make.touch(lead, source=journey.create_website())

    assert rule_result(sent(lead), "TRG-01") == ("allow", "consumer_initiated_transaction")


def test_unreviewed_source_terms_change_nothing(company):
    lead = sold()
    SourceTerms.objects.update(reviewed_at=None)
    assert rule_result(sent(lead), "TRG-01") == ("allow", "consumer_initiated_transaction")


def test_checker_finds_bureau_lead_allowed_without_basis(company):
    allowed = sent(sold(is_authorized=True)).verdict
    facts = dict(allowed.facts)
    assert verdict_checker.find_objections(facts) == []

    facts["provenance"] = facts["provenance"] | {"is_authorized_to_cra": False}
    assert verdict_checker.find_objections(facts) == ["a credit bureau's lead has no basis"]


def test_basis_without_proof_does_not_count(company):
    with pytest.raises(BadBasis, match="where the proof is kept"):
        proven(sold(), reference=" ")
