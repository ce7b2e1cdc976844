"""Alerts to borrowers: a target rate was reached, or the loan is clear to close."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from rooftree.compliance.gate import person_places
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach.messages import automatic_messages
from rooftree.outreach.messages.automatic_messages import MessageRequest
from rooftree.outreach.models import Message
from rooftree.outreach.wording import message_templates
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.rates.record_rates import PRODUCTS

MEDIA = ("text", "email")
SPANISH_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
EARLIEST, LATEST = time(8), time(20)  # house rule: the law has no hours for service messages


def queue_rate_alert(
    *, watch: RateWatch, observation: RateObservation, at: datetime
) -> list[Message]:
    """Queue the text and e-mail of a reached rate watch; the gate decides each."""
    return automatic_messages.queue_requests(
        build_rate_alert(watch=watch, observation=observation, at=at), at=at
    )


def build_rate_alert(
    *, watch: RateWatch, observation: RateObservation, at: datetime
) -> list[MessageRequest]:
    """Return the text and e-mail requests of a reached rate watch."""
    lead = watch.lead
    rate = {
        "product": PRODUCTS[watch.product],
        "target": f"{watch.target_pct:.3f}%",
        "rate": f"{observation.rate_pct:.3f}%",
        "apr": f"{observation.apr_pct:.3f}%",
        "points": f"{observation.points:.3f}",
        "day": _format_day(observation.observed_at, lead.person.language),
    }
    due_at = {"text": next_daytime(lead, at, Company.objects.get())}
    return [
        MessageRequest(
            lead=lead,
            key="rate_reached",
            medium=medium,
            idempotency_key=f"watch:{watch.pk}",
            extra_context={"rate": rate},
            due_at=due_at.get(medium),
        )
        for medium in MEDIA
    ]


def queue_clear_to_close_alert(*, lead: Lead, cause: str, at: datetime) -> list[Message]:
    """Queue the clear-to-close news: informational, about the borrower's own loan, by day."""
    return automatic_messages.queue_template(
        lead=lead,
        key="clear_to_close",
        cause=cause,
        media=MEDIA,
        at=at,
        purpose="informational",
        due_at={"text": next_daytime(lead, at, Company.objects.get())},
    )


def next_daytime(lead: Lead, at: datetime, company: Company) -> datetime:
    """Return `at`, or the next morning at the property if it is night there."""
    places = person_places.address_places("property", lead.property_state, lead.property_zip)
    local = at.astimezone(ZoneInfo(places[0].zone if places else company.zone))
    if EARLIEST <= local.time() < LATEST:
        return at
    morning = local.replace(hour=EARLIEST.hour, minute=0, second=0, microsecond=0)
    return morning if local.time() < EARLIEST else morning + timedelta(days=1)


def _format_day(moment: datetime, language: str) -> str:
    """Format the date of a rate in the company's time zone, in the borrower's language."""
    local = moment.astimezone(ZoneInfo(Company.objects.get().zone))
    if message_templates.language_for(language) == "es":
        return f"{local.day} de {SPANISH_MONTHS[local.month - 1]}"
    return f"{local:%B} {local.day}"
