"""What the cards of the lead page show, made ready for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import localtime

from rooftree.leads.models import Lead
from rooftree.outreach.facts.message_facts import possible_places
from rooftree.outreach.messages.contact_permissions import ContactPermission
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.web.shared import display_formats

BADGE_STYLES = {  # decision: (class, icon)
    "allow": ("ok", "check"),
    "defer": ("hold", "moon"),
    "require": ("soon", "user"),
    "block": ("late", "ban"),
    "none": ("", "info"),
}
MEDIUM_BUTTONS = {  # medium: (label, icon, key)
    "call": ("Call", "phone", "c"),
    "text": ("Text", "text", "t"),
    "email": ("E-mail", "mail", "e"),
}
RATE_DAYS = timedelta(days=56)
PLOT = (100, 40)  # the box of the little chart


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactButton:
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
class ScoreReason:
    """One line of the score: its bar grows from the middle, to the left when it takes away."""

    text: str
    points: str
    x: float
    width: float
    is_against: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """The rate a borrower waits for, beside the newest one and its last weeks."""

    product: str
    watch: RateWatch | None
    newest: RateObservation | None
    line: str = ""  # SVG path
    goal_y: float = 0
    sentence: str = ""


def build_contact_buttons(
    badges: dict[str, ContactPermission], zone: ZoneInfo | None, at: datetime
) -> list[ContactButton]:
    """The three buttons in their order."""
    return [build_contact_button(badges[medium], zone, at) for medium in MEDIUM_BUTTONS]


def build_contact_button(
    badge: ContactPermission, zone: ZoneInfo | None, at: datetime
) -> ContactButton:
    """One button and its badge. `zone` is the borrower's, None when it is not known for sure."""
    label, icon, key = MEDIUM_BUTTONS[badge.medium]
    kind, badge_icon = BADGE_STYLES[badge.decision]
    if badge.words.startswith("No consent"):
        kind, badge_icon = "", "info"
    said = badge.words
    if badge.decision == "defer" and badge.next_allowed_at:
        said = f"{said} to {_opening_time(badge.next_allowed_at, zone, at)}"
    return ContactButton(
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


def _opening_time(moment: datetime, zone: ZoneInfo | None, at: datetime) -> str:
    """`8 AM there`, `Wed 8 AM there`; without their zone `8 AM your time`, by the reader's."""
    here, now = localtime(moment, zone), localtime(at, zone)
    days = (here.date() - now.date()).days
    day = "" if days == 0 else f"{here:%a} " if days < 7 else f"{here:%b} {here.day}, "
    whose = "there" if zone else "your time"
    return f"{day}{display_formats.clock_time(here).replace(':00 ', ' ')} {whose}"


def borrower_zone(lead: Lead) -> ZoneInfo | None:
    """The borrower's zone, when every place they may be in shares it."""
    zones = {place.zone for place in possible_places(lead)}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


def build_score_reasons(lead: Lead) -> list[ScoreReason]:
    """The score's reasons, the heaviest first, four at most."""
    found = lead.score_reasons[:4]
    widest = max((abs(score_reason["points"]) for score_reason in found), default=1) or 1
    lines = []
    for score_reason in found:
        points = score_reason["points"]
        width = round(abs(points) / widest * 46, 1)
        lines.append(
            ScoreReason(
                text=score_reason["text"],
                points=display_formats.points(points),
                x=50 if points >= 0 else 50 - width,
                width=width,
                is_against=points < 0,
            )
        )
    return lines


def build_rate_card(lead: Lead, at: datetime) -> RateCard:
    """The live watch of a lead, or what there would be to watch."""
    live = [watch for watch in lead.watches.all() if watch.ended_at is None]
    watch = max(live, key=lambda one: one.set_at, default=None)
    product = watch.product if watch else _default_product(lead)
    seen = list(
        RateObservation.objects.filter(product=product, observed_at__gt=at - RATE_DAYS)
        .order_by("-observed_at", "-id")
        .only("rate_pct", "apr_pct", "observed_at")[:60]
    )[::-1]
    if len(seen) < 2:
        return RateCard(product=product, watch=watch, newest=seen[-1] if seen else None)
    goal = float(watch.target_pct) if watch else float(seen[-1].rate_pct)
    line, goal_y = _plot([float(rate_observation.rate_pct) for rate_observation in seen], goal)
    target = f", target {display_formats.rate(watch.target_pct)}" if watch else ""
    return RateCard(
        product=product,
        watch=watch,
        newest=seen[-1],
        line=line,
        goal_y=goal_y,
        sentence=f"{display_formats.PRODUCT_LABELS.get(product, product)}, last 8 weeks: "
        f"{display_formats.rate(seen[0].rate_pct)} to {display_formats.rate(seen[-1].rate_pct)}{target}",
    )


def _plot(values: Sequence[float], goal: float) -> tuple[str, float]:
    low, high = min(*values, goal), max(*values, goal)
    reach = high - low or 1
    width, height = PLOT

    def y(value: float) -> float:
        return round(3 + (high - value) / reach * (height - 6), 1)

    points = (f"{round(n * width / (len(values) - 1), 1)} {y(v)}" for n, v in enumerate(values))
    return "M" + " ".join(points), y(goal)


def _default_product(lead: Lead) -> str:
    return {"fha": "30yr_fha", "va": "30yr_va"}.get(lead.loan_type, "30yr_fixed")
