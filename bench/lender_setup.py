"""The lender of a benchmark: company, officers, sources and the posts of its borrowers.

Import it only inside `temp_installation.open_installation`.
"""

import hashlib
import hmac
import json
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.compliance.gate import license_wording
from rooftree.compliance.models import SourceTerms
from rooftree.core.uuid7 import uuid7
from rooftree.flow import bootstrap, lead_arrival
from rooftree.leads.models import Source
from rooftree.org.models import Branch, Company, CompanyLicense, License, LoanOfficer, User

NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # a Tuesday; noon in New York, 9:00 in California
LICENSED_FROM = date(2020, 1, 1)
STATES = ("CA", "FL", "TX")
FORM_SECRET = "bench-form-secret"  # noqa: S105 (a benchmark's own)
PATH_TOKEN = "zlw-benchmark-7f3a"  # noqa: S105 (a benchmark's own)
UNREACHABLE_CAP = 30_000  # a cap that no run reaches
ROUND_THE_CLOCK = {
    day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
}
CONSENT_WORDING = (
    "By ticking this box I agree that Lindenfield Mortgage, LLC may call and text me at this "
    "number, also by automated means, about mortgages. Consent is not a condition of any purchase."
)
AREA_CODES = {"FL": "813", "TX": "512", "CA": "415"}
ZIPS = {"FL": "33602", "TX": "78701", "CA": "94110"}


def create_company(*, officers: int = 40, branches: int = 6) -> Company:
    """Create the company with staff and rules; every officer works all day and has no cap."""
    with transaction.atomic():
        company = Company.objects.create(
            legal_name="Lindenfield Mortgage, LLC",
            brand="Lindenfield Mortgage",
            nmls_id="1204417",
            postal_address="400 Linden Street, Tampa, FL 33602",
            phone="+18135550100",
            website="https://lindenfield.example",  # required in Texas
            telemarketer_states=list(STATES),
            texting={"brand_registered": True, "attributes": ["direct_lending"]},
            mail_is_authenticated=True,
            emergencies_checked_at=NOON,
        )
        CompanyLicense.objects.bulk_create(
            CompanyLicense(
                state=state,
                number=f"ML-{state}",
                from_date=LICENSED_FROM,
                license=next(iter(license_wording.license_kinds(state, on=NOON.date())), ""),
            )
            for state in STATES
        )
        _create_staff(officers, _create_branches(branches))
        bootstrap.create_defaults(are_approved=True, at=NOON - timedelta(days=30))
    return company


def _create_branches(number: int) -> list[Branch]:
    region = Branch(id=uuid7(), name="All", kind="region")
    region.path = f"/{region.pk}/"
    branches = [Branch(id=uuid7(), parent=region, name=f"Branch {n}") for n in range(number)]
    for branch in branches:
        branch.path = f"{region.path}{branch.pk}/"
    Branch.objects.bulk_create([region, *branches])
    return branches


def _create_staff(number: int, branches: list[Branch]) -> None:
    users = [
        User(
            email=f"lo{n}@lindenfield.example",
            name=f"Officer {n}",
            roles=["officer"],
            branch=branches[n % len(branches)],
        )
        for n in range(number)
    ]
    boss = User(email="boss@lindenfield.example", name="Executive", roles=["executive"])
    User.objects.bulk_create([*users, boss])
    Company.objects.update(alarm_user=boss)
    officers = [
        LoanOfficer(
            user=user,
            branch=user.branch,
            nmls_id=str(1_400_000 + n),
            languages=["en", "es"] if n % 4 == 0 else ["en"],
            phone=f"+1813555{n % 10_000:04d}",
            hours=ROUND_THE_CLOCK,
            daily_cap=UNREACHABLE_CAP,
            open_cap=UNREACHABLE_CAP,
            sponsored_from_date=LICENSED_FROM,
        )
        for n, user in enumerate(users)
    ]
    LoanOfficer.objects.bulk_create(officers)
    License.objects.bulk_create(
        License(
            officer=officer,
            state=state,
            number=f"{state}-{officer.nmls_id}",
            from_date=LICENSED_FROM,
        )
        for officer in officers
        for state in STATES
    )


