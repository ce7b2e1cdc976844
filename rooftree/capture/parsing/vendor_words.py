"""Tables from vendors' words to our vocabulary. Numeric codes stay in each vendor's file."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from rooftree.capture.parsing.normalize_values import short_text, squash_word
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.leads.vocabulary import (
    Amortization,
    ContactMethod,
    ContactTime,
    CreditBand,
    Employment,
    LoanType,
    MilitaryStatus,
    PropertyType,
    PropertyUse,
    Purpose,
    Timeline,
)


def word_table[W: StrEnum](words: type[W], **vendor_words: str) -> dict[str, W]:
    """Build a table of our own words plus, per word, the vendors' words separated by spaces."""
    table = {squash_word(word.value): word for word in words}
    for name, variants in vendor_words.items():
        table |= {word: words[name] for word in variants.split()}
    return table


PURPOSES = word_table(
    Purpose,
    PURCHASE="purchase mortgagepurchase buy buying homepurchase newhome newhomepurchase",
    REFINANCE="refi mortgagerefinance homerefinance refinancing refinancemyhome"
    " refinancehomeequity",
    REFINANCE_RATE_TERM="rateterm rateandterm limitedcashout nocashout",
    REFINANCE_CASH_OUT="cashout cashoutrefinance cashoutrefi refinancecashout",
    HOME_EQUITY="equity mortgagehomeequity mortgageequity",
    HELOC="homeequitylineofcredit lineofcredit",
    CONSTRUCTION="newconstruction build",
    RENOVATION="homeimprovement rehab",
    REVERSE="reversemortgage hecm",
)
REFINANCE_GOALS = {  # other goals (a new roof) leave the kind of refinance open
    "lowerrate": Purpose.REFINANCE_RATE_TERM,
    "rateterm": Purpose.REFINANCE_RATE_TERM,
    "cash": Purpose.REFINANCE_CASH_OUT,
    "cashout": Purpose.REFINANCE_CASH_OUT,
}
PROPERTY_TYPES = word_table(
    PropertyType,
    SINGLE_FAMILY="single singlefamilyhome singlefamdet singlefamilydetached house detached sfr",
    TOWNHOUSE="townhome singlefamatt rowhouse singlefamilyattached",
    CONDO="condominium",
    CONDO_LOW_RISE="condofourorfewerstories lowrisecondo",
    CONDO_HIGH_RISE="condofiveormorestories highrisecondo",
    COOP="cooperative",
    MULTI_2_4="multi multiplefamily multifamily 2to4unitfam duplex triplex fourplex"
    " 24unit 2to4unit",
    MULTI_5_PLUS="5plusunits 5unit fiveplusunits apartmentbuilding",
    MANUFACTURED="mobileormanufactured mobilehome mobile mobilepermanent mobilemoveable",
    LAND="lot vacantland",
    OTHER="leasehold",
)
PROPERTY_USES = word_table(
    PropertyUse,
    PRIMARY="primaryresidence primaryhome owneroccupied",
    SECOND_HOME="secondaryorvacation secondary second vacation vacationproperty vacationhome"
    " secondaryhome",
    INVESTMENT="investmentorrental investmentproperty rental rentalproperty",
)
CREDIT_BANDS = word_table(
    CreditBand,
    EXCELLENT="verygood",
    FAIR="somecreditproblems average",
    POOR="majorcreditproblems bad",
    NO_HISTORY="littleornocredithistory nocredit",
)
MILITARY_STATUSES = word_table(
    MilitaryStatus,
    REGULAR_MILITARY="regular activeduty",
    RESERVES="reserve",
    SPOUSE="spouseofregularmilitary spouseofreservemilitary spouseofreserves"
    " spouseofnationalguard survivingspouse",
    UNSPECIFIED="veteran served",
)
LOAN_TYPES = word_table(LoanType, FHA="fhaloan", VA="valoan", USDA="usdaloan rural", NON_QM="nonqm")
AMORTIZATIONS = word_table(Amortization, FIXED="fixedrate", ARM="adjustable adjustablerate")
EMPLOYMENTS = word_table(
    Employment, EMPLOYED="fulltime parttime w2", SELF_EMPLOYED="selfemployed 1099"
)
CONTACT_METHODS = word_table(ContactMethod, PHONE="call telephone", TEXT="sms textmessage")
CONTACT_TIMES = word_table(
    ContactTime, ANYTIME="any anytimeofday", MORNING="mornings am", EVENING="evenings night"
)
LANGUAGES = {
    "english": "en",
    "ingles": "en",
    "inglés": "en",
    "spanish": "es",
    "español": "es",
    "espanol": "es",
    "chinese": "zh",
    "vietnamese": "vi",
    "korean": "ko",
    "tagalog": "tl",
    "russian": "ru",
    "french": "fr",
    "portuguese": "pt",
    "arabic": "ar",
}
_SOON_WORDS = {"asap", "immediately", "now", "immediate", "rightaway", "urgent"}
_NO_TIMEFRAME_WORDS = {
    *("notimerestraint", "notimeconstraint", "notimeframe", "noidea", "notsure"),
    *("justlooking", "justbrowsing", "researching", "researchingoptions", "undecided"),
}
_BEYOND_PATTERN = re.compile(r"more than|over|after|or more", re.IGNORECASE)
_UNIT_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SPAN_PATTERN = re.compile(
    r"(\d{1,4})\s*(\+)?\s*(?:(?:-|–|to)\s*(\d{1,4}))?\s*(\+)?\s*(day|week|month|year|d|w|m|y)?",
    re.IGNORECASE,
)
_TIMELINE_BY_DAYS = (
    (0, Timeline.ASAP),
    (30, Timeline.WITHIN_30_DAYS),
    (60, Timeline.WITHIN_60_DAYS),
    (90, Timeline.WITHIN_90_DAYS),
    (180, Timeline.WITHIN_6_MONTHS),
    (365, Timeline.WITHIN_12_MONTHS),
)


