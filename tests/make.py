"""Create rows for tests with default values, so that a test gives only the values that matter.

Every function takes `**changes` by column name and returns a saved row.
"""

import base64
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from rooftree.capture.models import Mailbox
from rooftree.capture.partners import partner_accounts
from rooftree.compliance.gate import license_wording
from rooftree.compliance.models import Consent, SourceTerms
from rooftree.compliance.rule_changes import change_approval
from rooftree.compliance.rule_changes.change_approval import ChangeGrounds
from rooftree.core.uuid7 import uuid7, uuid7_at
from rooftree.leads.models import (
    Campaign,
    Delivery,
    Email,
    Lead,
    Partner,
    Person,
    Phone,
    Source,
    Touch,
)
from rooftree.money.company_day import company_day
from rooftree.org.models import (
    Assistance,
    Branch,
    Company,
    CompanyLicense,
    License,
    LoanOfficer,
    User,
)
from rooftree.outreach.models import Template
from rooftree.routing.models import Ownership

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday, noon in New York, 9:00 in Los Angeles
NIGHT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # the same day, 23:00 in New York
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
WORKDAYS = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
AROUND_THE_CLOCK = {
    day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
}
LICENSED_FROM = date(2020, 1, 1)
NEW_YORK = (
    *(212, 315, 332, 347, 516, 518, 585, 607, 631, 646),
    *(680, 716, 718, 838, 845, 914, 917, 929, 934),
)
PASSWORD = "a long enough password"

_numbers = count(1)


def number() -> int:
    """Return a number that no other row of this run has."""
    return next(_numbers)


def phone_number() -> str:
    """Return a fictitious New York number, E.164 (555-0100 to 555-0199 in its area codes).

    Always of one state, so that no test depends on another state's time zone or law.
    """
    area, line = divmod(number(), 100)
    return f"+1{NEW_YORK[area % len(NEW_YORK)]}55501{line:02d}"


def company(*, states: tuple[str, ...] = ("CA", "FL", "TX"), **changes: Any) -> Company:
    """Create the lender, licensed in `states`, or return the existing one unchanged."""
    existing = Company.objects.first()
    if existing:
        return existing
    lender = Company.objects.create(
        **{
            "legal_name": "Lindenfield Mortgage, LLC",
            "brand": "Lindenfield Mortgage",
            "nmls_id": "1204417",
            "postal_address": "400 Linden Street, Suite 200, Tampa, FL 33602",
            "phone": "+18135550100",
            "website": "https://lindenfield.example",
            **changes,
        }
    )
    for state in states:
        company_license(state)
    return lender


def company_license(state: str, **changes: Any) -> CompanyLicense:
    """Create the company's license in `state`, of a kind with known wording."""
    kinds = license_wording.license_kinds(state, on=NOON.date())
    return CompanyLicense.objects.create(
        **{
            "state": state,
            "number": f"CO-{state}-1",
            "license": next(iter(kinds), ""),
            "from_date": LICENSED_FROM,
            **changes,
        }
    )


def branch(name: str = "", *, parent: Branch | None = None, **changes: Any) -> Branch:
    """Create a branch below `parent`."""
    key = uuid7()
    above = parent.path if parent else "/"
    return Branch.objects.create(
        **{
            "id": key,
            "parent": parent,
            "name": name or f"Branch {number()}",
            "path": f"{above}{key}/",
            **changes,
        }
    )


def app_code(secret: str, half_minute: int) -> str:
    """Return the code that an authenticator app shows in a half minute since 1970."""
    return HOTP(base64.b32decode(secret), 6, SHA1()).generate(half_minute).decode()


def user(role: str = "operations", **changes: Any) -> User:
    """Create a user with PASSWORD; with `branch` None the user sees the whole company."""
    nth = number()
    member = User(
        **{"email": f"staff{nth}@lindenfield.example", "name": f"Staff {nth}", "roles": [role]}
        | changes
    )
    member.set_password(PASSWORD)
    member.save()
    return member


