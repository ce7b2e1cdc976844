"""Lindenfield Mortgage, set up as a lender would set itself up. Only this is written by hand;
everything that happens to leads afterwards is the product's own doing."""

import json
import secrets
from datetime import date, datetime, timedelta
from itertools import count

from django.db import transaction

from rooftree.capture.recognise import hash_of
from rooftree.compliance import license_wording
from rooftree.compliance.models import SourceTerms
from rooftree.core.uuid7 import uuid7, uuid7_at
from rooftree.flow import first_run
from rooftree.leads.models import Source
from rooftree.los.models import Connection
from rooftree.org import licences, people
from rooftree.org.models import Assistance, Branch, Company, CompanyLicense, LoanOfficer, User
from rooftree.routing import publish
from rooftree_demo import agreements, approvals, do_not_call, routing, staff
from rooftree_demo.outside import Addresses
from rooftree_demo.sources import ORIGINS, Origin

LEGAL_NAME = "Lindenfield Mortgage, LLC"
BRAND = "Lindenfield Mortgage"
SITE = "https://www.lindenfield.example"
MAIL = "lindenfield.example"
AGE = timedelta(days=600)  # how long ago the company began with Rooftree
LICENSED_FROM = date(2020, 1, 1)
INSTRUCTIONS = (
    "I instruct LendingTree to obtain my consumer report from one or more credit bureaus and to "
    "share what it says with the lenders it matches me with."
)
SIGNING_KEY = "the demo's webhooks are signed with this"
WORDING = (
    "By ticking this box I agree that Lindenfield Mortgage, LLC may call and text me at this "
    "number, also by automated means and with prerecorded voices, about mortgages. Agreeing is "
    "not a condition of any loan or purchase. Message and data rates may apply. Reply STOP to end."
)
WORDING_ES = (
    "Al marcar esta casilla acepto que Lindenfield Mortgage, LLC me llame y me envíe mensajes de "
    "texto a este número, también por medios automáticos y con voces pregrabadas, sobre hipotecas. "
    "Aceptar no es condición de ningún préstamo ni compra. Pueden aplicarse tarifas. "
    "Responda ALTO para terminar."
)


class AnothersDatabase(Exception):
    """The database belongs to somebody real. The text is fit to show."""


def ensure(*, at: datetime) -> Company:
    """The company as it stands; made at the first call, as if `AGE` ago.

    Raises `AnothersDatabase` when the database holds any other company.
    """
    with transaction.atomic():
        held = Company.objects.first()
        if held is None:
            held = _found(at - AGE)
        if held.legal_name != LEGAL_NAME:
            raise AnothersDatabase(
                f"this database belongs to {held.legal_name}; a demo needs one of its own."
            )
        approvals.keep(at=at)
    return held


def open_today(addresses: Addresses, *, at: datetime) -> Connection:
    """What is true of this run only: where the LOS answers, and the day's notices are read."""
    Company.objects.update(emergencies_checked_at=at)
    do_not_call.bring_up_to_date(at=at)
    connection = Connection.objects.get(slug="encompass")
    connection.base_url = addresses.encompass
    connection.enabled_at = connection.enabled_at or at
    connection.polled_to_at, connection.poll_due_at = at, at + timedelta(minutes=5)
    connection.save()
    return connection


def _found(at: datetime) -> Company:
    company = Company.objects.create(
        legal_name=LEGAL_NAME,
        brand=BRAND,
        nmls_id="1204417",
        postal_address="400 Linden Street, Suite 200, Tampa, FL 33602",
        phone="+18135550100",
        website=SITE,
        telemarketer_states=list(staff.STATES),
        texting={"brand_registered": True, "attributes": ["direct_lending"]},
        mail_is_authenticated=True,
        emergencies_checked_at=at,
    )
    CompanyLicense.objects.bulk_create(
        CompanyLicense(
            state=state,
            number=f"ML-{state}-20417",
            license=next(iter(license_wording.licenses(state, on=at.date())), ""),
            from_date=LICENSED_FROM,
        )
        for state in staff.STATES
    )
    branches = _branches()
    users = _users(branches, at)
    officers = _officers(branches, users["Tariq Jones"], at)
    for name, last in staff.ASSISTS.items():
        Assistance.objects.create(assistant=users[name], officer=officers[last])
    company.alarm_user = users["Beatriz Lima"]
    company.save(update_fields=["alarm_user"])
    _sources(users["Omar Haddad"], at)
    agreements.make(users, at=at)
    agreements.pay(officers, users, at=at)
    first_run.ensure(at=at)
    publish.publish(
        routing.rules(branches, officers, users),
        by=users["Beatriz Lima"],
        at=at + timedelta(days=1),
        summary="By region, by language, and who steps in at night",
    )
    _connection(officers)
    return company


def _branches() -> dict[str, Branch]:
    regions = {
        name: _branch(None, name, "region", zone, "") for name, zone in staff.REGIONS.items()
    }
    return regions | {
        one.name: _branch(regions[one.region], one.name, "branch", one.zone, one.nmls_id)
        for one in staff.BRANCHES
    }


