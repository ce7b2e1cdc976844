"""Questions of ad forms as borrowers see them, and hostile responses from TrustedForm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.certificates import trustedform
from rooftree.capture.parsing.ad_form_answers import fields_from_answers, guess_question_field
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source
from tests.capture.test_hostile import FUZZ, JUNK, NOON, VALIDATOR


def fields_of(**answers: str) -> CanonicalLead:
    notes = ReadingNotes()
    return build_canonical_lead(
        fields_from_answers(answers.items(), notes),
        notes,
        source=Source.META_LEAD_ADS,
        channel=Channel.PAID_SOCIAL,
        received_at=NOON,
        zone="America/New_York",
    )


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("Are you a veteran?", "military"),
        ("is_this_your_first_time_buying_a_home?", "first_time_buyer"),
        ("What is your estimated credit score?", "credit"),
        ("how_would_you_rate_your_credit?", "credit"),
        ("Are you buying or refinancing?", "loan_purpose"),
        ("What are you looking to do?", "loan_purpose"),
        ("How much do you want to borrow?", "loan_amount"),
        ("How much do you still owe on your home?", "current_balance"),
        ("What is your current interest rate?", "current_rate"),
        ("what's_your_home_worth?", "property_value"),
        ("What type of home is it?", "property_type"),
        ("Which state is the property in?", "property_state"),
        ("Are you working with a real estate agent?", "working_with_agent"),
        ("How soon are you planning to buy?", "timeline"),
        ("Best time to call", "contact_time"),
        ("WORK_EMAIL", "email_2"),
        ("What is your favorite color?", None),
        ("id", None),
        ("lead_source", None),
        ("date_of_birth", ""),
        ("I agree to be contacted", None),  # consent is never guessed from a question
    ],
)
def test_question_maps_to_field_by_its_words(question, field):
    assert guess_question_field(question) == field


@pytest.mark.parametrize(
    ("answer", "band", "low", "high"),
    [
        ("good_(700-739)", "good", 700, 739),
        ("Excellent", "excellent", None, None),
        ("760 or more", "excellent", 760, 850),
        ("Below 620", "poor", 300, 619),
        ("680 - 719", "fair", 680, 719),
        ("Fair (640 to 679)", "fair", 640, 679),
    ],
)
def test_credit_answer_is_read_as_band_range_or_both(answer, band, low, high):
    credit = fields_of(**{"What is your credit score?": answer}).credit

    assert (credit.band, credit.score_low, credit.score_high) == (band, low, high)


@pytest.mark.parametrize(
    ("answer", "purpose"),
    [
        ("buying_my_first_home", "purchase"),
        ("I want to refinance", "refinance"),
        ("Get cash out of my home", "refinance_cash_out"),
        ("home_equity_line_of_credit", "heloc"),
        ("Refinancing", "refinance"),
    ],
)
def test_loan_purpose_is_read_from_a_sentence(answer, purpose):
    assert fields_of(**{"Are you buying or refinancing?": answer}).loan.purpose == purpose


def test_first_of_two_answers_fills_field_and_second_is_kept_as_extra():
    lead = fields_of(**{"Are you a veteran?": "Yes", "Have you served in the military?": "No"})

    assert lead.military is True
    assert lead.extras["Have you served in the military?"] == "No"


def test_age_answer_is_stored_nowhere():
    lead = fields_of(date_of_birth="05/06/1980", full_name="Wen Okafor")

    assert "1980" not in json.dumps(lead.to_json(), default=str)


@FUZZ
@given(answers=st.lists(st.tuples(JUNK, JUNK), max_size=8))
def test_any_question_and_answer_give_a_lead(answers):
    notes = ReadingNotes()
    fields = fields_from_answers(answers, notes)
    lead = build_canonical_lead(
        fields,
        notes,
        source=Source.TIKTOK_LEAD_GEN,
        channel=Channel.PAID_SOCIAL,
        received_at=NOON,
        zone="America/New_York",
    )
    envelope = {"http": {"status": 200}, "outcome": "accepted", "leads": [lead.to_json()]}
    VALIDATOR.validate(envelope | {"warnings": []})


@FUZZ
@given(status=st.integers(100, 599), content=JUNK)
def test_any_trustedform_response_is_one_of_four_results(status, content):
    response = VendorAnswer(status=status, body=json.dumps(content).encode())

    assert trustedform.parse_claim_answer(response).status in set(trustedform.ClaimStatus)
    VALIDATOR.validate(trustedform.build_claim_envelope(response).to_json())
