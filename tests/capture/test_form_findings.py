"""Findings about a draft of the website form: what is missing is named, before anyone sees it."""

from rooftree.capture.own_form.form_design import default_texts
from rooftree.capture.own_form.form_findings import blocking_problems, check_design
from rooftree.capture.own_form.form_questions import QUESTION_NAMES
from rooftree.capture.parsing.consent_evidence import channels_in_wording
from rooftree.compliance.consent.build_consent_record import (
    ConsentProofs,
    build_consent_record,
)
from tests import make
from tests.capture.form_version import DEFAULT, OURS, design, our_design

LEGAL = "Lindenfield Mortgage, LLC"
STEPS = DEFAULT.steps


def problems(**changes):
    return blocking_problems(design(**changes), legal_name=LEGAL)


def test_default_form_and_complete_texts_can_be_published():
    assert blocking_problems(DEFAULT, legal_name=LEGAL) == []
    assert blocking_problems(our_design(), legal_name=LEGAL) == []


def test_gate_reads_every_required_part_in_a_complete_text():
    for form in (DEFAULT, our_design()):
        for language in ("en", "es"):
            text = form.consent_text(language, LEGAL)
            claimed = {
                "status": "granted", "text": text, "method": "checkbox",
                "channels": [str(channel) for channel in channels_in_wording(text)],
            }  # fmt: skip
            proofs = ConsentProofs(
                consent=claimed, phone="+18135550142", received_on=make.NOON.date(),
                is_own_form=True,
            )  # fmt: skip
            record = build_consent_record(proofs, [LEGAL])

            assert record["type"] == "written"
            assert record["seller"] == LEGAL
            assert record["condition_of_purchase"] is False
            assert record["autodial_disclosure"] is True
            assert {"call", "text", "autodial_call", "prerecorded"} <= set(record["channels"])


def test_missing_part_of_a_consent_text_is_named(subtests):
    cases = [
        ("en", "{legal_name}", "the seller isn’t named"),
        ("en", "call and ", "calls aren’t named"),
        ("en", "and text ", "text messages aren’t named"),
        ("en", "by automated means and ", "automated technology isn’t named"),
        ("en", "for marketing ", "marketing isn’t named"),
        ("en", " at the number above", "the phone number isn’t named"),
        ("en", "Checking the box is my signature. ", "the signature isn’t named"),
        ("en", "Consent is not a condition of any purchase. ", "not a condition of a purchase"),
        ("en", "STOP", "how to stop texts"),
        ("en", "HELP", "how to get help"),
        ("en", "Data rates may apply. ", "message and data rates may apply"),
        ("en", "Message frequency varies. ", "how often you send messages"),
        ("es", "{legal_name}", "the seller isn’t named"),
        ("es", "de forma automática y ", "automated technology isn’t named"),
        ("es", "Aceptar no es una condición de ninguna compra. ", "not a condition"),
        ("es", "Marcar la casilla es mi firma. ", "the signature isn’t named"),
        ("es", "ALTO", "how to stop texts"),
    ]
    for language, words, sentence in cases:
        with subtests.test(language=language, words=words):
            assert words in OURS[language]
            text = OURS[language].replace(words, "")
            found = problems(**{f"{language}_consent": text})

            name = {"en": "English", "es": "Spanish"}[language]
            assert len(found) == 1, found
            assert found[0].startswith(f"{name} consent text: ")
            assert sentence in found[0]


def test_text_in_the_other_language_lacks_every_part():
    found = problems(es_consent=OURS["en"])

    assert len([sentence for sentence in found if sentence.startswith("Spanish consent")]) > 6


def test_forbidden_content_is_refused(subtests):
    cases = [
        ({"en_consent": OURS["en"] + " Consent is required for a loan."}, "a condition"),
        ({"en_consent": OURS["en"] + " {{ person.name }}"}, "isn’t a merge field"),
        ({"en_title": "Guaranteed approval"}, "guaranteed approval"),
        ({"en_lead": "Rates from 5.5% today"}, "rate without apr"),
        ({"en_label__message": "Your Social Security number"}, "must not ask for"),
        ({"es_label__message": "Sus ingresos"}, "must not ask for"),
        ({"en_label__credit": "Your marital status"}, "must not ask for"),
        ({"en_label__email": ""}, "label of “Email”: enter a text"),
        ({"en_hint__email": "x" * 301}, "at most 300 characters"),
        ({"en_consent": OURS["en"] + "x" * 2000}, "at most 2,000 characters"),
        ({"steps": (STEPS[0], ("first_name", "last_name", "email"))}, "Always ask: Phone"),
        ({"steps": (STEPS[0], STEPS[1][:-2], ("phone",))}, "in the same step"),
        ({"steps": (STEPS[0] + STEPS[1],)}, "says three steps"),
    ]
    for changes, sentence in cases:
        with subtests.test(sentence=sentence):
            assert sentence in " ".join(problems(**changes))


def test_label_that_says_what_to_leave_out_is_allowed():
    assert problems(en_hint__message="Leave out your Social Security number.") == []


def test_evidence_a_text_needs_is_shown_and_does_not_block():
    findings = check_design(design(en_lead="Our lowest rates ever"), legal_name=LEGAL)

    assert ("require", True) in {(finding.action, "needs" in finding.text) for finding in findings}


def test_every_question_can_be_asked():
    rest = tuple(name for name in QUESTION_NAMES if name not in STEPS[0] + STEPS[1])
    texts = {
        f"{code}_{key.replace('-', '__')}": text
        for code in ("en", "es")
        for key, text in default_texts(code).items()
    }

    assert problems(steps=(STEPS[0], STEPS[1], rest), **texts) == []
