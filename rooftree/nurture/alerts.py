"""Telling a borrower something they waited for: their rate, or that they may close."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from rooftree.compliance import places
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach import send, wording
from rooftree.outreach.models import Message
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.rates.observe import PRODUCTS

EARLIEST, LATEST = time(8), time(20)  # house: the law has no hours for service messages


def rate_reached(*, watch: RateWatch, observation: RateObservation, at: datetime) -> list[Message]:
    """Put the alert of a reached watch in line, text and e-mail; the gate decides each."""
    shown = {
        "product": PRODUCTS[watch.product],
        "target": f"{watch.target_pct:.3f}%",
        "rate": f"{observation.rate_pct:.3f}%",
        "apr": f"{observation.apr_pct:.3f}%",
        "points": f"{observation.points:.3f}",
        "day": f"{observation.observed_at:%B} {observation.observed_at.day}",
    }
    return _tell(watch.lead, "rate_reached", cause=f"watch:{watch.pk}", at=at, more={"rate": shown})


def clear_to_close(*, lead: Lead, cause: str, at: datetime) -> list[Message]:
    """Put the good news in line: informational, about the borrower's own loan, and by day."""
    return _tell(lead, "clear_to_close", cause=cause, at=at, purpose="informational")


def by_day(lead: Lead, at: datetime, company: Company) -> datetime:
    """`at`, or the next morning at the property when nobody should be woken by it."""
    there = places.of_address("property", lead.property_state, lead.property_zip)
    local = at.astimezone(ZoneInfo(there[0].zone if there else company.zone))
    if EARLIEST <= local.time() < LATEST:
        return at
    morning = local.replace(hour=EARLIEST.hour, minute=0, second=0, microsecond=0)
    return morning if local.time() < EARLIEST else morning + timedelta(days=1)


def _tell(
    lead: Lead,
    key: str,
    *,
    cause: str,
    at: datetime,
    purpose: str = "marketing",
    more: dict[str, dict[str, str]] | None = None,
) -> list[Message]:
    language = wording.language_for(lead.person.language)
    company = Company.objects.get()
    planned = []
    for medium in ("text", "email"):
        to = send.address_for(lead, medium)
        if not to:
            continue
        template = wording.live_template(key, medium=medium, language=language, at=at)
        rendered = wording.render(
            template, lead=lead, company=company, officer=lead.officer, more=more
        )
        planned.append(
            send.plan(
                lead=lead,
                medium=medium,
                purpose=purpose,
                cause=cause,
                words=send.Words.of(rendered, lead.officer),
                to=to,
                at=at,
                due_at=by_day(lead, at, company) if medium == "text" else at,
            )
        )
    return planned
