"""Navigation: each role's pages in order, its start page, and the context of every page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import now

from rooftree.org import shadow_mode, staff_notices
from rooftree.org.models import PARTNER, User
from rooftree.routing.permissions import LANDING_PAGES, has_permission
from rooftree.web.demo import history_progress
from rooftree.web.shared import navigation_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationPage:
    """One destination of the side rail and the tab bar."""

    label: str
    icon: str
    permission: str = "read_lead"  # permission needed to see the link
    short_label: str = ""  # label for the tab bar, if the label is too long
    count: Callable[[User, datetime], navigation_counts.NavigationCount | None] | None = None


page_url = cache(reverse)
PAGES = {  # by URL name
    "queue": NavigationPage(
        label="Queue", icon="queue", permission="see_queue", count=navigation_counts.count_queue
    ),
    "conversations": NavigationPage(
        label="Conversations",
        icon="chat",
        short_label="Inbox",
        count=navigation_counts.count_unread_conversations,
    ),
    "new_lead": NavigationPage(label="New lead", icon="plus", permission="add_lead"),
    "my_tasks": NavigationPage(label="Tasks", icon="check"),
    "pipeline": NavigationPage(label="Pipeline", icon="pipeline"),
    "people": NavigationPage(label="People", icon="user"),
    "team": NavigationPage(label="Team", icon="team", permission="see_team"),
    "matches": NavigationPage(
        label="Possible duplicates",
        icon="user",
        permission="merge_leads",
        short_label="Duplicates",
        count=navigation_counts.count_duplicates,
    ),
    "unknown_texts": NavigationPage(
        label="Unknown numbers",
        icon="chat",
        permission="attach_unknown_texts",
        count=navigation_counts.count_unknown_texts,
    ),
    "home": NavigationPage(label="Home", icon="home", permission="see_home"),
    "reports": NavigationPage(label="Reports", icon="chart", permission="see_reports"),
    "sources": NavigationPage(
        label="Sources",
        icon="sources",
        permission="see_sources",
        count=navigation_counts.count_quarantined_deliveries,
    ),
    "returns": NavigationPage(
        label="Returns",
        icon="undo",
        permission="see_returns",
        count=navigation_counts.count_unsent_returns,
    ),
    "routing": NavigationPage(label="Routing", icon="routing", permission="see_routing"),
    "wording": NavigationPage(
        label="Templates",
        icon="text",
        permission="see_sequences",
        count=navigation_counts.count_wording_approvals,
    ),
    "sequences": NavigationPage(
        label="Sequences",
        icon="sequence",
        permission="see_sequences",
        count=navigation_counts.count_sequence_approvals,
    ),
    "snippets": NavigationPage(label="Snippets", icon="doc", permission="see_snippets"),
    "releases": NavigationPage(label="Campaigns", icon="play", permission="see_releases"),
    "rates": NavigationPage(label="Rates", icon="rates", permission="see_rates"),
    "compliance": NavigationPage(label="Compliance", icon="shield", permission="see_compliance"),
    "fair_lending": NavigationPage(
        label="Fair lending", icon="team", permission="see_fair_lending"
    ),
    "things_of_value": NavigationPage(
        label="RESPA log", icon="text", permission="see_things_of_value"
    ),
    "pay_plans": NavigationPage(label="Pay plans", icon="money", permission="see_pay_plans"),
    "clocks": NavigationPage(
        label="Disclosure deadlines",
        short_label="Deadlines",
        icon="clock",
        permission="see_clocks",
        count=navigation_counts.count_overdue_deadlines,
    ),
    "setup_los": NavigationPage(label="LOS", icon="los", permission="edit_setup"),
    "money": NavigationPage(label="Money", icon="money", permission="see_money"),
    "access_log": NavigationPage(label="Audit log", icon="eye", permission="see_access_log"),
    "controls": NavigationPage(label="Controls", icon="key", permission="see_access_log"),
    "portal": NavigationPage(label="Introductions", icon="user", permission="see_portal"),
    "partners": NavigationPage(label="Partners", icon="user", permission="see_partners"),
    "setup": NavigationPage(label="Setup", icon="setup", permission="edit_setup"),
}

# By role: main pages, the first of which is the start page; then the pages under "More".
# Pages without a URL or without permission are left out; the views check permissions again.
OFFICER_PAGES = (
    ["queue", "conversations", "pipeline", "rates"],
    ["new_lead", "people", "my_tasks", "clocks", "snippets", "reports"],
)
PAGES_BY_ROLE = {
    PARTNER: (["portal"], []),
    "officer": OFFICER_PAGES,
    "assistant": OFFICER_PAGES,
    "manager": (
        ["team", "home", "pipeline", "conversations"],
        [
            *("new_lead", "people", "my_tasks", "clocks", "matches"),
            *("reports", "money", "routing"),
            *("rates", "wording", "sequences", "snippets"),
        ],
    ),
    "operations": (
        ["sources", "routing", "wording", "sequences", "rates"],
        [
            "new_lead",
            "people",
            "my_tasks",
            "snippets",
            "releases",
            "matches",
            "unknown_texts",
            "returns",
            "reports",
            "money",
            "partners",
            "things_of_value",
            "pay_plans",
            "home",
            "team",
            "compliance",
        ],
    ),
    "marketing": (
        ["sources", "wording", "sequences", "rates"],
        ["snippets", "releases", "returns", "reports", "money", "partners", "home", "routing"],
    ),
    "compliance": (
        ["compliance", "clocks", "releases", "wording", "sequences", "sources"],
        [
            "people",
            "my_tasks",
            "fair_lending",
            "things_of_value",
            "pay_plans",
            "partners",
            "access_log",
            "controls",
            "home",
            "reports",
            "routing",
        ],
    ),
    "executive": (
        ["home", "reports", "money", "team", "pipeline"],
        ["sources", "returns", "routing", "compliance"],
    ),
    "administrator": (
        ["setup", "sources", "routing", "wording", "sequences", "setup_los", "compliance"],
        [
            "new_lead",
            "people",
            "clocks",
            "access_log",
            "controls",
            "releases",
            "matches",
            "unknown_texts",
            "returns",
            "reports",
            "money",
            "partners",
            "home",
            "team",
        ],
    ),
}
MAX_UNREAD_SHOWN = 9  # notifications in the bell; the rest are on their page
MAX_TABS = 4  # plus "More"


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationLink:
    """One navigation link as a page shows it."""

    label: str
    short: str
    icon: str
    href: str
    is_current: bool
    count: navigation_counts.NavigationCount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackLink:
    """The way back from a page, and where it leads."""

    label: str
    href: str


def navigation_context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page: navigation, request time and notifications."""
    at = getattr(request, "at", None) or now()
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"at": at}
    match = request.resolver_match
    current = match.url_name if match else ""
    own, closer = (
        SimpleLazyObject(partial(_build_links, names, current, user, at))
        for names in list_page_names(user)
    )
    return {
        "at": at,
        "is_staff": not user.is_partner,
        "own_links": own,
        "closer_links": closer,
        "tabs": SimpleLazyObject(lambda: own[:MAX_TABS]),
        "beyond_tabs": SimpleLazyObject(lambda: own[MAX_TABS:]),
        "is_shadow": SimpleLazyObject(shadow_mode.is_shadow_on),
        "can_end_shadow": has_permission(user, "edit_setup"),
        "has_offers": has_permission(user, "take_offer"),
        "loading": SimpleLazyObject(history_progress.read_progress),
        "unread": (unread := staff_notices.unread_notices(user.pk, limit=MAX_UNREAD_SHOWN + 1))[
            :MAX_UNREAD_SHOWN
        ],
        "unread_count": f"{MAX_UNREAD_SHOWN}+"
        if len(unread) > MAX_UNREAD_SHOWN
        else str(len(unread) or ""),
        "is_fragment": bool(getattr(request, "htmx", False)),
    }


