"""Lindenfield Mortgage, the demo's lender, set up as a lender would set itself up.

Only this setup is written by hand; the product itself does everything that happens to leads.
"""

import json
import secrets
from datetime import date, datetime, timedelta
from itertools import count

from django.db import transaction

from rooftree.capture.intake.source_admission import hash_token
from rooftree.compliance.gate import license_wording
from rooftree.compliance.models import SourceTerms
from rooftree.core.uuid7 import uuid7, uuid7_at
from rooftree.flow import bootstrap
from rooftree.leads.models import Source
from rooftree.los.models import Connection
from rooftree.org import officer_licenses, staff_accounts
from rooftree.org.models import Assistance, Branch, Company, CompanyLicense, LoanOfficer, User
from rooftree.routing import rule_sets
from rooftree_demo import (
    demo_routing_rules,
    demo_staff,
    dnc_registry_data,
    lender_agreements,
    template_approvals,
)
from rooftree_demo.lead_origins import ORIGINS, LeadOrigin
from rooftree_demo.simulator_addresses import SimulatorAddresses

LEGAL_NAME = "Lindenfield Mortgage, LLC"
BRAND = "Lindenfield Mortgage"
WEBSITE = "https://www.lindenfield.example"
MAIL_DOMAIN = "lindenfield.example"
COMPANY_AGE = timedelta(days=600)  # time since the company started with Rooftree
LICENSED_FROM = date(2020, 1, 1)
CREDIT_INSTRUCTIONS = (
    "I instruct LendingTree to obtain my consumer report from one or more credit bureaus and to "
    "share what it says with the lenders it matches me with."
)
LOS_SIGNING_KEY = "the demo's webhooks are signed with this"
CONSENT_WORDING = (
    "By ticking this box I agree that Lindenfield Mortgage, LLC may call and text me at this "
    "number, also by automated means and with prerecorded voices, about mortgages. Agreeing is "
    "not a condition of any loan or purchase. Message and data rates may apply. Reply STOP to end."
)
CONSENT_WORDING_ES = (
    "Al marcar esta casilla acepto que Lindenfield Mortgage, LLC me llame y me envíe mensajes de "
    "texto a este número, también por medios automáticos y con voces pregrabadas, sobre hipotecas. "
    "Aceptar no es condición de ningún préstamo ni compra. Pueden aplicarse tarifas. "
    "Responda ALTO para terminar."
)


class ForeignDatabase(Exception):
    """The database belongs to a real company. The text can be shown."""


def ensure_company(*, at: datetime) -> Company:
    """Return the company; the first call creates it, dated `COMPANY_AGE` ago.

    Raises `ForeignDatabase` if the database holds any other company.
    """
    with transaction.atomic():
        company = Company.objects.first()
        if company is None:
            company = _create_company(at - COMPANY_AGE)
        if company.legal_name != LEGAL_NAME:
            raise ForeignDatabase(
                f"this database belongs to {company.legal_name}; the demo needs its own database."
            )
        template_approvals.renew_approvals(at=at)
    return company


def prepare_run(addresses: SimulatorAddresses, *, at: datetime) -> Connection:
    """Set what changes with each run: the LOS address, today's registries, the emergency check."""
    Company.objects.update(emergencies_checked_at=at)
    dnc_registry_data.load_todays_lists(at=at)
    connection = Connection.objects.get(slug="encompass")
    connection.base_url = addresses.encompass
    connection.enabled_at = connection.enabled_at or at
    connection.polled_to_at, connection.poll_due_at = at, at + timedelta(minutes=5)
    connection.save()
    return connection


def _create_company(at: datetime) -> Company:
    company = Company.objects.create(
        legal_name=LEGAL_NAME,
        brand=BRAND,
        nmls_id="1204417",
        postal_address="400 Linden Street, Suite 200, Tampa, FL 33602",
        phone="+18135550100",
        website=WEBSITE,
        telemarketer_states=list(demo_staff.LICENSED_STATES),
        texting={"brand_registered": True, "attributes": ["direct_lending"]},
        mail_is_authenticated=True,
        emergencies_checked_at=at,
    )
    CompanyLicense.objects.bulk_create(
        CompanyLicense(
            state=state,
            number=f"ML-{state}-20417",
            license=next(iter(license_wording.license_kinds(state, on=at.date())), ""),
            from_date=LICENSED_FROM,
        )
        for state in demo_staff.LICENSED_STATES
    )
    branches = _create_branches()
    users = _create_users(branches, at)
    officers = _create_officers(branches, users["Tariq Jones"], at)
    for name, last in demo_staff.ASSISTED_OFFICERS.items():
        Assistance.objects.create(assistant=users[name], officer=officers[last])
    company.alarm_user = users["Beatriz Lima"]
    company.save(update_fields=["alarm_user"])
    _create_sources(users["Omar Haddad"], at)
    lender_agreements.create_agreements(users, at=at)
    lender_agreements.create_pay_plans(officers, users, at=at)
    bootstrap.create_defaults(are_approved=True, at=at)
    rule_sets.publish_rules(
        demo_routing_rules.routing_rules(branches, officers, users),
        by=users["Beatriz Lima"],
        at=at + timedelta(days=1),
        summary="By region and language, with night backups",
    )
    _create_los_connection(officers)
    return company


def _create_branches() -> dict[str, Branch]:
    regions = {
        name: _create_branch(None, name, "region", zone, "")
        for name, zone in demo_staff.REGIONS.items()
    }
    return regions | {
        branch.name: _create_branch(
            regions[branch.region], branch.name, "branch", branch.zone, branch.nmls_id
        )
        for branch in demo_staff.BRANCHES
    }


