"""What the cards of the lead page show, made ready for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import localtime

from rooftree.leads.models import Lead
from rooftree.outreach.facts import whereabouts
from rooftree.outreach.may import Badge
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.web import words

BADGE_STATES = {  # decision: (class, icon)
    "allow": ("ok", "check"),
    "defer": ("hold", "moon"),
    "require": ("soon", "user"),
    "block": ("late", "ban"),
    "none": ("", "info"),
}
BUTTONS = {  # medium: (label, icon, key)
    "call": ("Call", "phone", "c"),
    "text": ("Text", "text", "t"),
    "email": ("E-mail", "mail", "e"),
}
RATE_DAYS = timedelta(days=56)
PLOT = (100, 40)  # the box of the little chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One medium: its button, and its badge with the reason."""

    medium: str
    label: str
    icon: str
    key: str
    is_allowed: bool
    words: str
    sentence: str
    next_allowed_at: datetime | None
    kind: str
    badge_icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line of the score: its bar grows from the middle, to the left when it takes away."""

    text: str
    points: str
    x: float
    width: float
    is_against: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rate a borrower waits for, beside the newest one and its last weeks."""

    product: str
    watch: RateWatch | None
    newest: RateObservation | None
    line: str = ""  # SVG path
    goal_y: float = 0
    sentence: str = ""


def contacts(badges: dict[str, Badge], zone: ZoneInfo | None, at: datetime) -> list[Contact]:
    """The three buttons in their order."""
    return [contact(badges[medium], zone, at) for medium in BUTTONS]


def contact(badge: Badge, zone: ZoneInfo | None, at: datetime) -> Contact:
    """One button and its badge. `zone` is the borrower's, None when it is not known for sure."""
    label, icon, key = BUTTONS[badge.medium]
    kind, badge_icon = BADGE_STATES[badge.decision]
    if badge.words.startswith("No consent"):
        kind, badge_icon = "", "info"
    said = badge.words
    if badge.decision == "defer" and badge.next_allowed_at:
        said = f"{said} to {_clock_of(badge.next_allowed_at, zone, at)}"
    return Contact(
        medium=badge.medium,
        label=label,
        icon=icon,
        key=key,
        is_allowed=badge.is_allowed,
        words=said,
        sentence=badge.sentence,
        next_allowed_at=badge.next_allowed_at,
        kind=kind,
        badge_icon=badge_icon,
    )


def _clock_of(moment: datetime, zone: ZoneInfo | None, at: datetime) -> str:
    """`8 AM there`, `Wed 8 AM there`; without their zone `8 AM your time`, by the reader's."""
    here, now = localtime(moment, zone), localtime(at, zone)
    days = (here.date() - now.date()).days
    day = "" if days == 0 else f"{here:%a} " if days < 7 else f"{here:%b} {here.day}, "
    whose = "there" if zone else "your time"
    return f"{day}{words.clock(here).replace(':00 ', ' ')} {whose}"


def zone_of(lead: Lead) -> ZoneInfo | None:
    """The borrower's zone, when every place they may be in shares it."""
    zones = {place.zone for place in whereabouts(lead)}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


def reasons(lead: Lead) -> list[Reason]:
    """The score's reasons, the heaviest first, four at most."""
    found = lead.score_reasons[:4]
    widest = max((abs(one["points"]) for one in found), default=1) or 1
    lines = []
    for one in found:
        points = one["points"]
        width = round(abs(points) / widest * 46, 1)
        lines.append(
            Reason(
                text=one["text"],
                points=words.points(points),
                x=50 if points >= 0 else 50 - width,
                width=width,
                is_against=points < 0,
            )
        )
    return lines


def rates(lead: Lead, at: datetime) -> Rates:
    """The live watch of a lead, or what there would be to watch."""
    live = [one for one in lead.watches.all() if one.ended_at is None]
    watch = max(live, key=lambda one: one.set_at, default=None)
    product = watch.product if watch else _product_of(lead)
    seen = list(
        RateObservation.objects.filter(product=product, observed_at__gt=at - RATE_DAYS)
        .order_by("-observed_at", "-id")
        .only("rate_pct", "apr_pct", "observed_at")[:60]
    )[::-1]
    if len(seen) < 2:
        return Rates(product=product, watch=watch, newest=seen[-1] if seen else None)
    goal = float(watch.target_pct) if watch else float(seen[-1].rate_pct)
    line, goal_y = _plot([float(one.rate_pct) for one in seen], goal)
    target = f", target {words.rate(watch.target_pct)}" if watch else ""
    return Rates(
        product=product,
        watch=watch,
        newest=seen[-1],
        line=line,
        goal_y=goal_y,
        sentence=f"{words.PRODUCTS.get(product, product)}, last 8 weeks: "
        f"{words.rate(seen[0].rate_pct)} to {words.rate(seen[-1].rate_pct)}{target}",
    )


def _plot(values: Sequence[float], goal: float) -> tuple[str, float]:
    low, high = min(*values, goal), max(*values, goal)
    reach = high - low or 1
    width, height = PLOT

    def y(value: float) -> float:
        return round(3 + (high - value) / reach * (height - 6), 1)

    points = (f"{round(n * width / (len(values) - 1), 1)} {y(v)}" for n, v in enumerate(values))
    return "M" + " ".join(points), y(goal)


def _product_of(lead: Lead) -> str:
    return {"fha": "30yr_fha", "va": "30yr_va"}.get(lead.loan_type, "30yr_fixed")
