"""The history's advertising costs and rate sheets."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from django.db import transaction

from rooftree.flow import clock, message_dispatch, rate_alerts
from rooftree.leads.models import Source
from rooftree.money import book_entries
from rooftree.money.spend_entries import AD_SPEND
from rooftree.org.models import User
from rooftree.reporting.rollups import rollup_deltas
from rooftree_demo import inline_queue
from rooftree_demo.history_plan import HistoryPlan
from rooftree_demo.lead_origins import origins_in_month
from rooftree_demo.load_history import Journal
from rooftree_demo.rate_sheets import SHEET_NAME, weekly_sheets
from rooftree_demo.stories import Story, history_start, month_number


def book_advertising(story: Story, plan: HistoryPlan, *, part: str, name: str) -> None:
    """Book the advertising cost of one span of a part of the plan; safe to repeat per name.

    The cost is booked on the day of `story`, the newest of the span, so that cost and
    leads are in the same month.
    """
    for origin in origins_in_month(month_number(story.at.date(), history_start(plan.began.date()))):
        if not origin.ads_cents:
            continue
        cents = round(origin.ads_cents * plan.ad_months(part))
        _book_cost(origin.slug, cents, day=story.at.date(), name=name)


def record_rate_sheets(journal: Journal) -> None:
    """Record every week's rate sheet as of its own morning, and alert borrowers who wait for it."""
    by = _marketing_user()
    end = journal.plan.began
    start = datetime.combine(history_start(end.date()), time(), UTC)
    for sheet in weekly_sheets(start, end):
        name = f"rate:{sheet.at:%Y-%m-%d}:{sheet.product}"
        if name in journal.loaded:
            continue
        with transaction.atomic(), clock.freeze(sheet.at):
            rate_alerts.record_rate(
                product=sheet.product,
                rate_pct=sheet.rate_pct,
                apr_pct=sheet.apr_pct,
                points=sheet.points,
                sheet=SHEET_NAME,
                by=by,
                at=sheet.at,
            )
            inline_queue.run_pending()
            message_dispatch.send_due_messages(at=sheet.at)
        journal.mark_loaded(name)


def _book_cost(slug: str, cents: int, *, day: date, name: str) -> None:
    with transaction.atomic():
        entry = book_entries.book_entry(
            kind="cost",
            amount_cents=cents,
            on_date=day,
            source_id=Source.objects.get(slug=slug).pk,
            basis=AD_SPEND,
            idempotency_key=f"{name}:{slug}",
            by=_marketing_user(),
            at=datetime.combine(day, time(17), UTC) + timedelta(days=1),
        )
        rollup_deltas.count_cost(entry)


@cache
def _marketing_user() -> User | None:
    return User.objects.with_role("marketing").first()
