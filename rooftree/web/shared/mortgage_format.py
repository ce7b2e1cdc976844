"""Template filters and tags for mortgage pages, available in every template."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from rooftree.compliance.consent import store_consents
from rooftree.compliance.gate import telemarketing_records
from rooftree.compliance.models import Consent
from rooftree.flow import call_outcomes
from rooftree.leads.models import ContactAttempt
from rooftree.los.loan_milestones import milestone_label
from rooftree.org.carrier_account import read_carrier_status
from rooftree.outreach.models import Message
from rooftree.reporting.evidence import chronology_lines
from rooftree.routing.permissions import has_permission
from rooftree.web.shared import display_formats
from rooftree.web.shared.contact_status import ContactStatus

register = template.Library()
RECENT = timedelta(days=6)
# Permission needed to link to a kind of record; other kinds need none.
RECORD_PERMISSIONS = {"delivery": "see_sources", "source": "see_sources"}

for formatter in (
    display_formats.money,
    display_formats.money_exact,
    display_formats.money_short,
    display_formats.rate,
    display_formats.phone,
    display_formats.duration,
    display_formats.short_wait,
    display_formats.points,
    display_formats.initials,
):
    register.filter(formatter.__name__, formatter)


@register.simple_tag
@cache
def icon(name: str, size: str = "", kind: str = "") -> SafeString:
    """Render a symbol of icons.svg, hidden from screen readers; size `s` is 14 px for badges."""
    return format_html(
        '<svg class="icon{}{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        " icon--s" if size == "s" else "",
        f" {kind}" if kind else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
@lru_cache(maxsize=1024)
def contact_status_icon(status: ContactStatus) -> SafeString:
    """Render a contact status; cached, because most queue rows share the same few."""
    return format_html(
        '<span class="medium{}" role="img" aria-label="{}" title="{}">{}</span>',
        "" if status.kind == "quiet" else f" medium--{status.kind}",
        status.sentence,
        status.sentence,
        icon(status.icon),
    )


@register.filter
def purpose(lead: Any) -> str:
    """Format a lead's loan purpose."""
    return display_formats.purpose(lead.purpose, lead.loan_type)


@register.filter
def property_place(lead: Any) -> str:
    """Format a lead's property location."""
    return display_formats.city_and_state(
        lead.property_city, lead.property_state, lead.property_zip
    )


@register.filter
def property_town(lead: Any) -> str:
    """Format a lead's property location without the ZIP code, for lists."""
    return display_formats.city_and_state(lead.property_city, lead.property_state)


@register.filter
def product(code: str) -> str:
    """Return the label of a loan product."""
    return display_formats.PRODUCT_LABELS.get(code, code)


@register.filter
def language(code: str) -> str:
    """Return the name of a language."""
    return display_formats.LANGUAGE_LABELS.get(code, code)


@register.filter
def lead_state(code: str) -> str:
    """Return the label of a lead's state."""
    return display_formats.LEAD_STATE_LABELS.get(code, code)


@register.filter
def media_list(codes: list[str]) -> str:
    """Join the names of contact media into a phrase."""
    return chronology_lines.join_media(codes)


CONSENT_PART_LABELS = {
    "name": "the name",
    "request_copy": "the wording shown",
    "consent_copy": "the reply",
    "date": "the date of consent",
}


@register.filter
def missing_consent_parts(consent: Consent) -> str:
    """List what a phone consent's record lacks, as a phrase; "" if it is complete."""
    if consent.status != "granted" or "@" in consent.address:
        return ""
    missing = telemarketing_records.missing_fields(
        "consent", store_consents.recorded_fields(consent)
    )
    return ", ".join(CONSENT_PART_LABELS.get(field, field) for field in missing)


@register.filter
def code_as_words(code: str) -> str:
    """Turn a code such as `told_no` into words."""
    return code.replace("_", " ")


@register.filter
def medium_icon(medium: str) -> str:
    """Return the icon name of a contact medium."""
    return {"email": "mail", "call": "phone", "voicemail": "phone"}.get(medium, "text")


@register.filter
def message_state(message: Message) -> str:
    """Return the label of an outbound message's state, never claiming more than is known."""
    return display_formats.MESSAGE_STATE_LABELS.get(message.state, message.state)


@register.filter
def call_line(call: ContactAttempt) -> str:
    """Describe a call in a conversation: its direction, length and outcome."""
    label = "Borrower called" if call.direction == "in" else "Call"
    length = f", {round(call.seconds / 60) or 1} min" if call.seconds else ""
    result = call_outcomes.RESULTS.get(call.result, "")
    return f"{label}{length}{f' · {result}' if result else ''}"


@register.filter
def milestone(code: str) -> str:
    """Return the label of a loan milestone."""
    return milestone_label(code)


@register.filter
def day_heading(moment: datetime, at: datetime) -> str:
    """Format a moment's day as a heading, in the user's zone."""
    return display_formats.day_heading(localtime(moment), localtime(at))


