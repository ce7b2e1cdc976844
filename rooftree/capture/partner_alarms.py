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

from rooftree.capture import agreements
from rooftree.capture.value_rule import PAGE
from rooftree.compliance import findings, partner_pay
from rooftree.compliance.findings import Found
from rooftree.compliance.partner_pay import RSP_01
from rooftree.compliance.verdict import Decision
from rooftree.core.holidays import add_months
from rooftree.leads.models import Agreement, Introduction, Partner, ThingOfValue
from rooftree.money.company_day import company_day, company_zone

GIFTS_CENTS = 50_00  # house: of gifts to one partner within a year
YEAR = timedelta(days=365)
MONTHS = 12  # that are looked at for a pattern
FEWEST = 6  # months with a payment or a referral, below which a pattern says nothing
RISES = 0.7  # house: rank correlation of payments and referrals from which they go together
LATE = timedelta(days=90)  # after an agreement's end in which a payment still goes with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What a partner was given in a month, and whom they introduced."""

    cents: int
    referrals: int


def look(*, at: datetime) -> int:
    """Look at every partner's ledger; how many findings are new."""
    today = company_day(at)
    partners = Partner.objects.filter(things__direction="given").select_related("user").distinct()
    return sum(findings.tell(one, at=at) for partner in partners for one in alarms(partner, today))


def alarms(partner: Partner, today: date) -> Iterator[Found]:
    """What stands out about one partner."""
    things = list(
        ThingOfValue.objects.filter(
            partner=partner, direction="given", corrects=None, corrected_by=None,
            on_date__gt=today - YEAR,
        ).select_related("agreement")
    )  # fmt: skip
    yield from _gifts(partner, things, today)
    yield from _pattern(partner, things, today)
    for agreement in Agreement.objects.filter(partner=partner).order_by("pk"):
        yield from _after_its_end(partner, agreement, things)
        yield from _beyond_its_share(partner, agreement)


def goes_together(months: Sequence[Month]) -> bool:
    """Whether payments rise with referrals, by their ranks; too few months say nothing."""
    told = [one for one in months if one.cents or one.referrals]
    if len(told) < FEWEST:
        return False
    try:
        found = correlation(
            [one.cents for one in told], [one.referrals for one in told], method="ranked"
        )
    except StatisticsError:  # one of them never moves, so nothing goes with it
        return False
    return found >= RISES


def _gifts(partner: Partner, things: Sequence[ThingOfValue], today: date) -> Iterator[Found]:
    cents = sum(one.fair_value_cents for one in things if one.basis == agreements.GIFT)
    if cents > GIFTS_CENTS:
        yield _found(
            f"gifts:{partner.pk}:{today.year}",
            f"{partner} had gifts worth ${cents / 100:,.2f} within a year; the house limit is "
            f"${GIFTS_CENTS / 100:,.2f}.",
        )


def _pattern(partner: Partner, things: Sequence[ThingOfValue], today: date) -> Iterator[Found]:
    given: Counter[date] = Counter()
    for one in things:
        given[one.on_date.replace(day=1)] += one.fair_value_cents
    sent = _referrals(partner)
    months = (add_months(today.replace(day=1), -back) for back in range(MONTHS))
    if goes_together([Month(cents=given[one], referrals=sent[one]) for one in months]):
        yield _found(
            f"pattern:{partner.pk}:{today.year}",
            f"What {partner} is given rises with the borrowers they introduce, by the last "
            f"{MONTHS} months.",
        )


def _referrals(partner: Partner) -> Counter[date]:
    """How many they introduced, by the first day of the month."""
    month = TruncMonth("at", tzinfo=company_zone(), output_field=DateField())
    rows = Introduction.objects.filter(partner=partner).annotate(month=month)
    return Counter(rows.values_list("month", flat=True))


def _after_its_end(
    partner: Partner, agreement: Agreement, things: Sequence[ThingOfValue]
) -> Iterator[Found]:
    """Payments of the same kind go on although the agreement is over and none replaced it."""
    over = agreements.last_day(agreement)
    late = [
        one
        for one in things
        if one.basis == agreement.basis and one.agreement_id is None
        and over < one.on_date <= over + LATE
    ]  # fmt: skip
    if late:
        first = min(one.on_date for one in late)
        yield _found(
            f"ended:{agreement.pk}",
            f"The agreement with {partner} ended {over:%b} {over.day}, {over.year}, and payments "
            f"went on: the first {first:%b} {first.day}, {first.year}.",
        )


def _beyond_its_share(partner: Partner, agreement: Agreement) -> Iterator[Found]:
    """Of joint advertising we paid more than our share of what it was to cost."""
    if agreement.basis != agreements.SHARED:
        return
    paid = sum(
        agreement.things.filter(corrects=None, corrected_by=None).values_list(
            "fair_value_cents", flat=True
        )
    )
    share = Fraction(100 * paid, agreement.cents)
    ruling = partner_pay.co_marketing(
        our_cost_share=share, our_benefit_share=agreement.our_benefit_pct or 0
    )
    if ruling.decision is Decision.BLOCK:
        yield _found(
            f"share:{agreement.pk}",
            f"We paid {float(share):.0f}% of the joint advertising with {partner} and have "
            f"{agreement.our_benefit_pct}% of it.",
        )


def _found(cause: str, sentence: str) -> Found:
    return Found(
        rule=RSP_01.id, cause=cause, sentence=sentence, link=PAGE,
        notice="What was given to a partner needs your review.",
    )  # fmt: skip