def match_choice[W: StrEnum](
    value: Any, table: Mapping[str, W], field: str, key: str, notes: ReadingNotes
) -> W | None:
    """Return our word for a vendor's word, or None.

    An unknown word is kept under the vendor's `key` with a warning; it never rejects a lead.
    """
    text = short_text(value)
    if text is None:
        return None
    word = table.get(squash_word(text))
    if word is None:
        _keep_unknown_word(text, field, key, notes)
    return word


def _keep_unknown_word(text: str, field: str, key: str, notes: ReadingNotes) -> None:
    notes.warn(f"unknown_enum:{field}={text}")
    notes.keep_extra(key, text)


def split_loan_words(value: Any) -> tuple[str | None, str | None]:
    """Split a text that names a loan type, a purpose or both: "REFI", "VA Purchase".

    Returns the text of each, for `match_choice`; a text with neither stands as the loan type.
    """
    text = short_text(value)
    word = squash_word(text or "")
    if not text or word in LOAN_TYPES:
        return text, None
    if word in PURPOSES:
        return None, text
    parts = re.split(r"[\W_]+", text)
    for position in range(1, len(parts)):
        left, right = " ".join(parts[:position]), " ".join(parts[position:])
        if squash_word(left) in LOAN_TYPES and squash_word(right) in PURPOSES:
            return left, right
        if squash_word(left) in PURPOSES and squash_word(right) in LOAN_TYPES:
            return right, left
    return text, None


def match_timeline(value: Any, key: str, notes: ReadingNotes) -> Timeline | None:
    """Return when the consumer wants to close, from days or from words such as "3-6 months"."""
    text = short_text(value)
    if text is None:
        return None
    word = squash_word(text)
    if word in _SOON_WORDS or word in _NO_TIMEFRAME_WORDS:
        return Timeline.ASAP if word in _SOON_WORDS else Timeline.NO_TIMEFRAME
    if re.fullmatch(r"-\d+", text):
        return Timeline.ASAP
    if word == "thisyear":
        return Timeline.WITHIN_12_MONTHS
    if word in (own_words := {squash_word(timeline.value): timeline for timeline in Timeline}):
        return own_words[word]
    days = _parse_latest_day(text)
    if days is None:
        _keep_unknown_word(text, "timeline", key, notes)
        return None
    return next((when for latest, when in _TIMELINE_BY_DAYS if days <= latest), Timeline.LATER)


def _parse_latest_day(text: str) -> int | None:
    match = _SPAN_PATTERN.search(text)
    if match is None:
        return None
    unit = _UNIT_DAYS[(match[5] or "d")[0].lower()]
    amount = int(match[3] or match[1])
    days = 365 * amount // 12 if unit == 30 and amount % 12 == 0 else amount * unit
    is_open = match[2] or match[4] or _BEYOND_PATTERN.search(text)
    return days + 1 if is_open else days


def match_language(value: Any) -> str | None:
    """Return the primary language tag of a stated language ("es-MX", "Spanish"), never a guess."""
    text = (short_text(value) or "").lower()
    if text in LANGUAGES:
        return LANGUAGES[text]
    tag = re.split(r"[-_]", text)[0]
    return tag if re.fullmatch(r"[a-z]{2,3}", tag) else None
