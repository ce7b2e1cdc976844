"""The frame of every page: which pages each role sees, in which order, and where it lands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import now

from rooftree.org import notices
from rooftree.org.models import PARTNER, User
from rooftree.routing.visible import LANDING, may
from rooftree.web import counts
from rooftree.web.views import loading


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One destination of the rail and of the tab bar."""

    label: str
    icon: str
    verb: str = "read_lead"  # of routing.visible.MAY: who may not is not shown the link
    short: str = ""  # for the tab bar, where the label is too long
    count: Callable[[User, datetime], counts.Count | None] | None = None


PAGES = {  # by the name of their address
    "queue": Page(label="Queue", icon="queue", verb="see_queue", count=counts.queue),
    "conversations": Page(
        label="Conversations", icon="chat", short="Inbox", count=counts.conversations
    ),
    "my_tasks": Page(label="Tasks", icon="check"),
    "pipeline": Page(label="Pipeline", icon="pipeline"),
    "team": Page(label="Team", icon="team", verb="see_team"),
    "matches": Page(
        label="Same person?", icon="user", verb="merge_leads", short="Same?", count=counts.matches
    ),
    "home": Page(label="Home", icon="home", verb="see_home"),
    "sources": Page(label="Sources", icon="sources", verb="see_sources", count=counts.sources),
    "returns": Page(label="Returns", icon="undo", verb="see_returns", count=counts.returns),
    "routing": Page(label="Routing", icon="routing", verb="see_routing"),
    "wording": Page(label="Wording", icon="text", verb="see_sequences", count=counts.wording),
    "sequences": Page(
        label="Sequences", icon="sequence", verb="see_sequences", count=counts.sequences
    ),
    "releases": Page(label="Releases", icon="play", verb="see_releases"),
    "rates": Page(label="Rates", icon="rates", verb="see_rates"),
    "compliance": Page(label="Compliance", icon="shield", verb="see_compliance", short="Proof"),
    "fair_lending": Page(label="Fair lending", icon="team", verb="see_fair_lending"),
    "things_of_value": Page(label="Things of value", icon="text", verb="see_things_of_value"),
    "pay_plans": Page(label="Pay plans", icon="money", verb="see_pay_plans"),
    "clocks": Page(label="Clocks", icon="clock", verb="see_clocks", count=counts.clocks),
    "los": Page(label="LOS", icon="los", verb="see_los"),
    "money": Page(label="Money", icon="money", verb="see_money"),
    "access_log": Page(label="Access", icon="eye", verb="see_access_log"),
    "controls": Page(label="Controls", icon="key", verb="see_access_log"),
    "portal": Page(label="Introductions", icon="user", verb="see_portal"),
    "partners": Page(label="Partners", icon="user", verb="see_partners"),
    "setup": Page(label="Set-up", icon="setup", verb="edit_setup"),
}

# By role: own pages, the first of which is where the role lands; then the closer look.
# A page without an address, or one the user may not open, is left out; the views check again.
OFFICER = (["queue", "conversations", "pipeline", "rates"], ["my_tasks", "clocks"])
SEEN_BY = {
    PARTNER: (["portal"], []),
    "officer": OFFICER,
    "assistant": OFFICER,
    "manager": (
        ["team", "home", "pipeline", "conversations"],
        ["my_tasks", "clocks", "matches", "routing", "rates", "wording", "sequences"],
    ),
    "operations": (
        ["sources", "routing", "wording", "sequences", "rates", "los"],
        [
            "my_tasks",
            "releases",
            "matches",
            "returns",
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
        ["releases", "returns", "partners", "home", "routing"],
    ),
    "compliance": (
        ["compliance", "clocks", "releases", "wording", "sequences", "sources", "los"],
        [
            "my_tasks",
            "fair_lending",
            "things_of_value",
            "pay_plans",
            "partners",
            "access_log",
            "controls",
            "home",
            "routing",
        ],
    ),
    "executive": (
        ["home", "money", "team", "pipeline"],
        ["sources", "returns", "routing", "compliance"],
    ),
    "administrator": (
        ["setup", "sources", "routing", "wording", "sequences", "los", "compliance"],
        [
            "clocks",
            "access_log",
            "controls",
            "releases",
            "matches",
            "returns",
            "partners",
            "home",
            "team",
        ],
    ),
}
UNREAD = 9  # notices in the bell; the rest is on their page
TABS = 4  # and "More"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry as a page shows it."""

    label: str
    short: str
    icon: str
    href: str
    is_current: bool
    count: counts.Count | None


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the rail, the tab bar, the clock of the page and what to announce."""
    at = getattr(request, "at", None) or now()
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"at": at}
    match = request.resolver_match
    current = match.url_name if match else ""
    own, closer = (
        SimpleLazyObject(partial(_links, names, current, user, at)) for names in SEEN_BY[user.role]
    )
    return {
        "at": at,
        "is_staff": not user.is_partner,
        "own_links": own,
        "closer_links": closer,
        "tabs": SimpleLazyObject(lambda: own[:TABS]),
        "beyond_tabs": SimpleLazyObject(lambda: own[TABS:]),
        "has_offers": may(user, "take_offer"),
        "loading": SimpleLazyObject(loading.unfinished),
        "unread": (unread := notices.unread(user.pk, limit=UNREAD + 1))[:UNREAD],
        "unread_count": f"{UNREAD}+" if len(unread) > UNREAD else str(len(unread) or ""),
        "is_fragment": bool(getattr(request, "htmx", False)),
    }


def _links(names: list[str], current: str, user: User, at: datetime) -> list[Link]:
    """Counted only by a page that shows them: most fragments do not."""
    return [_link(name, current, user, at) for name in names if _is_open(name, user)]


def landing(user: User) -> str:
    """The address of the page that is this user's own."""
    own, closer = SEEN_BY[user.role]
    for name in (LANDING[user.role], *own, *closer):
        address = _address(name)
        if address:
            return address
    return reverse("more")


def _is_open(name: str, user: User) -> bool:
    return bool(_address(name)) and may(user, PAGES[name].verb)


def _link(name: str, current: str | None, user: User, at: datetime) -> Link:
    page = PAGES[name]
    return Link(
        label=page.label,
        short=page.short or page.label,
        icon=page.icon,
        href=_address(name),
        is_current=current == name,
        count=page.count(user, at) if page.count else None,
    )


@cache
def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
