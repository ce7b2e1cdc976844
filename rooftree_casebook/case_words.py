"""The words with which rulebook cases say what the translator and the rules know by one name."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rooftree.compliance.gate.facts import Medium, Voice

type Given = Mapping[str, Any]

MEDIUM_WORDS = (
    (re.compile(r"voice_?mail|rvm|drop"), Medium.VOICEMAIL),
    (re.compile(r"call|phone|dial|^voice$"), Medium.CALL),
    (re.compile(r"text|sms|mms|rcs"), Medium.TEXT),
    (re.compile(r"e-?mail"), Medium.EMAIL),
    (re.compile(r"mail|letter|post"), Medium.MAIL),
)
# Only a request that was recorded when it was made counts as one (REQ-01).
REQUEST_RECORD = re.compile(r"record|text|sms|mail|form|chat|transcript|writ|message|calend|book")
NO_RECORD = re.compile(r"^(un|not?_|no$|none|missing)|unrecorded|not_recorded|verbal|\boral")
ABSENT = frozenset({"", "no", "none", "null", "missing", "absent", "false", "n/a"})
OFFICER_ACTORS = frozenset({"lo", "officer", "loan_officer", "mlo", "licensed_lo", "licensed_mlo"})
# What 16 CFR 316.5 lets an opt-out ask for: an address, a reply or one page.
EASY_OPT_OUT = re.compile(r"address|reply|one_click|single_(page|click)|one_page|preference")
TRIGGER_SOURCE = re.compile(r"trigger|credit_bureau|^cra\b|^cra_")
OWN_SOURCE = re.compile(r"web_?form|website|own_form|walk_?in|inbound_call|organic")
ENDED = re.compile(r"paid_?off|prior|former|past|closed|previous|transferred|sold|expired")
# What the first contact with a bureau's lead says besides that we aren't affiliated (TRG-02).
FIRST_CONTACT_KEYS = ("source_explained", "states_source", "states_purpose", "states_who")
ITEM_WORDS = (
    ("ssn", re.compile(r"ssn|social_security")),
    ("property_address", re.compile(r"property_?address|subject_property|address_of_property")),
    ("value_estimate", re.compile(r"value")),
    ("loan_amount", re.compile(r"loan_?amount|amount_(sought|requested)|mortgage_amount")),
    ("income", re.compile(r"income|salary")),
    ("name", re.compile(r"^(full_|consumer_|borrower_|applicant_)?name$")),
)
RECORD_FIELD_WORDS = (
    ("calling_number", re.compile(r"call(ing|er)(_(no|num|number|id|phone))?|from(_number)?")),
    ("called_number", re.compile(r"called(_(no|num|number|phone))?|to(_number)?|dialed_number")),
    ("at", re.compile(r"at|time|date_?time|date_and_time|(start|call)(ed)?_(at|time)|timestamp")),
    ("duration", re.compile(r"duration\w*|length\w*|seconds")),
    ("campaign", re.compile(r"campaign\w*")),
    ("seller", re.compile(r"seller\w*")),
)


def says_all_of_first_contact(given: Given) -> bool:
    """Return whether the first contact with a bureau's lead says all that state law asks for."""
    lacks = any(given.get(key) is False for key in FIRST_CONTACT_KEYS)
    is_bait = is_stated(given.get("bait_and_switch"))
    return bool(given.get("text_has_not_affiliated_statement")) and not (lacks or is_bait)


def parse_medium(name: Any) -> Medium | None:
    """Return the medium that a case names, or None when it names none that is known."""
    word = str(name or "").casefold()
    return next((medium for pattern, medium in MEDIUM_WORDS if pattern.search(word)), None)


def parse_voice(name: Any) -> Voice:
    """Return the voice that a case names; every voice of a machine is an artificial one."""
    word = str(name or Voice.NONE).casefold()
    if word in tuple(Voice):
        return Voice(word)
    return Voice.AI if re.search(r"ai|artificial|synth|clone|bot", word) else Voice.PRERECORDED


def is_machine_voice(given: Given) -> bool:
    """Return whether the case lets a machine speak, which is automated whatever else it says."""
    return parse_voice(given.get("voice")) in (Voice.AI, Voice.PRERECORDED)


def is_stated(value: Any) -> bool:
    """Return whether a value says that something is there."""
    return bool(value) and str(value).casefold() not in ABSENT


def is_request_recorded(evidence: Any) -> bool:
    """Return whether the evidence of a requested time is a record; a memory is none."""
    word = str(evidence or "").casefold()
    if evidence is True:
        return True
    return NO_RECORD.search(word) is None and REQUEST_RECORD.search(word) is not None


def hard_opt_out(requirement: Any) -> str | None:
    """Return what an opt-out requires beyond what the law lets it ask for, or None."""
    if not is_stated(requirement) or EASY_OPT_OUT.search(str(requirement)):
        return None
    return str(requirement)


def parse_source(name: Any) -> str:
    """Return the class of a lead's source as the gate names it."""
    word = str(name)
    if TRIGGER_SOURCE.search(word):
        return "cra_trigger"
    return "own_form" if OWN_SOURCE.search(word) else word


def parse_relationship(name: Any) -> str | None:
    """Return the relationship of a bureau's lead as the gate names it; an ended one stays."""
    word = str(name or "")
    if not word or ENDED.search(word):
        return word or None
    if "servic" in word:
        return "current_servicer"
    if "originat" in word:
        return "originated_current_loan"
    return "current_account" if "account" in word else word


def parse_entity(name: Any) -> str | None:
    """Return the kind of lender as the gate names it; only insured ones have a name there."""
    word = str(name or "")
    if not word or re.search(r"non_?bank|uninsured|not_insured", word):
        return word or None
    if "credit_union" in word:
        return "insured_credit_union"
    return "insured_bank" if re.search(r"bank|depository|thrift", word) else word


def application_items(names: Iterable[str]) -> frozenset[str]:
    """Return the application's items among the names of fields; other fields keep their names."""
    return frozenset(_known_name(str(name), ITEM_WORDS, is_whole=False) for name in names)


def record_fields(names: Iterable[str]) -> frozenset[str]:
    """Return the names of a call's fields as the telemarketing rule has them."""
    return frozenset(_known_name(str(name), RECORD_FIELD_WORDS, is_whole=True) for name in names)


def _known_name(word: str, words: Iterable[tuple[str, re.Pattern[str]]], *, is_whole: bool) -> str:
    for name, pattern in words:
        if pattern.fullmatch(word) if is_whole else pattern.search(word):
            return name
    return word