def list_page_names(user: User) -> tuple[list[str], list[str]]:
    """Return the main pages of all the user's roles, and the pages under "More".

    With several roles, the start page of each comes first; then the primary role's pages.
    """
    pages = [PAGES_BY_ROLE[role] for role in user.roles]
    starts = [LANDING_PAGES[role] for role in user.roles] if len(pages) > 1 else []
    own = list(dict.fromkeys([*starts, *(name for main, _ in pages for name in main)]))
    closer = dict.fromkeys(name for _, more in pages for name in more if name not in own)
    return own, list(closer)


def _build_links(
    names: list[str], current: str | None, user: User, at: datetime
) -> list[NavigationLink]:
    """Build the links with their counts; called only by pages that show them."""
    return [
        _build_link(name, current, user, at)
        for name in names
        if has_permission(user, PAGES[name].permission)
    ]


def build_back_link(request: HttpRequest, user: User) -> BackLink:
    """Return the link back to the page of the menu that the user came from, else to their start.

    The page keeps its filters.
    """
    came_from = urlsplit(request.headers.get("Referer", ""))
    try:
        name = resolve(came_from.path).url_name if came_from.netloc == request.get_host() else None
    except Resolver404:
        name = None
    if name in PAGES and has_permission(user, PAGES[name].permission):
        query = f"?{came_from.query}" if came_from.query else ""
        return BackLink(label=PAGES[name].label, href=f"{came_from.path}{query}")
    start = LANDING_PAGES[user.primary_role]
    return BackLink(label=PAGES[start].label, href=page_url(start))


def landing_url(user: User) -> str:
    """Return the URL of the user's start page."""
    return page_url(LANDING_PAGES[user.primary_role])


def _build_link(name: str, current: str | None, user: User, at: datetime) -> NavigationLink:
    page = PAGES[name]
    return NavigationLink(
        label=page.label,
        short=page.short_label or page.label,
        icon=page.icon,
        href=page_url(name),
        is_current=current == name,
        count=page.count(user, at) if page.count else None,
    )
