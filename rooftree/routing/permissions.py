"""The one place that decides what each user can see and do.

Every page, fragment, stream, API call and export loads through
`leads_visible_to` or `officers_visible_to`, and checks `has_permission` before it acts.

A user with several roles has what each of them gives, and no more: a role's permission holds for
the leads that this role sees. An executive who is also a loan officer reads every lead and
contacts their own.
"""

from typing import Any

from django.db.models import Q, QuerySet

from rooftree.leads.models import Lead
from rooftree.org.models import DESK_ROLES, PARTNER, LoanOfficer, User
from rooftree.routing.models import OPEN_PROMISE, Offer, Promise

COMPANY_OR_BRANCH_ROLES = (
    "manager",
    "operations",
    "marketing",
    "compliance",
    "executive",
    "administrator",
)
_STAFF_ROLES = (*DESK_ROLES, *COMPANY_OR_BRANCH_ROLES)
_TEAM_ROLES = ("manager", "operations", "compliance", "executive", "administrator")

# The roles that have each permission. A role not listed does not have it.
#                          officer assistant manager operations marketing compliance exec admin
ROLES_BY_PERMISSION: dict[str, tuple[str, ...]] = {
    "read_lead": _STAFF_ROLES,
    "contact_lead": ("officer", "assistant", "manager"),
    "change_lead": ("officer", "assistant", "manager", "operations", "administrator"),
    "add_lead": ("officer", "assistant", "manager", "operations", "administrator"),
    # Only for users whom the administrator lets (`GRANTED_PERMISSIONS`).
    "override_limits": ("officer", "assistant", "manager"),
    "take_offer": ("officer",),
    "claim_lead": ("officer",),
    "hand_off": ("officer", "assistant", "manager"),
    "reassign": ("manager", "operations", "administrator"),
    "release": ("officer", "manager", "operations", "administrator"),
    "merge_leads": ("manager", "operations", "administrator"),
    # Of the whole company: nobody knows the branch of an unknown number.
    "attach_unknown_texts": ("operations", "administrator"),
    "watch_rate": ("officer", "assistant", "manager"),
    "set_availability": ("officer", "manager", "administrator"),
    "see_queue": ("officer", "assistant"),
    "see_officer_day": (*DESK_ROLES, *_TEAM_ROLES),
    "see_team": _TEAM_ROLES,
    "approve_call_hour": ("manager", "compliance"),  # of a call by somebody else
    "see_home": ("manager", "operations", "marketing", "compliance", "executive", "administrator"),
    # Officers see reports of their own leads, without revenue.
    "see_reports": (
        *("officer", "manager", "operations", "marketing"),
        *("compliance", "executive", "administrator"),
    ),
    "see_money": ("manager", "operations", "marketing", "executive", "administrator"),
    "book_money": ("operations", "marketing", "administrator"),
    # Where no LOS reports it: fundings and their revenue.
    "record_funding": ("officer", "manager", "operations", "administrator"),
    "see_sources": ("operations", "marketing", "compliance", "executive", "administrator"),
    "edit_sources": ("operations", "marketing", "administrator"),
    "replay_quarantine": ("operations", "administrator"),
    "see_returns": ("operations", "marketing", "executive", "administrator"),
    "work_returns": ("operations", "marketing", "administrator"),
    # Partners and the RESPA log. Only partners have `see_portal`; no staff member has it.
    "see_portal": (PARTNER,),
    "see_partners": ("operations", "marketing", "compliance", "administrator"),
    "edit_partners": ("operations", "marketing", "administrator"),
    "note_value": ("operations", "marketing", "compliance", "administrator"),
    "see_routing": ("manager", "operations", "compliance", "executive", "administrator"),
    "edit_routing": ("operations", "administrator"),
    "see_rates": _STAFF_ROLES,
    "record_rates": ("operations", "marketing", "administrator"),
    "see_sequences": ("manager", "operations", "marketing", "compliance", "administrator"),
    "edit_sequences": ("operations", "marketing", "administrator"),
    "approve_wording": ("compliance", "administrator"),
    "see_snippets": (
        *("officer", "assistant", "manager"),
        *("operations", "marketing", "compliance", "administrator"),
    ),
    "see_releases": ("operations", "marketing", "compliance", "administrator"),
    "make_release": ("operations", "marketing"),
    "approve_release": ("marketing", "compliance", "administrator"),
    "stop_release": ("operations", "marketing", "compliance", "administrator"),
    "see_compliance": ("compliance", "administrator"),
    "stop_sending": ("compliance", "administrator"),
    "release_hold": ("compliance", "administrator"),
    "see_clocks": ("officer", "assistant", "manager", "compliance", "administrator"),
    "close_clock": ("compliance", "administrator"),
    "record_basis": ("compliance", "administrator"),
    "review_terms": ("compliance", "administrator"),
    "record_emergencies": ("compliance", "administrator"),
    "record_calls": ("compliance", "administrator"),
    "change_rules": ("compliance",),  # to propose a change, and to approve one by someone else
    "load_lists": ("compliance", "administrator"),
    "make_evidence": ("compliance", "administrator"),
    "see_keeping": ("compliance", "administrator"),  # counts; `keep_records` shows names
    "keep_records": ("compliance",),
    "approve_export": ("compliance", "administrator"),
    "decide_message": ("compliance", "administrator"),
    # Fair lending, the RESPA log and pay plans; managers and administrators have no part in them.
    "see_fair_lending": ("compliance",),
    "conclude_findings": ("compliance",),
    "see_things_of_value": ("operations", "compliance"),
    "enter_agreements": ("operations", "compliance"),
    "approve_agreements": ("compliance",),
    "see_pay_plans": ("operations", "compliance"),
    "write_pay_plans": ("operations", "compliance"),
    "approve_pay_plans": ("compliance",),
    # Anyone who hears "stop" must be able to record it: it only ever blocks contact.
    "revoke_consent": (
        "officer",
        "assistant",
        "manager",
        "operations",
        "compliance",
        "administrator",
    ),
    "retry_los": ("operations", "administrator"),
    "edit_people": ("administrator",),
    "edit_licenses": ("operations", "compliance", "administrator"),
    "edit_setup": ("administrator",),
    # Of the whole company: what shadow mode would have done.
    "see_shadow_report": ("operations", "compliance", "executive", "administrator"),
    "see_access_log": ("compliance", "administrator"),
    "edit_api_keys": ("administrator",),
    "export": ("manager", "operations", "compliance", "executive", "administrator"),
}

