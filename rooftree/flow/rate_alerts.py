"""A rate was recorded: who waited for it hears of it, and so does their officer."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from rooftree.flow.message_dispatch import send_messages
from rooftree.leads.models import Lead
from rooftree.nurture import borrower_alerts
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.releases import release_drafts, release_limits
from rooftree.rates import rate_watch, record_rates
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.tasks.live_updates import publish_update


def record_rate(  # noqa: PLR0913
    *,
    product: str,
    rate_pct: Decimal,
    apr_pct: Decimal,
    points: Decimal,
    sheet: str,
    by: User | None,
    at: datetime,
) -> RateObservation:
    """Keep a rate and alert every watch it reaches. Raises `observe.NotARate`."""
    with transaction.atomic():
        seen = record_rates.record_rate(
            product=product,
            rate_pct=rate_pct,
            apr_pct=apr_pct,
            points=points,
            sheet=sheet,
            by=by,
            at=at,
        )
        reached = rate_watch.mark_reached_watches(seen, at=at)
        for mark_reached_watch in reached:
            mark_reached_watch.lead = Lead.objects.select_related("person", "officer__user").get(
                pk=mark_reached_watch.lead_id
            )
            _notify_officer(mark_reached_watch.lead, seen, f"watch:{mark_reached_watch.pk}", at)
        if release_limits.current_limits(at=at).needs_second_person(len(reached)):
            _gather_release(reached, seen, at)
        elif reached:
            for mark_reached_watch in reached:
                borrower_alerts.queue_rate_alert(watch=mark_reached_watch, observation=seen, at=at)
            send_messages.enqueue()
    return seen


def _gather_release(reached: Sequence[RateWatch], seen: RateObservation, at: datetime) -> None:
    """One figure reached so many at once that a second person looks first."""
    release_drafts.create_and_seal(
        kind="rates",
        title=f"Rate alerts: {record_rates.PRODUCTS[seen.product]} at {seen.rate_pct:.3f}%",
        about={"observation": str(seen.pk)},
        members={f"watch:{one.pk}": one.lead for one in reached},
        at=at,
    )


def _notify_officer(lead: Lead, seen: RateObservation, cause: str, at: datetime) -> None:
    if lead.officer is None:
        return
    staff_notices.notify_user(
        user_id=lead.officer.user_id,
        kind="rate",
        idempotency_key=cause,
        text=f"{lead.person.first_name or 'A borrower'}'s rate watch: {seen.rate_pct:.3f}% today.",
        link=f"/leads/{lead.pk}/",
        at=at,
    )
    publish_update("lead", lead=str(lead.pk))
