"""What a company writes down beside its leads: its advertising, and its rate sheets."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from django.db import transaction

from rooftree.flow import messages, moment, rate_alerts
from rooftree.leads.models import Source
from rooftree.money import book
from rooftree.org.models import User
from rooftree.reporting import count
from rooftree_demo import at_once
from rooftree_demo.history import Journal
from rooftree_demo.plan import Plan
from rooftree_demo.rate_sheets import SHEET, weekly
from rooftree_demo.sources import used_in
from rooftree_demo.stories import Story, beginning, month_of


def advertise(story: Story, plan: Plan, *, part: str, name: str) -> None:
    """Book the advertising that goes with one span of a part of the plan.

    On the day of `story`, the newest of the span, so that the money stands in the
    month that its leads stand in. Once per name, however often it is asked for.
    """
    for origin in used_in(month_of(story.at.date(), beginning(plan.began.date()))):
        if not origin.ads_cents:
            continue
        cents = round(origin.ads_cents * plan.months_of_ads(part))
        _book(origin.slug, cents, day=story.at.date(), name=name)


def rates(journal: Journal) -> None:
    """Record every week's sheet as of its own morning, and tell whoever waited for it."""
    by = _marketing()
    end = journal.plan.began
    start = datetime.combine(beginning(end.date()), time(), UTC)
    for sheet in weekly(start, end):
        name = f"rate:{sheet.at:%Y-%m-%d}:{sheet.product}"
        if name in journal.done:
            continue
        with transaction.atomic(), moment.at(sheet.at):
            rate_alerts.record(
                product=sheet.product,
                rate_pct=sheet.rate_pct,
                apr_pct=sheet.apr_pct,
                points=sheet.points,
                sheet=SHEET,
                by=by,
                at=sheet.at,
            )
            at_once.drain()
            messages.send_due(at=sheet.at)
        journal.add(name)


def _book(slug: str, cents: int, *, day: date, name: str) -> None:
    with transaction.atomic():
        entry = book.entry(
            kind="cost",
            amount_cents=cents,
            on_date=day,
            source_id=Source.objects.get(slug=slug).pk,
            basis="invoice",
            cause=f"{name}:{slug}",
            by=_marketing(),
            at=datetime.combine(day, time(17), UTC) + timedelta(days=1),
        )
        count.spend(entry)


@cache
def _marketing() -> User | None:
    return User.objects.filter(role="marketing").first()
