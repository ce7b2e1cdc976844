"""Alerts to borrowers and officers when a recorded rate reaches a rate watch."""

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
    """Record a rate and alert every watch it reaches. Raises `record_rates.InvalidRate`."""
    with transaction.atomic():
        observation = record_rates.record_rate(
            product=product,
            rate_pct=rate_pct,
            apr_pct=apr_pct,
            points=points,
            sheet=sheet,
            by=by,
            at=at,
        )
        watches = rate_watch.mark_reached_watches(observation, at=at)
        leads = Lead.objects.select_related("person", "officer__user")
        for watch in watches:
            watch.lead = leads.get(pk=watch.lead_id)
            _notify_officer(watch.lead, observation, f"watch:{watch.pk}", at)
        if release_limits.current_limits(at=at).needs_second_person(len(watches)):
            _create_release(watches, observation, at)
        elif watches:
            for watch in watches:
                borrower_alerts.queue_rate_alert(watch=watch, observation=observation, at=at)
            send_messages.enqueue()
    return observation


def _create_release(
    watches: Sequence[RateWatch], observation: RateObservation, at: datetime
) -> None:
    """Put alerts to so many people into a release, which waits for a second person."""
    release_drafts.create_and_seal(
        kind="rates",
        title=f"Rate alerts: {record_rates.PRODUCTS[observation.product]} "
        f"at {observation.rate_pct:.3f}%",
        about={"observation": str(observation.pk)},
        members={f"watch:{watch.pk}": watch.lead for watch in watches},
        at=at,
    )


def _notify_officer(lead: Lead, observation: RateObservation, cause: str, at: datetime) -> None:
    if lead.officer is None:
        return
    staff_notices.notify_user(
        user_id=lead.officer.user_id,
        kind="rate",
        idempotency_key=cause,
        text=f"{lead.person.short_name}'s rate watch was reached: "
        f"{observation.rate_pct:.3f}% today.",
        link=f"/leads/{lead.pk}/",
        at=at,
    )
    publish_update("lead", lead=str(lead.pk))