def create_website_source() -> Source:
    """Create our own form; its signed leads prove consent, so each gets a text and an email."""
    return Source.objects.create(
        adapter="website_form",
        name="Our website",
        slug="our-site",
        secret=FORM_SECRET,
        allowed_origins=["https://www.lindenfield.example"],
        cost_cents=20_00,
        per_minute=None,
    )


def create_zillow_source() -> Source:
    """Create Zillow with reviewed terms; its leads get an email, and no text without consent."""
    source = Source.objects.create(
        adapter="zillow",
        name="Zillow",
        slug="zillow",
        token=PATH_TOKEN,
        token_hash=hashlib.sha256(PATH_TOKEN.encode()).hexdigest(),
        cost_cents=45_00,
        per_minute=None,
    )
    SourceTerms.objects.create(
        source=source,
        from_date=LICENSED_FROM,
        names_us=True,
        reviewed_by=User.objects.with_role("executive").get(),
        reviewed_at=NOON,
    )
    return source


def zillow_post(n: int) -> bytes:
    """Build Zillow's post of the `n`th borrower; every borrower is unique."""
    state = STATES[n % 3]
    return json.dumps(
        {
            "id": f"LC-{n}",
            "created": "2026-11-24T12:00:00-05:00",
            "type": "longForm",
            "price": 65.5,
            "recipient": {},
            "sender": {
                "firstName": _first_name(n),
                "lastName": _last_name(n),
                "emailAddress": f"borrower{n}@home.example",
                "phoneNumber": _phone_digits(n, state),
            },
            "details": {
                "loanPurpose": "Purchase",
                "loanAmount": 412_000,
                "propertyValue": 458_000,
                "stateAbbreviation": state,
                "zipCode": ZIPS[state],
                "creditScoreRange": "R_740_759",
            },
        }
    ).encode()


def form_post(n: int) -> bytes:
    """Build our own form's post of the `n`th borrower, with the consent box ticked."""
    state = STATES[n % 3]
    return json.dumps(
        {
            "submission_id": f"s-{n}",
            "form": "hosted-v1",
            "rendered_at": "2026-11-24T16:58:00Z",
            "submitted_at": "2026-11-24T16:59:30Z",
            "first_name": _first_name(n),
            "last_name": _last_name(n),
            "email": f"borrower{n}@home.example",
            "phone": _phone_digits(n, state),
            "loan_purpose": "purchase",
            "property_state": state,
            "property_zip": ZIPS[state],
            "property_value": "458000",
            "landing_page": "https://www.lindenfield.example/buy",
            "ip_address": "203.0.113.10",
            "user_agent": "Mozilla/5.0",
            "consent": {
                "checked": True,
                "text": CONSENT_WORDING,
                "version": "t-1",
                "prechecked": False,
            },
        }
    ).encode()


def form_headers(body: bytes) -> dict[str, str]:
    """Return the headers by which the company's own server proves a form's post."""
    digest = hmac.new(FORM_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Origin": "https://www.lindenfield.example",
        "X-Rooftree-Signature": f"sha256={digest}",
    }


def store_delivery(source: Source, body: bytes, *, at: datetime = NOON) -> None:
    """Store one post; it is not worked yet."""
    is_form = source.adapter == "website_form"
    proof = form_headers(body) if is_form else {}
    lead_arrival.accept_delivery(
        source=source,
        incoming=IncomingDelivery(
            path=f"/in/form/{source.slug}" if is_form else f"/in/zillow/{source.token}",
            headers={"Content-Type": "application/json", "User-Agent": "Mozilla/5.0", **proof},
            body=body,
            remote_addr="203.0.113.10",
            received_at=at,
            endpoint=endpoint_of(source),
        ),
        at=at,
    )


def borrower_number(n: int) -> str:
    """Return the `n`th borrower's number in E.164."""
    return f"+1{_phone_digits(n, STATES[n % 3])}"


def _phone_digits(n: int, state: str) -> str:
    return f"{AREA_CODES[state]}{2_000_000 + n % 8_000_000:07d}"


def _fake_word(n: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "".join(letters[n // 26**place % 26] for place in range(5))


def _first_name(n: int) -> str:
    return _fake_word(n * 7919).title()


def _last_name(n: int) -> str:
    return _fake_word(n * 104_729 + 11).title()