def _branch(above: Branch | None, name: str, kind: str, zone: str, nmls_id: str) -> Branch:
    key = uuid7()
    path = f"{above.path if above else '/'}{key}/"
    return Branch.objects.create(
        id=key, parent=above, name=name, kind=kind, zone=zone, nmls_id=nmls_id, path=path
    )


def _users(branches: dict[str, Branch], at: datetime) -> dict[str, User]:
    made: dict[str, User] = {}
    for place, (name, role, branch, title) in enumerate(staff.OTHERS):
        user = people.add_user(
            email=f"{name.split()[0].lower()}@{MAIL}",
            name=name,
            role=role,
            branch=branches.get(branch),
            by=None,
            at=at,
        )
        user.title = title
        user.joined_at = at + place * timedelta(seconds=1)  # who stands first is met first
        user.save(update_fields=["title", "joined_at"])
        made[name] = user
    return made


def _officers(branches: dict[str, Branch], by: User, at: datetime) -> dict[str, LoanOfficer]:
    made: dict[str, LoanOfficer] = {}
    areas = {one.name: one.area for one in staff.BRANCHES}
    desks = {one.name: count(10) for one in staff.BRANCHES}  # of each branch, by its numbers
    for nmls, one in enumerate(staff.OFFICERS, start=1_400_110):
        desk, area = next(desks[one.branch]), areas[one.branch]
        user = people.add_user(
            email=f"{one.login}@{MAIL}",
            name=one.name,
            role="officer",
            branch=branches[one.branch],
            by=by,
            at=at,
        )
        User.objects.filter(pk=user.pk).update(joined_at=at, title="Loan officer")
        made[one.last] = people.add_officer(
            user=user,
            nmls_id=str(nmls),
            phone=f"+1{area}55501{desk}",
            by=by,
            at=at,
            details=_working_life(one, f"+1{area}55501{desk + 15}"),
        )
        for state in one.states:
            licences.add(
                officer_id=made[one.last].pk,
                state=state,
                number=f"{state}-{nmls}",
                dates=(LICENSED_FROM, None),
                by=by,
                at=at,
            )
    for one in staff.OFFICERS:
        LoanOfficer.objects.filter(pk=made[one.last].pk).update(backup=made[one.backup])
    return made


def _working_life(one: staff.Officer, text_number: str) -> dict[str, object]:
    """What an officer tells the company once they have started."""
    return {
        "languages": list(one.languages),
        "hours": one.hours,
        "text_number": text_number,
        "sponsored_from_date": LICENSED_FROM,
        "daily_cap": 400,  # a market that never sleeps would fill a human day by noon
        "open_cap": 600,
    } | ({"zone": one.zone} if one.zone else {})


def _sources(reviewer: User, at: datetime) -> None:
    for one in ORIGINS:
        if one.adapter == "website_form":
            terms(
                _form(one, at),
                reviewer,
                at,
                wording=WORDING_ES if one.language == "es" else WORDING,
                signature="checkbox_unticked_by_default",
                channels=["call", "text", "email"],
            )
        else:  # marketplaces name us to the consumer and send no proof of consent to texts
            made = vendor(one.adapter, one.name, one.slug, at, cost_cents=one.cost_cents)
            is_scored = one.adapter == "lendingtree"
            terms(
                made,
                reviewer,
                at,
                report_purpose="instructions" if is_scored else "",
                report_words=INSTRUCTIONS if is_scored else "",
            )


def _form(one: Origin, at: datetime) -> Source:
    return Source.objects.create(
        id=uuid7_at(at),
        adapter=one.adapter,
        name=one.name,
        slug=one.slug,
        allowed_origins=[SITE],
        secret=secrets.token_urlsafe(32),
        cost_cents=one.cost_cents,
        created_at=at,
        launched_at=at,
    )


def vendor(adapter: str, name: str, slug: str, at: datetime, **columns: object) -> Source:
    """A source at a vendor, with a secret address of its own."""
    token = secrets.token_urlsafe(24)
    return Source.objects.create(
        id=uuid7_at(at),
        adapter=adapter,
        name=name,
        slug=slug,
        token=token,
        token_hash=hash_of(token),
        created_at=at,
        launched_at=at,
        **columns,
    )


def terms(source: Source, reviewer: User | None, at: datetime, **changes: object) -> None:
    """What its consumers agree to, reviewed."""
    SourceTerms.objects.create(
        source=source,
        from_date=LICENSED_FROM,
        names_us=True,
        seller_snapshot=BRAND,
        reviewed_by=reviewer,
        reviewed_at=at,
        **changes,
    )


def _connection(officers: dict[str, LoanOfficer]) -> None:
    logins = {one.last: one.login for one in staff.OFFICERS}
    Connection.objects.create(
        los="encompass",
        name="Encompass",
        slug="encompass",
        base_url="http://127.0.0.1:9101",
        instance="TEBE00000001",
        folder="Prospects",
        officer_users={one.nmls_id: logins[last] for last, one in officers.items()},
        credentials=json.dumps(
            {
                "client_id": "enc-client",
                "client_secret": "enc-secret",
                "user": "svc_rooftree",
                "password": "svc-secret",
            }
        ),
        webhook_keys=json.dumps([SIGNING_KEY]),
    )
