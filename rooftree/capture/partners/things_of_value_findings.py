"""What compliance is told of the ledger of things of value: each once, by rule RSP-01.

Source of rule: 12 USC 2607; 12 CFR 1024.14(e): a pattern, practice or course of conduct of
payments that go with referrals is evidence of an agreement.
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

MAX_GIFT_CENTS = 50_00  # house: of gifts to one partner within a year
YEAR = timedelta(days=365)
PATTERN_MONTHS = 12  # that are looked at for a pattern
MIN_MONTHS = 6  # months with a payment or a referral, below which a pattern says nothing
MIN_CORRELATION = (
    0.7  # house: rank correlation of payments and referrals from which they go together
)
LATE_PAYMENT_WINDOW = timedelta(
    days=90
)  # after an agreement's end in which a payment still goes with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What a partner was given in a month, and whom they introduced."""

    cents: int
    referrals: int


def check_partners(*, at: datetime) -> int:
    """Look at every partner's ledger; how many findings are new."""
    today = company_day(at)
    partners = Partner.objects.filter(things__direction="given").select_related("user").distinct()
    return sum(
        compliance_findings.open_finding(partner_finding, at=at)
        for partner in partners
        for partner_finding in partner_findings(partner, today)
    )


def partner_findings(partner: Partner, today: date) -> Iterator[NewFinding]:
    """What stands out about one partner."""
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
    """Whether payments rise with referrals, by their ranks; too few months say nothing."""
    told = [month for month in months if month.cents or month.referrals]
    if len(told) < MIN_MONTHS:
        return False
    try:
        found = correlation(
            [one.cents for one in told], [one.referrals for one in told], method="ranked"
        )
    except StatisticsError:  # one of them never moves, so nothing goes with it
        return False
    return found >= MIN_CORRELATION


def _gift_findings(
    partner: Partner, things: Sequence[ThingOfValue], today: date
) -> Iterator[NewFinding]:
    cents = sum(thing.fair_value_cents for thing in things if thing.basis == agreements.GIFT)
    if cents > MAX_GIFT_CENTS:
        yield _build_finding(
            f"gifts:{partner.pk}:{today.year}",
            f"{partner} had gifts worth ${cents / 100:,.2f} within a year; the house limit is "
            f"${MAX_GIFT_CENTS / 100:,.2f}.",
        )


def _pattern_findings(
    partner: Partner, things: Sequence[ThingOfValue], today: date
) -> Iterator[NewFinding]:
    given: Counter[date] = Counter()
    for thing in things:
        given[thing.on_date.replace(day=1)] += thing.fair_value_cents
    sent = _count_referrals(partner)
    months = (add_months(today.replace(day=1), -back) for back in range(PATTERN_MONTHS))
    if is_correlated([Month(cents=given[month], referrals=sent[month]) for month in months]):
        yield _build_finding(
            f"pattern:{partner.pk}:{today.year}",
            f"What {partner} is given rises with the borrowers they introduce, by the last "
            f"{PATTERN_MONTHS} months.",
        )


def _count_referrals(partner: Partner) -> Counter[date]:
    """How many they introduced, by the first day of the month."""
    month = TruncMonth("at", tzinfo=company_zone(), output_field=DateField())
    rows = Introduction.objects.filter(partner=partner).annotate(month=month)
    return Counter(rows.values_list("month", flat=True))


def _ended_agreement_findings(
    partner: Partner, agreement: Agreement, things: Sequence[ThingOfValue]
) -> Iterator[NewFinding]:
    """Payments of the same kind go on although the agreement is over and none replaced it."""
    over = agreements.last_payable_day(agreement)
    late = [
        thing
        for thing in things
        if thing.basis == agreement.basis and thing.agreement_id is None
        and over < thing.on_date <= over + LATE_PAYMENT_WINDOW
    ]  # fmt: skip
    if late:
        first = min(one.on_date for one in late)
        yield _build_finding(
            f"ended:{agreement.pk}",
            f"The agreement with {partner} ended {over:%b} {over.day}, {over.year}, and payments "
            f"went on: the first {first:%b} {first.day}, {first.year}.",
        )


def _excess_share_findings(partner: Partner, agreement: Agreement) -> Iterator[NewFinding]:
    """Of joint advertising we paid more than our share of what it was to cost."""
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
            f"We paid {float(share):.0f}% of the joint advertising with {partner} and have "
            f"{agreement.our_benefit_pct}% of it.",
        )


def _build_finding(cause: str, sentence: str) -> NewFinding:
    return NewFinding(
        rule=RSP_01.id, idempotency_key=cause, sentence=sentence, link=THINGS_OF_VALUE_PATH,
        notice="What was given to a partner needs your review.",
    )  # fmt: skip
