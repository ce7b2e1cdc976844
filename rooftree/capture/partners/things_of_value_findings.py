"""Compliance findings from the log of things of value, each opened once, by rule RSP-01.

Source of rule: 12 USC 2607; 12 CFR 1024.14(e): a pattern, practice or course of conduct of
payments connected with referrals is evidence of an agreement.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from statistics import StatisticsError, correlation

from django.db.models import DateField
from django.db.models.functions import TruncMonth

from rooftree.capture.partners import agreements
from rooftree.capture.partners.thing_of_value_ruling import THINGS_OF_VALUE_PATH
from rooftree.compliance.fair_lending import compliance_findings, things_of_value_rules
from rooftree.compliance.fair_lending.compliance_findings import NewFinding
from rooftree.compliance.fair_lending.things_of_value_rules import RSP_01
from rooftree.compliance.gate.verdict import Decision
from rooftree.core.holidays import add_months
from rooftree.leads.models import Agreement, Introduction, Partner, ThingOfValue
from rooftree.money.company_day import company_day, company_zone

MAX_GIFT_CENTS = 50_00  # house limit: gifts to one partner within a year
YEAR = timedelta(days=365)
PATTERN_MONTHS = 12  # months that are checked for a pattern
MIN_MONTHS = 6  # months with a payment or referral; fewer show no pattern
MIN_CORRELATION = 0.7  # house limit: rank correlation of payments and referrals
LATE_PAYMENT_WINDOW = timedelta(days=90)  # after an agreement's end; its late payments count here


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The cents a partner was given in one month, and the number of borrowers they referred."""

    cents: int
    referrals: int


def check_partners(*, at: datetime) -> int:
    """Check every partner's log; return the number of new findings."""
    today = company_day(at)
    partners = Partner.objects.filter(things__direction="given").select_related("user").distinct()
    return sum(
        compliance_findings.open_finding(finding, at=at)
        for partner in partners
        for finding in partner_findings(partner, today)
    )


def partner_findings(partner: Partner, today: date) -> Iterator[NewFinding]:
    """Yield the findings about one partner."""
    things = list(
        ThingOfValue.objects.filter(
            partner=partner, direction="given", corrects=None, corrected_by=None,
            on_date__gt=today - YEAR,
        ).select_related("agreement")
    )  # fmt: skip
    yield from _gift_findings(partner, things, today)
    yield from _pattern_findings(partner, things, today)
    for agreement in Agreement.objects.filter(partner=partner).order_by("pk"):
        yield from _ended_agreement_findings(partner, agreement, things)
        yield from _excess_share_findings(partner, agreement)


def is_correlated(months: Sequence[Month]) -> bool:
    """Decide whether payments rise with referrals, by rank; fewer than `MIN_MONTHS` never do."""
    active = [month for month in months if month.cents or month.referrals]
    if len(active) < MIN_MONTHS:
        return False
    try:
        coefficient = correlation(
            [month.cents for month in active],
            [month.referrals for month in active],
            method="ranked",
        )
    except StatisticsError:  # payments or referrals are the same every month
        return False
    return coefficient >= MIN_CORRELATION


def _gift_findings(
    partner: Partner, things: Sequence[ThingOfValue], today: date
) -> Iterator[NewFinding]:
    cents = sum(thing.fair_value_cents for thing in things if thing.basis == agreements.GIFT)
    if cents > MAX_GIFT_CENTS:
        yield _build_finding(
            f"gifts:{partner.pk}:{today.year}",
            f"{partner} received gifts worth ${cents / 100:,.2f} in one year; the house limit is "
            f"${MAX_GIFT_CENTS / 100:,.2f}.",
        )


def _pattern_findings(
    partner: Partner, things: Sequence[ThingOfValue], today: date
) -> Iterator[NewFinding]:
    cents: Counter[date] = Counter()
    for thing in things:
        cents[thing.on_date.replace(day=1)] += thing.fair_value_cents
    first_of_month = TruncMonth("at", tzinfo=company_zone(), output_field=DateField())
    introductions = Introduction.objects.filter(partner=partner).annotate(month=first_of_month)
    referrals = Counter(introductions.values_list("month", flat=True))
    months = (add_months(today.replace(day=1), -back) for back in range(PATTERN_MONTHS))
    if is_correlated([Month(cents=cents[month], referrals=referrals[month]) for month in months]):
        yield _build_finding(
            f"pattern:{partner.pk}:{today.year}",
            f"Over the last {PATTERN_MONTHS} months, payments to {partner} rose with the borrowers "
            "they introduced.",
        )


def _ended_agreement_findings(
    partner: Partner, agreement: Agreement, things: Sequence[ThingOfValue]
) -> Iterator[NewFinding]:
    """Yield a finding if payments on the same basis continue after an agreement ended."""
    end = agreements.last_payable_day(agreement)
    late_days = [
        thing.on_date
        for thing in things
        if thing.basis == agreement.basis and thing.agreement_id is None
        and end < thing.on_date <= end + LATE_PAYMENT_WINDOW
    ]  # fmt: skip
    if late_days:
        first = min(late_days)
        yield _build_finding(
            f"ended:{agreement.pk}",
            f"The agreement with {partner} ended {end:%b} {end.day}, {end.year}, but payments "
            f"continued, first on {first:%b} {first.day}, {first.year}.",
        )


def _excess_share_findings(partner: Partner, agreement: Agreement) -> Iterator[NewFinding]:
    """Yield a finding if we paid more of joint advertising than our share of its benefit."""
    if agreement.basis != agreements.CO_MARKETING:
        return
    paid = sum(
        agreement.things.filter(corrects=None, corrected_by=None).values_list(
            "fair_value_cents", flat=True
        )
    )
    share = Fraction(100 * paid, agreement.cents)
    ruling = things_of_value_rules.check_co_marketing(
        our_cost_share=share, our_benefit_share=agreement.our_benefit_pct or 0
    )
    if ruling.decision is Decision.BLOCK:
        yield _build_finding(
            f"share:{agreement.pk}",
            f"We paid {float(share):.0f}% of the joint advertising with {partner} but get "
            f"{agreement.our_benefit_pct}% of its benefit.",
        )


def _build_finding(idempotency_key: str, sentence: str) -> NewFinding:
    return NewFinding(
        rule=RSP_01.id, idempotency_key=idempotency_key, sentence=sentence,
        link=THINGS_OF_VALUE_PATH, notice="Payments or gifts to a partner need your review.",
    )  # fmt: skip