@register.simple_tag
def share(part: int, whole: int, of: str = "") -> str:
    """Format a share with its denominator."""
    return display_formats.share_of_total(part, whole, of)


@register.simple_tag(takes_context=True)
def ago(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Render how long ago a moment was, with the exact time as tooltip."""
    return _render_time(context, moment, display_formats.time_ago)


@register.simple_tag(takes_context=True)
def when(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Render a moment with only as much date as needed."""
    return _render_time(context, moment, display_formats.date_and_time)


@register.simple_tag(takes_context=True)
def exact_time(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Render a moment with seconds, for decisions and messages."""
    return _render_time(
        context, moment, lambda then, _: display_formats.clock_time_with_seconds(then)
    )


@register.simple_tag(takes_context=True)
def exact_date_time(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Render a moment with its full date and seconds, for proof: `Nov 23, 2026, 3:21:09 PM`."""
    return _render_time(context, moment, lambda then, _: display_formats.full_date_and_time(then))


@register.filter
def proof_value(value: Any) -> str:
    """Format a value of a consent record; a moment is shown in the user's zone."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return "" if value is None else str(value)
    if moment.tzinfo is None:
        return str(value)
    return display_formats.full_date_and_time(localtime(moment))


@register.simple_tag(takes_context=True)
def timeline_time(context: dict[str, Any], moment: datetime) -> SafeString | str:
    """Render a time under day headings: with seconds within six days, else with the date."""
    if abs(context["at"] - moment) < RECENT:
        return _render_time(
            context, moment, lambda then, _: display_formats.clock_time_with_seconds(then)
        )
    return _render_time(context, moment, display_formats.date_and_time)


@register.simple_tag(takes_context=True)
def borrower_time(context: dict[str, Any], zone: ZoneInfo) -> str:
    """Format the time now in the borrower's zone: `3:21 PM EST`."""
    local = localtime(context["at"], zone)
    return f"{display_formats.clock_time(local)} {local:%Z}"


@register.simple_tag(takes_context=True)
def record_link(context: dict[str, Any], label: str, kind: str, key: UUID) -> SafeString:
    """Link to the page of a record; return "" if the user can't open it."""
    permission = RECORD_PERMISSIONS.get(kind)
    if permission and not has_permission(context["request"].user, permission):
        return SafeString("")
    return format_html('<a href="{}">{}</a>', reverse(kind, args=[key]), label)


@register.inclusion_tag("_countdown.html", takes_context=True)
def countdown(
    context: dict[str, Any], due_at: datetime, from_at: datetime | None = None, label: str = ""
) -> dict[str, Any]:
    """Render a countdown: its ring drains from `from_at` to `due_at`, then it counts up.

    Without `from_at` the ring covers the last two minutes. It ticks within ten minutes of `due_at`.
    """
    at = context["at"]
    left = (due_at - at).total_seconds()
    total = max((due_at - from_at).total_seconds(), 1) if from_at else 120
    kind = "late" if left < 0 else "soon" if left <= total / 2 else ""
    return {
        "due_at": due_at,
        "seconds": int(left),
        "total": int(total),
        "kind": kind,
        "ring": max(0, min(100, round(left / total * 100))),
        "words": display_formats.time_left(due_at, at),
        "ticks": abs(left) < 600,
        "label": label,
    }


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """Return this page's query string with parameters changed; an empty value removes one."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        params.pop(key, None)
        if value not in ("", None):
            params[key] = str(value)
    return f"?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def page_href(context: dict[str, Any], page: Page[Any], number: int) -> str:
    """Return the URL of another page of the list that `page` is of."""
    return query(context, **{page.paginator.parameter: number})  # type: ignore[attr-defined]


@register.simple_tag
def htmx_settings() -> SafeString:
    """Render htmx's settings: no style sheet or history of its own, 20-second timeout."""
    return format_html(
        '<meta name="htmx-config" content="{}">',
        "includeIndicatorCSS:false,history:false,defaultTimeout:20000",
    )


@register.simple_tag
def is_demo() -> bool:
    """Return True if this installation is a demo with a fictitious company."""
    return bool(settings.IS_DEMO)


@register.simple_tag
def carrier_problem() -> str:
    """Return why texts and calls may not go out; "" if they can, or in a demo without a carrier."""
    status = read_carrier_status()
    is_console_demo = settings.IS_DEMO and status.carrier == "console"
    return "" if status.is_ready or is_console_demo else status.sentence


def _render_time(
    context: dict[str, Any],
    moment: datetime | None,
    format_time: Callable[[datetime, datetime], str],
) -> SafeString | str:
    if moment is None:
        return "unknown"
    then, at = localtime(moment), localtime(context["at"])
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        then.isoformat(timespec="seconds"),
        f"{then:%b} {then.day}, {then.year}, "
        f"{display_formats.clock_time_with_seconds(then)} {then:%Z}",
        format_time(then, at),
    )
