"""The way from an empty installation to the first lead: which steps are done, which are next."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.urls import reverse

from rooftree.leads.models import Source
from rooftree.los.models import Connection
from rooftree.org.models import (
    AUTHORIZING_STATUSES,
    Branch,
    Company,
    CompanyLicense,
    License,
    LoanOfficer,
    User,
)
from rooftree.outreach.wording.license_disclosures import missing_license_entries
from rooftree.routing.models import RuleSet
from rooftree.web.shared.display_formats import count_noun

ENDS_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStep:
    """One step of the guide."""

    name: str
    description: str  # how it stands, or what it is for
    href: str  # "" where no page can do it
    is_done: bool
    is_needed: bool = True  # False: leads flow without it


def build_steps(today: date, at: datetime) -> list[GuideStep]:
    """Every step in its order."""
    company = Company.objects.select_related("alarm_user").first()
    return [
        _company_step(company),
        _branches_step(),
        _people_step(),
        _licenses_step(company, today, at),
        _alarm_step(company),
        _sources_step(),
        _rules_step(),
        _carrier_step(company),
        _los_step(),
    ]


def list_capabilities(
    listed: list[GuideStep], company: Company | None
) -> list[tuple[str, bool, str]]:
    """What works already: (what, whether, what it needs)."""
    done = {step.name: step.is_done for step in listed}
    texts = settings.CARRIER != "console"
    registered = bool(company and company.texting.get("brand_registered"))
    mail = bool(company and company.mail_is_authenticated)
    return [
        ("Leads are received and kept", done["Add a source"], "need a source"),
        (
            "Routing to licensed officers",
            done["Check licenses"] and done["Bring in people"],
            "needs officers and licenses",
        ),
        (
            "Texts",
            texts and registered,
            "need the carrier and a registered brand" if not texts else "need a registered brand",
        ),
        ("E-mail", mail, "needs SPF, DKIM and DMARC for our domain"),
        ("Hand-off to the LOS", done["Connect the LOS"], "needs a connection"),
    ]


def read_system_status() -> dict[str, Any]:
    """The database behind it, work that gave up, and what else runs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('server_version'), "
            "pg_size_pretty(pg_database_size(current_database())), "
            "(select count(*) from oban_jobs where state in ('available', 'executing')), "
            "(select count(*) from oban_jobs where state = 'discarded'), "
            "(select count(*) from mailbox where due_at is not null), "
            "exists (select from number_service), "
            "exists (select from sending_pause where released_at is null)"
        )
        version, size, waiting, gave_up, mailboxes, is_checked, is_paused = cursor.fetchone()
    return {
        "version": version.split()[0],
        "size": size,
        "waiting": waiting,
        "gave_up": gave_up,
        "mailboxes": mailboxes,
        "is_checked": is_checked,
        "is_paused": is_paused,
    }


def _company_step(company: Company | None) -> GuideStep:
    said = "Who the lender is, as the law and every message name it"
    if company:
        kind = "depository" if company.kind == "depository" else "nonbank"
        said = f"{company.legal_name}, NMLS {company.nmls_id}, {kind}"
    return GuideStep(
        name="Name the company",
        description=said,
        href=reverse("setup_company"),
        is_done=bool(company and company.legal_name and company.postal_address),
    )


def _branches_step() -> GuideStep:
    kinds = list(Branch.objects.values_list("kind", flat=True))
    counted = [
        count_noun(kinds.count(kind), kind, many)
        for kind, many in (("region", "regions"), ("branch", "branches"), ("team", "teams"))
        if kind in kinds
    ]
    return GuideStep(
        name="Draw the branches",
        description=", ".join(counted) or "Regions, branches and teams: who sees which leads",
        href=reverse("setup_branches"),
        is_done=bool(kinds),
    )


def _people_step() -> GuideStep:
    officers = LoanOfficer.objects.filter(terminated_at=None).count()
    staff = User.objects.filter(is_active=True).exclude(role="partner").count()
    said = "Loan officers with their NMLS IDs, hours and caps; everyone else with a role"
    if officers:
        said = f"{count_noun(officers, 'loan officer')}, {count_noun(staff, 'person', 'people')} in all"
    return GuideStep(
        name="Bring in people", description=said, href=reverse("setup_people"), is_done=officers > 0
    )


def _licenses_step(company: Company | None, today: date, at: datetime) -> GuideStep:
    good = Q(from_date__lte=today) & (Q(until_date=None) | Q(until_date__gt=today))
    ours = CompanyLicense.objects.filter(good).values_list("state", flat=True).distinct().count()
    held = License.objects.filter(
        good, officer__terminated_at=None, status__in=AUTHORIZING_STATUSES
    )
    ending = held.filter(until_date__lte=today + ENDS_SOON).count()
    said = "Nobody is offered a lead in a state where either license is missing"
    if held.exists() or ours:
        said = f"{count_noun(held.count(), 'license')} of officers; the company in {count_noun(ours, 'state')}"
        said += f"; {ending} {'ends' if ending == 1 else 'end'} within 30 days" if ending else ""
    missing = missing_license_entries(company, at=at) if company else {}
    if missing:
        said = next(iter(missing.values()))
    is_bank = bool(company and company.kind == "depository")
    return GuideStep(
        name="Check licenses",
        description="A depository’s officers need no state license" if is_bank else said,
        href=reverse("setup_licenses"),
        is_done=is_bank or (held.exists() and ours > 0 and not missing),
    )


def _alarm_step(company: Company | None) -> GuideStep:
    named = company.alarm_user if company else None
    return GuideStep(
        name="Say who is called when nobody answers",
        description=named.name if named else "At the end of every chain stands a person",
        href=f"{reverse('setup_company')}#alarm_user_id",
        is_done=named is not None,
    )


def _sources_step() -> GuideStep:
    names = list(Source.objects.order_by("name").values_list("name", flat=True)[:4])
    return GuideStep(
        name="Add a source",
        description=", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
        if names
        else "Zillow, LendingTree or your own form: each gets its own address",
        href=reverse("setup_sources"),
        is_done=bool(names),
    )


def _rules_step() -> GuideStep:
    newest = RuleSet.objects.select_related("published_by").order_by("-number").first()
    is_ours = bool(newest and newest.published_by)
    said = "Until then every lead goes to whoever is licensed and available, in turn"
    if is_ours:
        said = f"v{newest.number}, published by {newest.published_by.name}"
    return GuideStep(
        name="Publish routing rules", description=said, href=reverse("routing"), is_done=is_ours,
        is_needed=False,
    )  # fmt: skip


def _carrier_step(company: Company | None) -> GuideStep:
    if settings.CARRIER == "console":
        said = "Texts and calls stay on the console; set ROOFTREE_CARRIER to connect one"
    elif company and company.texting.get("brand_registered"):
        said = f"{settings.CARRIER.capitalize()}; the brand is registered"
    else:
        said = f"{settings.CARRIER.capitalize()} is connected; say that the brand is registered"
    return GuideStep(
        name="Connect a carrier",
        description=said,
        href=""
        if settings.CARRIER == "console"
        else f"{reverse('setup_company')}#brand_registered",
        is_done=settings.CARRIER != "console",
        is_needed=False,
    )


def _los_step() -> GuideStep:
    held = Connection.objects.exclude(enabled_at=None).first()
    return GuideStep(
        name="Connect the LOS",
        description=f"{held.name}, {held.instance}" if held else "Hand loans over, and hear of milestones",
        href=reverse("setup_los"),
        is_done=held is not None,
        is_needed=False,
    )
