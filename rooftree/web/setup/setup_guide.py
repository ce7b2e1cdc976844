"""The go-live list: the steps from an empty installation to real leads, and their state."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse

from rooftree.compliance.do_not_call import load_list, loaded_lists
from rooftree.compliance.gate.telemarketer_registration import REGISTERING_STATES
from rooftree.core.area_codes_and_zones import STATE_NAMES
from rooftree.db.statements import query_row
from rooftree.leads.models import Source
from rooftree.los.models import Connection
from rooftree.org import mail_setup, shadow_mode
from rooftree.org.carrier_account import read_carrier_status
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
from rooftree.web.setup import go_live_steps, integration_steps
from rooftree.web.setup.guide_step import GuideStep, StepGroup
from rooftree.web.shared.display_formats import count_noun

ENDS_SOON = timedelta(days=30)
USERS_STEP, LICENSES_STEP = "Add users", "Check licenses"
LISTS_STEP, REGISTRATION_STEP = "Load do-not-call lists", "Confirm telemarketer registration"
SOURCES_STEP, LOS_STEP = "Add a source", "Connect the LOS"
EMAIL_STEP = "Connect email"


def build_groups(today: date, at: datetime) -> list[StepGroup]:
    """Return all steps in order, grouped."""
    company = Company.objects.select_related("alarm_user").first()
    states = set(CompanyLicense.objects.filter(_is_in_force(today)).values_list("state", flat=True))
    steps_by_title = {
        "Company": [
            _company_step(company),
            _branches_step(),
            _alarm_step(company),
            go_live_steps.address_step(),
        ],
        "People": [
            _users_step(),
            _licenses_step(company, states, today, at),
            go_live_steps.second_administrator_step(),
        ],
        "Sources": [
            _sources_step(),
            go_live_steps.audit_step(),
            go_live_steps.spend_step(today),
        ],
        "Messages": [
            go_live_steps.templates_step(),
            _lists_step(states, today),
            _registration_step(company, states),
            _carrier_step(company),
            _email_step(),
        ],
        "Routing": [_rules_step()],
        "LOS": [_los_step()],
        "Integrations": integration_steps.list_steps(),
        "Safety": [
            go_live_steps.backup_step(at),
            go_live_steps.test_restore_step(at),
            go_live_steps.ledger_heads_step(),
            go_live_steps.test_lead_step(),
        ],
    }
    return [StepGroup(title=title, steps=steps) for title, steps in steps_by_title.items()]


def list_capabilities(
    groups: list[StepGroup], company: Company | None
) -> list[tuple[str, bool, str]]:
    """Return what works now: (capability, whether it works, what it needs)."""
    done = {step.name: step.is_done for group in groups for step in group.steps}
    carrier = read_carrier_status()
    is_registered = bool(company and company.texting.get("brand_registered"))
    capabilities = [
        ("Receiving leads", done[SOURCES_STEP], "Needs a source"),
        (
            "Routing to licensed officers",
            done[LICENSES_STEP] and done[USERS_STEP],
            "Needs officers and licenses",
        ),
        (
            "Calls",
            done[LISTS_STEP] and done[REGISTRATION_STEP],
            "Needs current do-not-call lists"
            if not done[LISTS_STEP]
            else "Needs telemarketer registration in some of your states",
        ),
        (
            "Texts",
            carrier.is_ready and is_registered,
            "Needs a registered brand" if carrier.is_ready else carrier.sentence,
        ),
        (
            "Email",
            done[EMAIL_STEP],
            "Needs a working mail server, and SPF, DKIM and DMARC for your domain",
        ),
        ("Hand-off to the LOS", done[LOS_STEP], "Needs a connection that passed its go-live check"),
    ]
    if shadow_mode.is_shadow_on():
        stopped = "Shadow mode is on: nothing is sent"
        capabilities[2:] = [(name, False, stopped) for name, _, _ in capabilities[2:]]
    return capabilities


def read_system_status(at: datetime) -> dict[str, Any]:
    """Return the state of the database, the job queue, background services and webhooks."""
    names = (
        *("version", "size", "queued_jobs", "failed_jobs", "mailboxes", "failing_mailboxes"),
        *("checks_numbers", "is_paused", "is_shadow", "lead_posts", "los_webhooks"),
    )
    values = query_row(
        "select split_part(current_setting('server_version'), ' ', 1), "
        "pg_size_pretty(pg_database_size(current_database())), "
        "(select count(*) from oban_jobs where state in ('available', 'executing')), "
        "(select count(*) from oban_jobs where state = 'discarded'), "
        "(select count(*) from mailbox where due_at is not null and problem = ''), "
        "(select count(*) from mailbox where due_at is not null and problem <> ''), "
        "exists (select from number_service), "
        "exists (select from sending_pause where released_at is null), "
        "exists (select from shadow_period where ended_at is null), "
        "(select coalesce(sum(of_source.posts), 0) from source s, lateral (select count(*) as posts"
        " from delivery d where d.source_id = s.id and d.received_at > %(since)s"
        " and d.remote_addr is not null) of_source), "
        "(select count(*) from los_event where received_at > %(since)s)",
        {"since": at - timedelta(days=1)},
    )
    return dict(zip(names, values, strict=True))


def _company_step(company: Company | None) -> GuideStep:
    description = "Your legal name and address, for disclosures and messages"
    if company:
        kind = "depository" if company.kind == "depository" else "nonbank"
        description = f"{company.legal_name}, NMLS {company.nmls_id}, {kind}"
    return GuideStep(
        name="Enter company details",
        description=description,
        href=reverse("setup_company"),
        is_done=bool(company and company.legal_name and company.postal_address),
    )


def _branches_step() -> GuideStep:
    kinds = list(Branch.objects.values_list("kind", flat=True))
    counts = [
        count_noun(kinds.count(kind), kind, plural)
        for kind, plural in (("region", "regions"), ("branch", "branches"), ("team", "teams"))
        if kind in kinds
    ]
    return GuideStep(
        name="Set up branches",
        description=", ".join(counts) or "Regions, branches and teams decide who sees which leads",
        href=reverse("setup_branches"),
        is_done=bool(kinds),
    )


def _users_step() -> GuideStep:
    officers = LoanOfficer.objects.filter(terminated_at=None).count()
    users = User.objects.staff().filter(is_active=True).count()
    description = "Loan officers with NMLS IDs, hours and caps; other staff with their roles"
    if officers:
        description = f"{count_noun(officers, 'loan officer')}, {count_noun(users, 'user')} in all"
    return GuideStep(
        name=USERS_STEP,
        description=description,
        href=reverse("setup_people"),
        is_done=officers > 0,
    )


def _is_in_force(today: date) -> Q:
    """Return the condition on a license, the company's or an officer's, that it covers today."""
    return Q(from_date__lte=today) & (Q(until_date=None) | Q(until_date__gt=today))


def _licenses_step(
    company: Company | None, states: Collection[str], today: date, at: datetime
) -> GuideStep:
    officer_licenses = License.objects.filter(
        _is_in_force(today), officer__terminated_at=None, status__in=AUTHORIZING_STATUSES
    )
    missing = missing_license_entries(company, at=at) if company else {}
    is_depository = bool(company and company.kind == "depository")
    description = "Officers get no leads in a state without both licenses"
    if is_depository:
        description = "A depository’s officers need no state license"
    elif missing:
        description = next(iter(missing.values()))
    elif officer_licenses.exists() or states:
        officer_count = count_noun(officer_licenses.count(), "officer license")
        description = f"{officer_count}; company licensed in {count_noun(len(states), 'state')}"
        ending = officer_licenses.filter(until_date__lte=today + ENDS_SOON).count()
        if ending:
            description += f"; {ending} {'expires' if ending == 1 else 'expire'} within 30 days"
    return GuideStep(
        name=LICENSES_STEP,
        description=description,
        href=reverse("setup_licenses"),
        is_done=is_depository or (officer_licenses.exists() and bool(states) and not missing),
    )


def _lists_step(states: Collection[str], today: date) -> GuideStep:
    missing = loaded_lists.registries_without_current_copy(states, today=today)
    names = [
        "the national registry" if registry == load_list.NATIONAL else STATE_NAMES[registry]
        for registry in missing
    ]
    description = "All lists that your states need are current"
    if names:
        description = (
            f"Missing: {', '.join(names)}. Without them, few leads can be called or texted"
        )
    return GuideStep(
        name=LISTS_STEP, description=description, href=reverse("dnc_lists"), is_done=not missing
    )


def _registration_step(company: Company | None, states: set[str]) -> GuideStep:
    """Return the step for states where telephone sellers register or document an exemption."""
    registered = company.telemarketer_states if company else []
    registering = states & REGISTERING_STATES
    missing = sorted(registering.difference(registered))
    description = "None of your states requires it"
    if company is None:
        description = "Some states require it before sales calls and texts"
    elif missing:
        description = f"Register, or keep an exemption memo on file, in {', '.join(missing)}"
    elif registering:
        description = ", ".join(sorted(registering))
    return GuideStep(
        name=REGISTRATION_STEP,
        description=description,
        href=f"{reverse('setup_company')}#telemarketer_states",
        is_done=company is not None and not missing,
    )


def _alarm_step(company: Company | None) -> GuideStep:
    alarm_user = company.alarm_user if company else None
    return GuideStep(
        name="Choose who gets unaccepted leads",
        description=alarm_user.name if alarm_user else "We call this person if no one accepts",
        href=f"{reverse('setup_company')}#alarm_user_id",
        is_done=alarm_user is not None,
    )


def _sources_step() -> GuideStep:
    names = list(Source.objects.order_by("name").values_list("name", flat=True)[:4])
    description = "Zillow, LendingTree or your own form: each gets its own post address"
    if names:
        description = ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
    return GuideStep(
        name=SOURCES_STEP,
        description=description,
        href=reverse("setup_sources"),
        is_done=bool(names),
    )


def _rules_step() -> GuideStep:
    newest = RuleSet.objects.select_related("published_by").order_by("-number").first()
    description = "No rules yet: leads go round robin to licensed, available officers"
    is_published = False
    if newest and newest.published_by:
        is_published = True
        description = f"v{newest.number}, published by {newest.published_by.name}"
    return GuideStep(
        name="Publish routing rules",
        description=description,
        href=reverse("routing"),
        is_done=is_published,
        is_needed=False,
    )


def _carrier_step(company: Company | None) -> GuideStep:
    carrier = read_carrier_status()
    description = carrier.sentence
    if carrier.is_ready:
        is_registered = company and company.texting.get("brand_registered")
        brand = (
            "; the brand is registered" if is_registered else ". Confirm your brand registration"
        )
        description += brand
    return GuideStep(
        name="Connect texts and calls",
        description=description,
        href=reverse("setup_carrier"),
        is_done=carrier.is_ready,
    )


def _email_step() -> GuideStep:
    state = mail_setup.read_state()
    is_done = state.works and state.is_authenticated
    return GuideStep(
        name=EMAIL_STEP,
        description=f"{state.server.sender_address}, {state.description}"
        if is_done
        else state.next_step,
        href=reverse("setup_mail"),
        is_done=is_done,
    )


def _los_step() -> GuideStep:
    los = Connection.objects.exclude(enabled_at=None).first()
    description, is_checked = "Hand off loans and get milestones", False
    if los:
        is_checked = bool(los.checked_at and los.check_report.get("ok"))
        description = f"{los.name}, {los.instance}"
        if not is_checked:
            description += ". On, but its go-live check hasn’t passed"
    return GuideStep(
        name=LOS_STEP,
        description=description,
        href=reverse("setup_connection", args=[los.pk]) if los else reverse("setup_los"),
        is_done=is_checked,
        is_needed=False,
    )
