"""Sources that owe their monthly spend: no entry for last month yet."""

from datetime import date, timedelta

from rooftree.leads.models import Source
from rooftree.money.models import Entry
from rooftree.money.spend_entries import AD_SPEND, MONTHLY_FEE

# Ad platforms send leads without a price: their cost is the spend of the ad account.
AD_PLATFORMS = ("google_lead_form", "linkedin_lead_sync", "meta_lead_ads", "tiktok_lead_gen")
HISTORY_DAYS = 183  # a source with spend this recently is expected to have it every month


def last_month(today: date) -> date:
    """Return the first day of the month before `today`."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def find_sources_without_spend(today: date) -> list[Source]:
    """Find the sources that are paid by spend and have none booked for last month, by name.

    A source is paid by spend if it is an ad platform without a price per lead, or if spend or a
    fee was booked for it in the half year before. Booking $0.00 counts as an entry.
    """
    month, until = last_month(today), today.replace(day=1)
    spend = Entry.objects.filter(basis__in=[AD_SPEND, MONTHLY_FEE])
    recent = spend.filter(on_date__lt=month, on_date__gte=month - timedelta(days=HISTORY_DAYS))
    booked = spend.filter(on_date__gte=month, on_date__lt=until)
    running = Source.objects.filter(is_test=False, paused_at=None, launched_at__isnull=False)
    platforms = running.filter(
        adapter__in=AD_PLATFORMS, cost_cents=None, launched_at__date__lt=until
    )
    paid_by_spend = platforms | running.filter(pk__in=recent.values("source_id"))
    return list(paid_by_spend.exclude(pk__in=booked.values("source_id")).order_by("name", "id"))
