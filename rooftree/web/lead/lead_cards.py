"""The data behind the lead page's cards: contact buttons, score reasons, rate watch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import localtime

from rooftree.leads.models import Lead
from rooftree.outreach.facts.message_facts import possible_places
from rooftree.outreach.messages.contact_permissions import ContactPermission
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.routing import response_deadline
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
    "email": ("Email", "mail", "e"),
}
OK_LATER = {"call": "OK to call", "text": "OK to text", "email": "OK to email"}
RATE_DAYS = timedelta(days=56)
PLOT = (100, 40)  # width and height of the small chart's view box


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactButton:
    """One contact medium: its button, and its badge with the reason."""

    medium: str
    label: str
    icon: str
    key: str
    is_allowed: bool
    status_text: str
    reason: str
    next_allowed_at: datetime | None
    kind: str
    badge_icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReason:
    """One score reason; its bar starts in the middle and grows left when points are subtracted."""

    text: str
    points: str
    x: float
    width: float
    is_against: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """The borrower's rate watch, with the newest rate and a line of the last weeks."""

    product: str
    watch: RateWatch | None
    newest: RateObservation | None
    line: str = ""  # SVG path
    goal_y: float = 0
    sentence: str = ""


def build_contact_buttons(
    permissions: dict[str, ContactPermission], zone: ZoneInfo | None, at: datetime
) -> list[ContactButton]:
    """Build the Call, Text and Email buttons, in that order."""
    return [build_contact_button(permissions[medium], zone, at) for medium in MEDIUM_BUTTONS]


def build_contact_button(
    permission: ContactPermission, zone: ZoneInfo | None, at: datetime
) -> ContactButton:
    """Build one button and its badge; `zone` is the borrower's, None when it isn't certain."""
    label, icon, key = MEDIUM_BUTTONS[permission.medium]
    kind, badge_icon = BADGE_STYLES[permission.decision]
    if permission.label.startswith("No consent"):
        kind, badge_icon = "", "info"
    text = permission.label
    if permission.decision == "defer" and permission.next_allowed_at:
        text = (
            f"{OK_LATER[permission.medium]} {_opening_time(permission.next_allowed_at, zone, at)}"
        )
    return ContactButton(
        medium=permission.medium,
        label=label,
        icon=icon,
        key=key,
        is_allowed=permission.is_allowed,
        status_text=text,
        reason=permission.sentence,
        next_allowed_at=permission.next_allowed_at,
        kind=kind,
        badge_icon=badge_icon,
    )


def paused_call_text(lead: Lead, zone: ZoneInfo | None, at: datetime) -> str:
    """Format when calls open, if the first call is late and calls are closed now; else ""."""
    opens = response_deadline.first_call_paused_until(lead, at=at)
    return _opening_time(opens, zone, at) if opens else ""


def _opening_time(moment: datetime, zone: ZoneInfo | None, at: datetime) -> str:
    """Format a time as `8 AM EST` or `Wed 8 AM EST`, in the borrower's zone.

    Without a borrower zone it is the user's time: `8 AM your time`.
    """
    local, now = localtime(moment, zone), localtime(at, zone)
    days = (local.date() - now.date()).days
    day = "" if days == 0 else f"{local:%a} " if days < 7 else f"{local:%b} {local.day}, "
    zone_name = f"{local:%Z}" if zone else "your time"
    return f"{day}{display_formats.clock_time(local).replace(':00 ', ' ')} {zone_name}"


def borrower_zone(lead: Lead) -> ZoneInfo | None:
    """Return the borrower's time zone if every place they may be in shares it, else None."""
    zones = {place.zone for place in possible_places(lead)}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


def build_score_reasons(lead: Lead) -> list[ScoreReason]:
    """Build up to four score reasons, largest effect first."""
    reasons = lead.score_reasons[:4]
    largest = max((abs(reason["points"]) for reason in reasons), default=1) or 1
    lines = []
    for reason in reasons:
        points = reason["points"]
        width = round(abs(points) / largest * 46, 1)
        lines.append(
            ScoreReason(
                text=reason["text"],
                points=display_formats.points(points),
                x=50 if points >= 0 else 50 - width,
                width=width,
                is_against=points < 0,
            )
        )
    return lines


def build_rate_card(lead: Lead, at: datetime) -> RateCard:
    """Build the rate card: the live watch, or the product the lead would watch."""
    live = [watch for watch in lead.watches.all() if watch.ended_at is None]
    watch = max(live, key=lambda watch: watch.set_at, default=None)
    default_product = {"fha": "30yr_fha", "va": "30yr_va"}.get(lead.loan_type, "30yr_fixed")
    product = watch.product if watch else default_product
    observations = list(
        RateObservation.objects.filter(product=product, observed_at__gt=at - RATE_DAYS)
        .order_by("-observed_at", "-id")
        .only("rate_pct", "apr_pct", "observed_at")[:60]
    )[::-1]
    newest = observations[-1] if observations else None
    if newest is None or len(observations) < 2:
        return RateCard(product=product, watch=watch, newest=newest)
    goal = float(watch.target_pct if watch else newest.rate_pct)
    line, goal_y = _plot([float(observation.rate_pct) for observation in observations], goal)
    target = f", target {display_formats.rate(watch.target_pct)}" if watch else ""
    return RateCard(
        product=product,
        watch=watch,
        newest=newest,
        line=line,
        goal_y=goal_y,
        sentence=f"{display_formats.PRODUCT_LABELS.get(product, product)}, last 8 weeks: "
        f"{display_formats.rate(observations[0].rate_pct)} to "
        f"{display_formats.rate(newest.rate_pct)}{target}",
    )


def _plot(values: Sequence[float], goal: float) -> tuple[str, float]:
    low, high = min(*values, goal), max(*values, goal)
    span = high - low or 1
    width, height = PLOT

    def y(value: float) -> float:
        return round(3 + (high - value) / span * (height - 6), 1)

    points = (f"{round(n * width / (len(values) - 1), 1)} {y(v)}" for n, v in enumerate(values))
    return "M" + " ".join(points), y(goal)
