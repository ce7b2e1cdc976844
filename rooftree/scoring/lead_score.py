"""Lead scores: how likely a lead is to become a loan soon, as points with a reason for each.

Only facts reviewed for fair lending count (`REVIEWED`): facts the borrower
stated about the loan, the source of the inquiry, and the borrower's behavior.
Source of rule: FLR-01 (12 CFR 1002.4(a), 1002.6(b); 42 USC 3605).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

VERSION = "2026.12.2"  # change it with any number or text below
BASE_SCORE = 20  # of every lead

# Each feature and the reason it is permitted.
REVIEWED = {
    "purpose": "loan fact, stated",
    "timeline": "loan fact, stated",
    "found_home": "loan fact, stated",
    "signed_contract": "loan fact, stated",
    "credit_band": "self-reported credit, a creditworthiness factor",
    "down_payment_share_pct": "loan fact, stated",
    "amount_cents": "loan fact, stated",
    "source_class": "channel of the inquiry",
    "is_repeat": "behavior",
    "replied": "behavior",
    "answered": "behavior",
    "days_quiet": "behavior",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The only facts a score can use. Unknown is "" or None and counts as zero points."""

    purpose: str = ""
    timeline: str = ""
    found_home: bool | None = None
    signed_contract: bool | None = None
    credit_band: str = ""
    down_payment_share_pct: Decimal | None = None  # of the price
    amount_cents: int | None = None
    source_class: str = ""  # canonical channel
    is_repeat: bool = False
    replied: int = 0  # times, in the last 30 days
    answered: int = 0  # conversations
    days_quiet: int = 0  # since the borrower last inquired, wrote or talked to us


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReason:
    """One line of a score."""

    text: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadScore:
    """A score from 0 to 100 with the reasons that add up to it, largest first, base score last.

    A sum below 0 or above 100 is clipped.
    """

    points: int
    reasons: tuple[ScoreReason, ...]


TIMELINE_POINTS = {
    "asap": (15, "Wants to move right away"),
    "0_30_days": (14, "Wants to move within a month"),
    "31_60_days": (11, "Wants to move within two months"),
    "61_90_days": (8, "Wants to move within three months"),
    "3_6_months": (4, "Wants to move within six months"),
    "6_12_months": (1, "Wants to move within a year"),
    "12_plus_months": (-5, "More than a year away"),
    "no_timeframe": (-3, "No time frame"),
}
CREDIT_POINTS = {
    "excellent": (12, "Stated excellent credit"),
    "good": (9, "Stated good credit"),
    "fair": (3, "Stated fair credit"),
    "poor": (-6, "Stated poor credit"),
    "no_history": (-3, "Stated no credit history"),
}
PURPOSE_POINTS = {
    "purchase": (5, "Buying a home"),
    "refinance_cash_out": (5, "Wants cash out"),
    "refinance_rate_term": (3, "Wants a better rate or term"),
    "refinance": (3, "Wants to refinance"),
    "heloc": (3, "Wants a home equity line"),
    "home_equity_loan": (3, "Wants a home equity loan"),
}
SOURCE_POINTS = {
    "referral": (12, "Referred to us"),
    "phone": (12, "Called us"),
    "website": (8, "Came through our website"),
    "chat": (8, "Started a chat"),
    "email": (6, "Emailed us"),
    "marketplace": (4, "Chose us on a marketplace"),
    "paid_search": (3, "Searched for a loan"),
    "paid_social": (1, "Responded to an ad"),
}
DOWN_PAYMENT_POINTS = (  # at least this share of the price, in percent
    (Decimal(20), 6, "Puts 20% or more down"),
    (Decimal(10), 4, "Puts 10% or more down"),
    (Decimal(5), 2, "Puts 5% or more down"),
)
QUIET_POINTS = (  # at least this many days
    (91, -10, "Inactive for more than three months"),
    (31, -5, "Inactive for more than a month"),
    (8, 0, ""),
    (2, 3, "Active this week"),
    (0, 6, "Active today or yesterday"),
)
AMOUNT_POINTS = 3
REPEAT_POINTS = 6

ScorePart = tuple[int, str] | None


def score_features(features: Features) -> LeadScore:
    """Score features, with every reason. Pure: same features, same score."""
    parts = [part(features) for part in _SCORERS]
    reasons = [
        ScoreReason(text=text, points=points) for points, text in filter(None, parts) if points
    ]
    reasons.sort(key=lambda reason: (-abs(reason.points), reason.text))
    reasons.append(ScoreReason(text="Base score", points=BASE_SCORE))
    total = sum(reason.points for reason in reasons)
    return LeadScore(points=min(100, max(0, total)), reasons=tuple(reasons))


def _score_home(features: Features) -> ScorePart:
    if features.signed_contract:
        return 14, "Has a signed contract"
    return (7, "Has found a home") if features.found_home else None


def _score_down_payment(features: Features) -> ScorePart:
    share = features.down_payment_share_pct
    if share is None:
        return None
    return next(
        ((points, text) for least, points, text in DOWN_PAYMENT_POINTS if share >= least), None
    )


_SCORERS: tuple[Callable[[Features], ScorePart], ...] = (
    lambda f: TIMELINE_POINTS.get(f.timeline),
    lambda f: CREDIT_POINTS.get(f.credit_band),
    lambda f: PURPOSE_POINTS.get(f.purpose),
    lambda f: SOURCE_POINTS.get(f.source_class),
    _score_home,
    _score_down_payment,
    lambda f: (AMOUNT_POINTS, "Gave a loan amount") if f.amount_cents else None,
    lambda f: (REPEAT_POINTS, "Inquired more than once") if f.is_repeat else None,
    lambda f: (15, "Replied") if f.replied else None,
    lambda f: (10, "Talked with us") if f.answered else None,
    lambda f: next((points, text) for least, points, text in QUIET_POINTS if f.days_quiet >= least),
)
