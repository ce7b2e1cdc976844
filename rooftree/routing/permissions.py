"""The one place that decides what each user can see and do.

Every page, fragment, stream, API call and export loads through
`leads_visible_to` or `officers_visible_to`, and checks `has_permission` before it acts.
"""

from django.db.models import Q, QuerySet

from rooftree.leads.models import Lead
from rooftree.org.models import PARTNER, LoanOfficer, User
from rooftree.routing.models import OPEN_PROMISE, Offer, Promise

DESK_ROLES = ("officer", "assistant")  # what they see depends on their id and role only
COMPANY_OR_BRANCH_ROLES = (
    "manager",
    "operations",
    "marketing",
    "compliance",
    "executive",
    "administrator",
)
_STAFF_ROLES = (*DESK_ROLES, *COMPANY_OR_BRANCH_ROLES)

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
    "see_team": ("manager", "operations", "compliance", "executive", "administrator"),
    "see_home": ("manager", "operations", "marketing", "compliance", "executive", "administrator"),
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
    "see_access_log": ("compliance", "administrator"),
    "edit_api_keys": ("administrator",),
    "export": ("manager", "operations", "compliance", "executive", "administrator"),
}

# Permissions that a role alone does not give: the column of the user's own grant.
GRANTED_PERMISSIONS = {"override_limits": "overrides_limits_from"}

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


def leads_visible_to(user: User) -> QuerySet[Lead]:
    """Return the leads a user can see. Unowned leads are visible to roles above officers.

    Officer: own leads, leads offered to them now, and leads they cover as the backup while a
    promise is open. Assistant: leads of the officers they assist. Other staff: the whole
    company, or the user's branch and all branches below it.
    """
    if not user.is_active:
        return Lead.objects.none()
    if user.role in DESK_ROLES:
        officers = officers_of(user)
        offered = Offer.objects.filter(
            officer__in=officers, accepted_at=None, declined_at=None, expired_at=None
        )
        covered = Promise.objects.filter(OPEN_PROMISE, backup__in=officers)
        return Lead.objects.filter(
            Q(officer__in=officers)
            | Q(pk__in=offered.values("lead_id"))
            | Q(pk__in=covered.values("lead_id"))
        )
    if user.role not in COMPANY_OR_BRANCH_ROLES:
        return Lead.objects.none()
    if user.branch_id is None:
        return Lead.objects.all()
    below = _branch_path(user)
    offered = Offer.objects.filter(
        officer__branch__path__startswith=below, accepted_at=None, declined_at=None, expired_at=None
    )
    return Lead.objects.filter(
        Q(branch__path__startswith=below) | Q(pk__in=offered.values("lead_id"))
    )


def officers_visible_to(user: User) -> QuerySet[LoanOfficer]:
    """Return the officers a user can see: self, those they assist, or those in their branches."""
    if not user.is_active:
        return LoanOfficer.objects.none()
    if user.role in DESK_ROLES:
        return officers_of(user)
    if user.role not in COMPANY_OR_BRANCH_ROLES:
        return LoanOfficer.objects.none()
    if user.branch_id is None:
        return LoanOfficer.objects.all()
    return LoanOfficer.objects.filter(branch__path__startswith=_branch_path(user))


def officers_of(user: User) -> QuerySet[LoanOfficer]:
    """Return the officers whose leads a user works: self, or the officers they assist."""
    if user.role == "officer":
        return LoanOfficer.objects.filter(user=user, terminated_at=None)
    return LoanOfficer.objects.filter(assistants__assistant=user)


def has_permission(user: User, verb: str, thing: Lead | LoanOfficer | None = None) -> bool:
    """Return True if a user has a permission, in general or for one lead or officer.

    Raises `UnknownPermission` for a verb that is not in `ROLES_BY_PERMISSION`.
    """
    if verb not in ROLES_BY_PERMISSION:
        raise UnknownPermission(f"{verb} is not in the permission table.")
    if not user.is_active or user.role not in ROLES_BY_PERMISSION[verb]:
        return False
    if verb in GRANTED_PERMISSIONS and getattr(user, GRANTED_PERMISSIONS[verb]) is None:
        return False
    if isinstance(thing, Lead):
        return leads_visible_to(user).filter(pk=thing.pk).exists()
    if isinstance(thing, LoanOfficer):
        return officers_visible_to(user).filter(pk=thing.pk).exists()
    return True


def users_with_permission(verb: str) -> QuerySet[User]:
    """Return active users who have a permission for the whole company."""
    return User.objects.filter(role__in=ROLES_BY_PERMISSION[verb], branch=None, is_active=True)


def _branch_path(user: User) -> str:
    return user.branch.path if user.branch else "/"
