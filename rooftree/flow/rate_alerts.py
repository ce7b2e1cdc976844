"""A rate was recorded: who waited for it hears of it, and so does their officer."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from rooftree.flow.messages import send_messages
from rooftree.leads.models import Lead
from rooftree.nurture import alerts
from rooftree.org import notices
from rooftree.org.models import User
from rooftree.outreach.releases import gather, limits
from rooftree.rates import observe, watch
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.tasks.announce import announce


def record(  # noqa: PLR0913
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
        seen = observe.record(
            product=product,
            rate_pct=rate_pct,
            apr_pct=apr_pct,
            points=points,
            sheet=sheet,
            by=by,
            at=at,
        )
        reached = watch.reached_by(seen, at=at)
        for one in reached:
            one.lead = Lead.objects.select_related("person", "officer__user").get(pk=one.lead_id)
            _tell_officer(one.lead, seen, f"watch:{one.pk}", at)
        if limits.in_force(at=at).is_large(len(reached)):
            _release(reached, seen, at)
        elif reached:
            for one in reached:
                alerts.rate_reached(watch=one, observation=seen, at=at)
            send_messages.enqueue()
    return seen


def _release(reached: Sequence[RateWatch], seen: RateObservation, at: datetime) -> None:
    """One figure reached so many at once that a second person looks first."""
    gather.at_once(
        kind="rates",
        title=f"Rate alerts: {observe.PRODUCTS[seen.product]} at {seen.rate_pct:.3f}%",
        about={"observation": str(seen.pk)},
        members={f"watch:{one.pk}": one.lead for one in reached},
        at=at,
    )


def _tell_officer(lead: Lead, seen: RateObservation, cause: str, at: datetime) -> None:
    if lead.officer is None:
        return
    notices.tell(
        user_id=lead.officer.user_id,
        kind="rate",
        cause=cause,
        text=f"{lead.person.first_name or 'A borrower'}'s rate watch: {seen.rate_pct:.3f}% today.",
        link=f"/leads/{lead.pk}/",
        at=at,
    )
    announce("lead", lead=str(lead.pk))
