"""Helpers that drive a lead through the product from outside: posts, callbacks, the clock."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from rooftree.capture.intake.receive_delivery import ReceiveResult, endpoint_of
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.compliance.models import SourceTerms
from rooftree.flow import bootstrap, lead_arrival, tick_schedule
from rooftree.flow import clock as moment
from rooftree.leads.models import Lead, Source
from rooftree.outreach.models import Message
from rooftree.tasks.drain_queue import run_queued_tasks
from tests import make

HOUR = 3600.0  # seconds
TOKEN = "zlw-test-path-token-7f3a"
FORM_SECRET = "form-test-secret-51d2"
WORDING = (
    "By ticking this box I agree that Lindenfield Mortgage, LLC may call and text me at this "
    "number, also by automated means, about mortgages. Consent is not a condition of any purchase."
)


def set_up_company(*, states: tuple[str, ...] = ("CA", "FL", "TX"), **changes: Any) -> None:
    """Create a company with every permission, the default templates and rules."""
    company = make.company(states=states)
    company.telemarketer_states = list(states)
    company.texting = {"brand_registered": True, "attributes": ["direct_lending"]}
    company.mail_is_authenticated = True
    company.emergencies_checked_at = make.NOON
    for name, value in changes.items():
        setattr(company, name, value)
    company.save()
    bootstrap.create_defaults(are_approved=True, at=make.NOON - make.DAY)


def create_zillow(**changes: Any) -> Source:
    """Create Zillow with reviewed terms: they name us and prove no consent to texts."""
    source = make.source(
        "zillow",
        **{
            "name": "Zillow",
            "slug": "zillow",
            "token": TOKEN,
            "token_hash": _sha256(TOKEN),
            "cost_cents": 45_00,
            **changes,
        },
    )
    SourceTerms.objects.create(
        source=source,
        from_date=make.LICENSED_FROM,
        names_us=True,
        reviewed_by=make.user("compliance"),
        reviewed_at=make.NOON,
    )
    return source


def create_website(**changes: Any) -> Source:
    """Create the company's own form."""
    return make.source(
        "website_form",
        **{
            "name": "Our website",
            "slug": "our-site",
            "allowed_origins": ["https://www.lindenfield.example"],
            "secret": FORM_SECRET,
            **changes,
        },
    )


def zillow_contact(**changes: Any) -> dict[str, Any]:
    """Build the payload that Zillow posts for a Florida purchase."""
    number = make.number()
    sender = {
        "firstName": "Ben",
        "lastName": "Ortiz",
        "emailAddress": "ben.ortiz@home.example",
        "phoneNumber": "8135550142",
    } | changes.pop("sender", {})
    details = {
        "loanPurpose": "Purchase",
        "loanAmount": 412000,
        "propertyValue": 458000,
        "stateAbbreviation": "FL",
        "zipCode": "33602",
        "city": "Tampa",
        "creditScoreRange": "R_740_759",
    } | changes.pop("details", {})
    return {
        "id": f"LC-{number}",
        "created": "2026-11-23T12:00:00-05:00",
        "type": "longForm",
        "price": 65.5,
        "recipient": {},
        "sender": sender,
        "details": details,
        **changes,
    }


def form_post(*, consent: bool = True, **changes: Any) -> dict[str, Any]:
    """Build a post of the company's own form, by default for the same Ben, with consent checked.

    It proves consent when it is signed, because then the company's own server sent it.
    """
    return {
        "submission_id": f"s-{make.number()}",
        "form": "hosted-v1",
        "rendered_at": "2026-11-23T16:58:00Z",
        "submitted_at": "2026-11-23T16:59:30Z",
        "first_name": "Ben",
        "last_name": "Ortiz",
        "email": "ben.ortiz@home.example",
        "phone": "(813) 555-0142",
        "loan_purpose": "purchase",
        "property_state": "FL",
        "property_zip": "33602",
        "property_value": "458000",
        "landing_page": "https://www.lindenfield.example/buy",
        "ip_address": "203.0.113.10",
        "user_agent": "Mozilla/5.0",
        "consent": {"checked": consent, "text": WORDING, "version": "tcpa-1", "prechecked": False},
        **changes,
    }


def sign_form_post(raw: bytes, secret: str = FORM_SECRET) -> dict[str, str]:
    """Return the header by which the company's own server proves a post."""
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return {"X-Rooftree-Signature": f"sha256={digest}"}


def arrive(
    source: Source, body: dict[str, Any] | bytes, *, at: datetime = make.NOON, **changes: Any
) -> ReceiveResult:
    """Store one post, without processing it; a form's post is signed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    origin = {"Origin": source.allowed_origins[0]} if source.allowed_origins else {}
    if source.adapter == "website_form" and source.secret:
        origin |= sign_form_post(raw, source.secret)
    path = f"/in/zillow/{source.token}" if source.token else f"/in/form/{source.slug}"
    incoming = IncomingDelivery(
        path=changes.pop("path", path),
        headers={"Content-Type": "application/json", "User-Agent": "Mozilla/5.0", **origin},
        body=raw,
        remote_addr="203.0.113.10",
        received_at=at,
        endpoint=endpoint_of(source),
    )
    return lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)


def run(at: datetime = make.NOON, *, hourly: bool = False) -> None:
    """Run everything due by `at`, at `at`: queued tasks, then each periodic job once.

    Jobs that run once an hour or less often run only with `hourly`: they take as long as all
    the others.
    """
    with moment.freeze(at):
        run_queued_tasks(by=at)
        for job in tick_schedule.TICKS:
            if hourly or job.interval_seconds < HOUR:
                job.run(at)
        run_queued_tasks(by=at)


def deliver(
    source: Source, body: dict[str, Any], *, at: datetime = make.NOON, **changes: Any
) -> Lead:
    """Deliver a post, run everything that follows at once and return its lead."""
    arrive(source, body, at=at, **changes)
    run(at)
    return Lead.objects.latest("last_inquiry_at")


def sent_texts(lead: Lead) -> list[Message]:
    """Return the texts sent to the borrower."""
    return _sent_messages(lead, "text")


def sent_emails(lead: Lead) -> list[Message]:
    """Return the e-mails sent to the borrower."""
    return _sent_messages(lead, "email")


def later(minutes: float) -> datetime:
    """Return the moment `minutes` after noon."""
    return make.NOON + timedelta(minutes=minutes)


def _sent_messages(lead: Lead, medium: str) -> list[Message]:
    return list(
        Message.objects.filter(
            lead=lead, direction="out", medium=medium, state__in=["sent", "delivered"]
        ).order_by("created_at")
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


assert settings.IS_DEMO  # no test runs against a real carrier
