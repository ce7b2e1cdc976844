"""Answers of ad-platform lead forms: standard questions by name, custom ones by their words.

A custom question is free text on all these platforms ("Are you a veteran?",
`what_is_your_estimated_credit_score?`). Its words tell which field it asks for; a question
that matches no field is kept in the extras.
"""

import re
from collections.abc import Iterable
from typing import Any

from rooftree.capture.parsing.normalize_values import short_text, squash_word
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.target_fields import TARGET_FIELDS, FieldKind, guess_field
from rooftree.capture.parsing.vendor_words import PURPOSES

# Standard questions whose names differ from those in `target_fields`.
_STANDARD_QUESTIONS = {
    "user_email": "email",
    "work_email": "email_2",
    "user_phone": "phone",
    "work_phone_number": "work_phone",
    "region": "state",
    "purchase_timeline": "timeline",
    "price_range": "property_value",
    "preferred_contact_time": "contact_time",
    "military_status": "military_status",
    "province": "state",
    "post_code": "zip",
    "date_of_birth": "",  # never stored: age is not a lending criterion
    "dob": "",
    "realtor_help_goal": None,
    "over_18_age": None,
}
_FIELD_BY_STANDARD_QUESTION = {
    squash_word(name): field for name, field in _STANDARD_QUESTIONS.items()
}
# These describe the lead on the platform; a form question never asks for them.
_NOT_FORM_FIELDS = frozenset(
    key
    for key, target in TARGET_FIELDS.items()
    if target.group in ("Lead details", "Attribution") and key != "message"
)
_YES_OR_NO = re.compile(r"(yes|no|sí|si)\b", re.IGNORECASE)
_PURPOSE_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), purpose)
    for pattern, purpose in (
        (r"cash", "refinance_cash_out"),
        (r"heloc|line of credit", "heloc"),
        (r"equity", "home_equity"),
        (r"refi", "refinance"),
        (r"reverse", "reverse"),
        (r"construct|build", "construction"),
        (r"buy|purchas", "purchase"),
    )
)
# The first match wins; special patterns come before general ones.
_QUESTION_PATTERNS = r"""
first_time_buyer = first.?time.*(buy|home)
military = veteran|military|served|service member|\bva eligible
bankruptcy = bankrupt
foreclosure = foreclos
credit = (credit|fico).*(score|rating|profile|history)|\byour credit\b|^credit\b
loan_purpose = (buy|purchas)\w*.*\brefinanc|refinanc\w*.*\b(buy|purchas)
loan_purpose = (loan|mortgage) (purpose|goal)|what (are you|do you) look\w* (for|to do)|type of loan
down_payment = down ?payment
cash_out = cash.?out|take out|cash do you need
current_balance = (owe|balance|remaining|left) .*(mortgage|home|loan)|(mortgage|loan) balance
current_rate = (current|existing|present) .*(interest )?rate
loan_amount = (loan|borrow|financ)\w* amount|how much .*(borrow|loan|finance)
property_value = (purchase|home|asking|sale) price|price range|budget
property_value = (home|house|property|estimated|market) value|(home|house|property)\w* worth
property_type = (type|kind) of (home|house|property)|property type|home type
property_use = primary residence|how will you use|(property|home) use|occupan|residence type
property_state = (state|where) .*(property|home|house|buy)|property state
property_zip = (property|home).*zip|zip.*(property|home)
working_with_agent = real ?tor|real estate agent|working with an agent
found_home = found a (home|house|property)
signed_contract = (signed|under) .*contract
employment = self.?employ|employment|employed
annual_income = (annual|yearly|household|gross) .*income
contact_time = best time|time .*(call|reach|contact)
timeline = (how soon|when) .*(buy|purchas|move|refinanc|plan|look|clos)|time ?(line|frame)
language = (preferred|what) language|idioma
contact_method = how .*(contact|reach) you|contact method
"""
MAX_QUESTION_LENGTH = 200  # characters
_FIELD_BY_PATTERN = tuple(
    (re.compile(pattern.strip(), re.IGNORECASE), field.strip())
    for field, _, pattern in (
        line.partition(" = ") for line in _QUESTION_PATTERNS.split("\n") if line
    )
)


def fields_from_answers(answers: Iterable[tuple[Any, Any]], notes: ReadingNotes) -> Fields:
    """Map answers to TARGET_FIELDS.

    Of two questions for one field the first with an answer wins. All other answers go to the
    extras.
    """
    fields: dict[str, Any] = {}
    for question, answer in answers:
        question_text = short_text(question, limit=MAX_QUESTION_LENGTH) or ""
        answer_text = as_text(answer).strip()  # several options are joined
        if "_" in answer_text and not re.search(r"[\s@/:]", answer_text):
            answer_text = answer_text.replace("_", " ")  # a platform's `good_(700-739)`
        if not question_text or not answer_text:
            continue
        key = guess_question_field(question_text)
        if key == "":
            notes.warn("dob_discarded")
        elif key is None or key in fields:
            notes.keep_extra(question_text, answer_text)
        else:
            fields[key] = _choice_from_sentence(key, answer_text)
    return Fields(fields)


def guess_question_field(question: str) -> str | None:
    """Return the field a question asks for: "" if its answer must not be stored, None if none.

    Only the beginning is read, as the patterns look for two words far apart.
    """
    question = question[:MAX_QUESTION_LENGTH]
    word = squash_word(question)
    if word in _FIELD_BY_STANDARD_QUESTION:
        return _FIELD_BY_STANDARD_QUESTION[word]
    if (
        named_field := guess_field((question,))
    ) is not None and named_field not in _NOT_FORM_FIELDS:
        return named_field
    words = " ".join(re.split(r"[\W_]+", question)).strip()
    matched_field = next(
        (field for pattern, field in _FIELD_BY_PATTERN if pattern.search(words)), None
    )
    return matched_field if matched_field in TARGET_FIELDS else None


def _choice_from_sentence(key: str, answer: str) -> str:
    """Reduce a sentence ("Yes, I am", "I want to refinance") to the word that answers the field."""
    if TARGET_FIELDS[key].kind is FieldKind.YES and (word := _YES_OR_NO.match(answer)):
        return word[0]
    if key == "loan_purpose" and squash_word(answer) not in PURPOSES:
        return next((purpose for word, purpose in _PURPOSE_PATTERNS if word.search(answer)), answer)
    return answer