def officer(name: str = "", *, licensed: Any = ("CA", "FL", "TX"), **changes: Any) -> LoanOfficer:
    """Create a loan officer with a user and licenses in `licensed`, working at any hour."""
    company()
    nth = number()
    home = changes.pop("branch", None) or Branch.objects.first() or branch("Tampa")
    account = changes.pop("user", None) or user(
        "officer",
        name=name or f"Officer {nth}",
        email=f"officer{nth}@lindenfield.example",
        branch=home,
    )
    originator = LoanOfficer.objects.create(
        **{
            "user": account,
            "branch": home,
            "nmls_id": str(1_400_000 + nth),
            "languages": ["en"],
            "phone": phone_number(),
            "is_texted": False,
            "text_number": phone_number(),
            "hours": AROUND_THE_CLOCK,
            "sponsored_from_date": LICENSED_FROM,
            **changes,
        }
    )
    for state in licensed:
        license_of(originator, state)
    return originator


def license_of(originator: LoanOfficer, state: str, **changes: Any) -> License:
    """Create a loan officer's state license: approved, without an end."""
    return License.objects.create(
        **{
            "officer": originator,
            "state": state,
            "number": f"{state}-{number()}",
            "from_date": LICENSED_FROM,
            **changes,
        }
    )


def partner(name: str = "", *, by: User | None = None, **changes: Any) -> Partner:
    """Create a real estate agent who signs in with PASSWORD."""
    nth = number()
    agent = partner_accounts.add_partner(
        typed={
            "name": name or f"Agent {nth}", "email": f"agent{nth}@sunbelt.example",
            "kind": "real_estate_agent", "company": "Sunbelt Realty", **changes,
        },
        by=by or user("marketing"), at=NOON,
    )  # fmt: skip
    agent.user.set_password(PASSWORD)
    agent.user.save()
    return agent


def assistant(originator: LoanOfficer, **changes: Any) -> User:
    """Create a loan officer assistant of `originator`."""
    helper = user("assistant", **{"branch": originator.branch, **changes})
    Assistance.objects.create(assistant=helper, officer=originator)
    return helper


def source(adapter: str = "zillow", **changes: Any) -> Source:
    """Create a source of leads."""
    nth = number()
    return Source.objects.create(
        **{
            "adapter": adapter,
            "name": f"{adapter} {nth}",
            "slug": f"{adapter}-{nth}",
            "launched_at": NOON,
            **changes,
        }
    )


def mailbox(**changes: Any) -> Mailbox:
    """Create a mailbox that is polled; its server does not exist."""
    return Mailbox.objects.create(
        **{
            "host": "127.0.0.1", "port": 9, "security": "none",
            "user": f"leads{number()}@lender.example", "password": "app-password",
            "folder": "INBOX", "validity": 1, "uid": 0, "read_at": NOON, "due_at": NOON, **changes,
        }
    )  # fmt: skip


def campaign(of: Source | None = None, **changes: Any) -> Campaign:
    """Create a campaign of a source."""
    return Campaign.objects.create(
        **{"source": of or source(), "name": f"Campaign {number()}", **changes}
    )


def delivery(of: Source | None = None, *, at: datetime = NOON, **changes: Any) -> Delivery:
    """Create a delivery that was already processed."""
    return Delivery.objects.create(
        **{
            "id": uuid7_at(at),
            "source": of or source(),
            "received_at": at,
            "path": "/in/zillow/-",
            "body": b"{}",
            "body_sha256": "0" * 64,
            "verification": "path_secret",
            "state": "worked",
            "outcome": "accepted",
            **changes,
        }
    )


def person(
    *, phone: str | None = "", email: str | None = "", at: datetime = NOON, **changes: Any
) -> Person:
    """Create a borrower with a phone and an email; None leaves one out."""
    nth = number()
    human = Person.objects.create(
        **{"first_name": "Pat", "last_name": f"Number{nth}", "created_at": at, **changes}
    )
    if phone is not None:
        Phone.objects.create(
            person=human, e164=phone or phone_number(), kind="mobile", is_primary=True, given_at=at
        )
    if email is not None:
        address = email or f"pat{nth}@home.example"
        Email.objects.create(
            person=human, address=address, key=address.lower(), is_primary=True, given_at=at
        )
    return human