def _create_branch(parent: Branch | None, name: str, kind: str, zone: str, nmls_id: str) -> Branch:
    key = uuid7()
    path = f"{parent.path if parent else '/'}{key}/"
    return Branch.objects.create(
        id=key, parent=parent, name=name, kind=kind, zone=zone, nmls_id=nmls_id, path=path
    )


def _create_users(branches: dict[str, Branch], at: datetime) -> dict[str, User]:
    users: dict[str, User] = {}
    for place, (name, role, branch, title) in enumerate(demo_staff.OTHER_STAFF):
        user = staff_accounts.add_user(
            email=f"{name.split()[0].lower()}@{MAIL_DOMAIN}",
            name=name,
            roles=[role],
            branch=branches.get(branch),
            by=None,
            at=at,
        )
        user.title = title
        user.joined_at = at + place * timedelta(seconds=1)  # in the order of the list
        user.save(update_fields=["title", "joined_at"])
        users[name] = user
    return users


def _create_officers(branches: dict[str, Branch], by: User, at: datetime) -> dict[str, LoanOfficer]:
    officers: dict[str, LoanOfficer] = {}
    areas = {branch.name: branch.area for branch in demo_staff.BRANCHES}
    desks = {branch.name: count(10) for branch in demo_staff.BRANCHES}  # next line per branch
    for nmls, officer in enumerate(demo_staff.OFFICERS, start=1_400_110):
        desk, area = next(desks[officer.branch]), areas[officer.branch]
        user = staff_accounts.add_user(
            email=f"{officer.login}@{MAIL_DOMAIN}",
            name=officer.name,
            roles=["officer"],
            branch=branches[officer.branch],
            by=by,
            at=at,
        )
        User.objects.filter(pk=user.pk).update(joined_at=at, title="Loan officer")
        officers[officer.last] = staff_accounts.add_officer(
            user=user,
            nmls_id=str(nmls),
            phone=f"+1{area}55501{desk}",
            by=by,
            at=at,
            details=_officer_details(officer, f"+1{area}55501{desk + 15}"),
        )
        for state in officer.states:
            officer_licenses.add_license(
                officer_id=officers[officer.last].pk,
                state=state,
                number=f"{state}-{nmls}",
                dates=(LICENSED_FROM, None),
                by=by,
                at=at,
            )
    for officer in demo_staff.OFFICERS:
        LoanOfficer.objects.filter(pk=officers[officer.last].pk).update(
            backup=officers[officer.backup]
        )
    return officers


def _officer_details(officer: demo_staff.DemoOfficer, text_number: str) -> dict[str, object]:
    """Return the settings of a new officer."""
    return {
        "languages": list(officer.languages),
        "hours": officer.hours,
        "text_number": text_number,
        "sponsored_from_date": LICENSED_FROM,
        "daily_cap": 400,  # the market runs day and night and would reach a realistic cap by noon
        "open_cap": 600,
    } | ({"zone": officer.zone} if officer.zone else {})


def _create_sources(reviewer: User, at: datetime) -> None:
    for origin in ORIGINS:
        if origin.adapter == "website_form":
            create_source_terms(
                _create_form_source(origin, at),
                reviewer,
                at,
                wording=CONSENT_WORDING_ES if origin.language == "es" else CONSENT_WORDING,
                signature="checkbox_unticked_by_default",
                channels=["call", "text", "email"],
            )
        else:  # marketplaces name the lender to the consumer but prove no consent to texts
            source = create_vendor_source(
                origin.adapter, origin.name, origin.slug, at, cost_cents=origin.cost_cents
            )
            is_scored = origin.adapter == "lendingtree"
            create_source_terms(
                source,
                reviewer,
                at,
                report_purpose="instructions" if is_scored else "",
                report_words=CREDIT_INSTRUCTIONS if is_scored else "",
            )


def _create_form_source(origin: LeadOrigin, at: datetime) -> Source:
    return Source.objects.create(
        id=uuid7_at(at),
        adapter=origin.adapter,
        name=origin.name,
        slug=origin.slug,
        allowed_origins=[WEBSITE],
        secret=secrets.token_urlsafe(32),
        cost_cents=origin.cost_cents,
        created_at=at,
        launched_at=at,
    )


def create_vendor_source(
    adapter: str, name: str, slug: str, at: datetime, **columns: object
) -> Source:
    """Create a source at a vendor, with its own secret URL."""
    token = secrets.token_urlsafe(24)
    return Source.objects.create(
        id=uuid7_at(at),
        adapter=adapter,
        name=name,
        slug=slug,
        token=token,
        token_hash=hash_token(token),
        created_at=at,
        launched_at=at,
        **columns,
    )


def create_source_terms(
    source: Source, reviewer: User | None, at: datetime, **changes: object
) -> None:
    """Create the reviewed terms that a source's consumers agree to."""
    SourceTerms.objects.create(
        source=source,
        from_date=LICENSED_FROM,
        names_us=True,
        seller_snapshot=BRAND,
        reviewed_by=reviewer,
        reviewed_at=at,
        **changes,
    )


def _create_los_connection(officers: dict[str, LoanOfficer]) -> None:
    logins = {officer.last: officer.login for officer in demo_staff.OFFICERS}
    Connection.objects.create(
        los="encompass",
        name="Encompass",
        slug="encompass",
        base_url="http://127.0.0.1:9101",
        instance="TEBE00000001",
        folder="Prospects",
        officer_users={officer.nmls_id: logins[last] for last, officer in officers.items()},
        credentials=json.dumps(
            {
                "client_id": "enc-client",
                "client_secret": "enc-secret",
                "user": "svc_rooftree",
                "password": "svc-secret",
            }
        ),
        webhook_keys=json.dumps([LOS_SIGNING_KEY]),
    )