# Permissions that a role alone does not give: the column of the user's own grant.
GRANTED_PERMISSIONS = {"override_limits": "overrides_limits_from"}

# Acts on the whole company, or pages that show all of it: a user limited to a branch has none.
COMPANY_PERMISSIONS = frozenset(
    {
        *("edit_people", "edit_setup", "edit_api_keys", "edit_licenses", "edit_routing"),
        *("edit_sources", "edit_partners", "edit_sequences", "record_rates", "retry_los"),
        *("see_access_log", "stop_sending", "change_rules", "load_lists", "make_evidence"),
        *("see_keeping", "keep_records", "approve_export", "review_terms", "record_emergencies"),
        *("approve_wording", "make_release", "approve_release", "stop_release"),
        *("see_fair_lending", "conclude_findings", "see_shadow_report"),
        *("attach_unknown_texts", "replay_quarantine", "release_hold", "note_value"),
        *("see_partners", "see_things_of_value", "enter_agreements", "approve_agreements"),
    }
)

LANDING_PAGES = {  # the page each role lands on after signing in
    PARTNER: "portal",
    "officer": "queue",
    "assistant": "queue",
    "manager": "team",
    "operations": "routing",
    "marketing": "sources",
    "compliance": "compliance",
    "executive": "home",
    "administrator": "setup",
}


class UnknownPermission(Exception):
    """A permission that is not in the table: a bug in the page."""