def lead(*, at: datetime = NOON, officer: LoanOfficer | None = None, **changes: Any) -> Lead:
    """Create a new purchase lead in Florida without a touch (see `touch`), owned by `officer`."""
    new_lead = Lead.objects.create(
        **{
            "id": uuid7_at(at),
            "person": changes.pop("person", None) or person(at=at),
            "source": changes.pop("source", None) or source(),
            "purpose": "purchase",
            "amount_cents": 400_000_00,
            "value_cents": 500_000_00,
            "credit_band": "good",
            "timeline": "31_60_days",
            "property_state": "FL",
            "created_at": at,
            "last_inquiry_at": at,
            **changes,
        }
    )
    if officer:
        ownership(new_lead, officer, at=at)
    return new_lead


def ownership(of: Lead, officer: LoanOfficer, *, at: datetime = NOON, **changes: Any) -> Ownership:
    """Assign the lead to the officer from `at` on; the database mirrors it on the lead."""
    row = Ownership.objects.create(
        **{"id": uuid7_at(at), "lead": of, "officer": officer, "from_at": at, **changes}
    )
    of.refresh_from_db(fields=["officer", "branch"])
    return row


def touch(of: Lead | None = None, *, at: datetime = NOON, **changes: Any) -> Touch:
    """Create one arrival of a lead, with its delivery."""
    of = of or lead(at=at)
    return Touch.objects.create(
        **{
            "id": uuid7_at(at),
            "lead": of,
            "person": of.person,
            "source": of.source,
            "delivery": changes.pop("delivery", None) or delivery(of.source, at=at),
            "is_first": not of.touches.exists(),
            "inquiry": {},
            "at": at,
            **changes,
        }
    )


def terms(of: Source, **changes: Any) -> SourceTerms:
    """Create reviewed terms of a source that names us for calls, texts and email."""
    return SourceTerms.objects.create(
        **{
            "source": of,
            "from_date": LICENSED_FROM,
            "names_us": True,
            "seller_snapshot": "Lindenfield Mortgage",
            "wording": "I agree that Lindenfield Mortgage may call and text me.",
            "signature": "button",
            "channels": ["call", "text", "email"],
            **changes,
        }
    )


def consent(of: Person, *, address: str = "", at: datetime = NOON, **changes: Any) -> Consent:
    """Create consent to call and text a person's first number. The gate checks the record."""
    return Consent.objects.create(
        **{
            "person": of,
            "address": address or of.phones.earliest("given_at").e164,
            "status": "granted",
            "channels": ["call", "text"],
            "record": {},
            "captured_at": at,
            "recorded_at": at,
            "idempotency_key": f"test:{number()}",
            **changes,
        }
    )


def release_limits(*, at: datetime = NOON, **limits: int) -> None:
    """Set other limits for campaigns; the two users who changed them are deactivated."""
    omar, lena = user("compliance"), user("compliance")
    grounds = ChangeGrounds(from_date=company_day(at), cite="Policy 7", why="We are a small house")
    for name, limit in limits.items():
        change = change_approval.propose_change(
            place="US", item=f"release_{name}", value=limit, grounds=grounds, by=omar, at=at
        )
        change_approval.approve_change(change_id=change.pk, by=lena, at=at)
    User.objects.filter(pk__in=[omar.pk, lena.pk]).update(is_active=False)


def edition(key: str, medium: str = "text", *, at: datetime = NOON, **changes: Any) -> Template:
    """Create an approved template version in use from `at` on; the version before it ends."""
    place = {"language": "en", "loan_kind": "", "hours": ""}
    place = {name: changes.pop(name, usual) for name, usual in place.items()}
    rows = Template.objects.filter(key=key, medium=medium, **place)
    number_before = rows.count()
    rows.filter(from_at__isnull=False, until_at=None).update(until_at=at)
    return Template.objects.create(
        **{
            "key": key,
            "medium": medium,
            **place,
            "version": number_before + 1,
            "body": "Hello",
            "written_by": user("marketing"),
            "written_at": at,
            "decided_by": user("compliance"),
            "decided_at": at,
            "from_at": at,
            "approved_until": at + 365 * DAY,
            **changes,
        }
    )
