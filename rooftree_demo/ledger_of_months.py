"""What a company writes down month by month beside its leads: advertising, and its rate sheets."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from rooftree.flow import messages, moment, rate_alerts
from rooftree.leads.models import Source
from rooftree.money import book
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.reporting import count
from rooftree_demo import at_once
from rooftree_demo.history import Journal
from rooftree_demo.rate_sheets import SHEET, weekly

ADS_CENTS = 2_900_00  # a month, for the website's visitors


def advertising(start: datetime, end: datetime) -> None:
    """Book every month's advertising. Safe to repeat."""
    by = User.objects.filter(role="marketing").first()
    site = Source.objects.get(slug="our-site")
    for at in _months(start, end):
        advertise(site, by=by, at=at)


def rates(start: datetime, end: datetime, journal: Journal) -> None:
    """Record every week's sheet as of its own morning, and tell whoever waited for it."""
    by = User.objects.filter(role="marketing").first()
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


def advertise(site: Source, *, by: User | None, at: datetime) -> None:
    """Book one month's advertising; once, however often it is asked for."""
    with transaction.atomic():
        entry = book.entry(
            kind="cost",
            amount_cents=ADS_CENTS,
            on_date=company_day(at),
            source_id=site.pk,
            basis="invoice",
            cause=f"invoice:ads-{at:%Y-%m}:1",
            by=by,
            at=at,
        )
        count.spend(entry)


def _months(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start.replace(day=1, hour=15, minute=0, second=0, microsecond=0)
    while at < end:
        yield at
        at = (at + timedelta(days=32)).replace(day=1)