def leads_visible_to(user: User, verb: str = "read_lead") -> QuerySet[Lead]:
    """Return the leads a user can see, or those for which their roles give a permission.

    Officer: own leads, leads offered to them now, and leads they cover as the backup while a
    promise is open. Assistant: leads of the officers they assist. Other staff: the whole
    company, or the user's branch and all branches below it; unowned leads too.
    """
    roles = _roles_with(user, verb)
    is_visible = Q(pk__in=[])
    if roles & {*DESK_ROLES}:
        officers = officers_of(user, verb)
        covered = Promise.objects.filter(OPEN_PROMISE, backup__in=officers)
        is_visible |= (
            Q(officer__in=officers)
            | Q(pk__in=_offered_lead_ids(officer__in=officers))
            | Q(pk__in=covered.values("lead_id"))
        )
    if roles & {*COMPANY_OR_BRANCH_ROLES}:
        if user.branch is None:
            return Lead.objects.all()
        below = user.branch.path
        is_visible |= Q(branch__path__startswith=below) | Q(
            pk__in=_offered_lead_ids(officer__branch__path__startswith=below)
        )
    return Lead.objects.filter(is_visible)


def officers_visible_to(user: User, verb: str = "read_lead") -> QuerySet[LoanOfficer]:
    """Return the officers a user can see: self, those they assist, or those in their branches.

    With a verb, those for whom the user's roles give this permission.
    """
    if not _roles_with(user, verb) & {*COMPANY_OR_BRANCH_ROLES}:
        return officers_of(user, verb)
    if user.branch is None:
        return LoanOfficer.objects.all()
    return LoanOfficer.objects.filter(
        Q(branch__path__startswith=user.branch.path) | Q(pk__in=officers_of(user, verb))
    )


def officers_of(user: User, verb: str = "read_lead") -> QuerySet[LoanOfficer]:
    """Return the officers whose leads a user works: self, and the officers they assist."""
    roles = _roles_with(user, verb)
    own = LoanOfficer.objects.filter(user=user, terminated_at=None)
    if "assistant" not in roles:
        return own if "officer" in roles else LoanOfficer.objects.none()
    assisted = LoanOfficer.objects.filter(assistants__assistant=user)
    if "officer" not in roles:
        return assisted
    return LoanOfficer.objects.filter(Q(pk__in=own) | Q(pk__in=assisted))


def has_permission(user: User, verb: str, thing: Lead | LoanOfficer | None = None) -> bool:
    """Return True if a user has a permission, in general or for one lead or officer.

    Raises `UnknownPermission` for a verb that is not in `ROLES_BY_PERMISSION`.
    """
    if isinstance(thing, Lead):
        return leads_visible_to(user, verb).filter(pk=thing.pk).exists()
    if isinstance(thing, LoanOfficer):
        return officers_visible_to(user, verb).filter(pk=thing.pk).exists()
    return bool(_roles_with(user, verb))


def can_act_on(user: User, verb: str, lead: Lead) -> bool:
    """Return True if a user has a permission for a lead that they can see.

    Costs a query only where another role of the user shows the lead.
    """
    roles = _roles_with(user, verb)
    return bool(roles) and (roles == {*user.roles} or has_permission(user, verb, lead))


def has_company_permission(user: User, verb: str) -> bool:
    """Return True if the user has the permission by a role that isn't limited to one branch."""
    return user.branch_id is None and bool(_roles_with(user, verb) & {*COMPANY_OR_BRANCH_ROLES})


def users_with_permission(verb: str) -> QuerySet[User]:
    """Return active users who have a permission for the whole company."""
    return User.objects.with_role(*ROLES_BY_PERMISSION[verb]).filter(branch=None)


def _roles_with(user: User, verb: str) -> set[str]:
    """Return the roles of the user that give a permission."""
    if verb not in ROLES_BY_PERMISSION:
        raise UnknownPermission(f"{verb} is not in the permission table.")
    if not user.is_active or (verb in COMPANY_PERMISSIONS and user.branch_id is not None):
        return set()
    if verb in GRANTED_PERMISSIONS and getattr(user, GRANTED_PERMISSIONS[verb]) is None:
        return set()
    return {*user.roles} & {*ROLES_BY_PERMISSION[verb]}


def _offered_lead_ids(**officers: Any) -> QuerySet[Any]:
    """Return the ids of the leads offered now to the officers that a filter names."""
    offers = Offer.objects.filter(accepted_at=None, declined_at=None, expired_at=None, **officers)
    return offers.values("lead_id")
