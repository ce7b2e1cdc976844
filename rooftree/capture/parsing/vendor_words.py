"""The words sources use for the same thing, and ours. Numeric codes stay with their vendor."""

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


def word_table[W: StrEnum](own: type[W], **also: str) -> dict[str, W]:
    """Our own words, and for each of ours the vendors' words, space between them."""
    table = {squash_word(word.value): word for word in own}
    for name, theirs in also.items():
        table |= {word: own[name] for word in theirs.split()}
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
REFINANCE_GOALS = {  # what it is for; what else they say (a new roof) leaves it open
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
    """It is our word for a vendor's.

    An unknown one is kept under the vendor's `key` with a warning; a lead is never
    refused for it.
    """
    written = short_text(value)
    if written is None:
        return None
    found = table.get(squash_word(written))
    if found is None:
        _keep_unknown_word(written, field, key, notes)
    return found


def _keep_unknown_word(written: str, field: str, key: str, notes: ReadingNotes) -> None:
    notes.warn(f"unknown_enum:{field}={written}")
    notes.keep(key, written)


def match_timeline(value: Any, key: str, notes: ReadingNotes) -> Timeline | None:
    """It is when the consumer wants to close: days as a number, or words with their last day."""
    written = short_text(value)
    if written is None:
        return None
    word = squash_word(written)
    if word in _SOON_WORDS or word in _NO_TIMEFRAME_WORDS:
        return Timeline.ASAP if word in _SOON_WORDS else Timeline.NO_TIMEFRAME
    if re.fullmatch(r"-\d+", written):
        return Timeline.ASAP
    if word == "thisyear":
        return Timeline.WITHIN_12_MONTHS
    if word in (own := {squash_word(one.value): one for one in Timeline}):
        return own[word]
    days = _parse_latest_day(written)
    if days is None:
        _keep_unknown_word(written, "timeline", key, notes)
        return None
    return next((when for latest, when in _TIMELINE_BY_DAYS if days <= latest), Timeline.LATER)


def _parse_latest_day(written: str) -> int | None:
    found = _SPAN_PATTERN.search(written)
    if found is None:
        return None
    unit = _UNIT_DAYS[(found[5] or "d")[0].lower()]
    amount = int(found[3] or found[1])
    days = 365 * amount // 12 if unit == 30 and amount % 12 == 0 else amount * unit
    is_open = found[2] or found[4] or _BEYOND_PATTERN.search(written)
    return days + 1 if is_open else days


def match_language(value: Any) -> str | None:
    """It is the primary language tag somebody stated ("es-MX", "Spanish"), never a guess."""
    written = (short_text(value) or "").lower()
    if written in LANGUAGES:
        return LANGUAGES[written]
    tag = re.split(r"[-_]", written)[0]
    return tag if re.fullmatch(r"[a-z]{2,3}", tag) else None
