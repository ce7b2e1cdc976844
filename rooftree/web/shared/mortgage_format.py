"""Template filters and tags in the formats of the trade; built into every template."""

from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from rooftree.compliance.consent import store_consents
from rooftree.compliance.gate import telemarketing_records
from rooftree.compliance.models import Consent
from rooftree.los.loan_milestones import milestone_label
from rooftree.outreach.models import Message
from rooftree.reporting.evidence import chronology_lines
from rooftree.routing.permissions import has_permission
from rooftree.web.shared import display_formats
from rooftree.web.shared.contact_status import ContactStatus

register = template.Library()
RECENT = timedelta(days=6)
RECORD_PERMISSIONS = {
    "delivery": "see_sources",
    "source": "see_sources",
}  # other records: whoever sees them

for _plain in (
    display_formats.money,
    display_formats.money_exact,
    display_formats.money_short,
    display_formats.rate,
    display_formats.phone,
    display_formats.duration,
    display_formats.points,
    display_formats.initials,
):
    register.filter(_plain.__name__, _plain)


@register.simple_tag
@cache
def icon(name: str, size: str = "", kind: str = "") -> SafeString:
    """One symbol of icons.svg; `s` is 14 px for badges. Hidden from screen readers."""
    return format_html(
        '<svg class="icon{}{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        " icon--s" if size == "s" else "",
        f" {kind}" if kind else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
@lru_cache(maxsize=1024)
def contact_status_icon(one: ContactStatus) -> SafeString:
    """What the gate says of one medium; most rows of a queue have the same few."""
    return format_html(
        '<span class="medium{}" role="img" aria-label="{}" title="{}">{}</span>',
        "" if one.kind == "quiet" else f" medium--{one.kind}",
        one.sentence,
        one.sentence,
        icon(one.icon),
    )


@register.filter
def purpose(lead: Any) -> str:
    """What a lead wants, in words."""
    return display_formats.purpose(lead.purpose, lead.loan_type)


@register.filter
def property_place(lead: Any) -> str:
    """Where a lead's property is."""
    return display_formats.city_and_state(
        lead.property_city, lead.property_state, lead.property_zip
    )


@register.filter
def property_town(lead: Any) -> str:
    """The same without the ZIP code, for lists."""
    return display_formats.city_and_state(lead.property_city, lead.property_state)


@register.filter
def product(code: str) -> str:
    """A loan product in words."""
    return display_formats.PRODUCT_LABELS.get(code, code)


@register.filter
def language(code: str) -> str:
    """A language in words."""
    return display_formats.LANGUAGE_LABELS.get(code, code)


@register.filter
def lead_state(code: str) -> str:
    """A lead's state in words."""
    return display_formats.LEAD_STATE_LABELS.get(code, code)


@register.filter
def media_list(codes: list[str]) -> str:
    """Ways of contact in words."""
    return chronology_lines.join_media(codes)


CONSENT_PART_LABELS = {
    "name": "their name",
    "request_copy": "the wording they saw",
    "consent_copy": "what they sent",
    "date": "when they agreed",
}


@register.filter
def missing_consent_parts(consent: Consent) -> str:
    """What the record of a permission for a number lacks, in words."""
    if consent.status != "granted" or "@" in consent.address:
        return ""
    missing = telemarketing_records.missing_fields(
        "consent", store_consents.recorded_fields(consent)
    )
    return ", ".join(
        CONSENT_PART_LABELS.get(missing_field, missing_field) for missing_field in missing
    )


@register.filter
def code_as_words(code: str) -> str:
    """A name of the record as words."""
    return code.replace("_", " ")


@register.filter
def medium_icon(medium: str) -> str:
    """The icon of a medium."""
    return {"email": "mail", "call": "phone", "voicemail": "phone"}.get(medium, "text")


@register.filter
def message_state(message: Message) -> str:
    """What is known of a message of ours; never more than that."""
    return display_formats.MESSAGE_STATE_LABELS.get(message.state, message.state)


@register.filter
def milestone(code: str) -> str:
    """A milestone's code in words."""
    return milestone_label(code)


@register.filter
def day_heading(moment: datetime, at: datetime) -> str:
    """The day a moment belongs to, as a heading."""
    return display_formats.day_heading(localtime(moment), localtime(at))


@register.simple_tag
def share(part: int, whole: int, of: str = "") -> str:
    """A share with its denominator."""
    return display_formats.share_of_total(part, whole, of)


@register.simple_tag(takes_context=True)
def ago(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """How long since a moment, with the moment itself for machines and on hovering."""
    return _render_time(context, moment, display_formats.time_ago)


@register.simple_tag(takes_context=True)
def when(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """A moment, with its day as far as needed."""
    return _render_time(context, moment, display_formats.date_and_time)


@register.simple_tag(takes_context=True)
def exact_time(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """A moment with its seconds, for decisions and messages."""
    return _render_time(
        context, moment, lambda then, _: display_formats.clock_time_with_seconds(then)
    )


@register.simple_tag(takes_context=True)
def timeline_time(context: dict[str, Any], moment: datetime) -> SafeString | str:
    """For lists under day headings: with seconds this week, the day as well when long ago."""
    if abs(context["at"] - moment) < RECENT:
        return _render_time(
            context, moment, lambda then, _: display_formats.clock_time_with_seconds(then)
        )
    return _render_time(context, moment, display_formats.date_and_time)


@register.simple_tag(takes_context=True)
def borrower_time(context: dict[str, Any], zone: ZoneInfo) -> str:
    """What the clock says in the borrower's zone."""
    there = localtime(context["at"], zone)
    return f"{display_formats.clock_time(there)} {there:%Z}"


@register.simple_tag(takes_context=True)
def record_link(context: dict[str, Any], label: str, kind: str, key: UUID) -> SafeString:
    """A link to the page of one record; nothing for whom that page does not open."""
    verb = RECORD_PERMISSIONS.get(kind)
    if verb and not has_permission(context["request"].user, verb):
        return SafeString("")
    return format_html('<a href="{}">{}</a>', reverse(kind, args=[key]), label)


@register.inclusion_tag("_countdown.html", takes_context=True)
def countdown(
    context: dict[str, Any], due_at: datetime, from_at: datetime | None = None, label: str = ""
) -> dict[str, Any]:
    """The promise clock: its ring drains from `from_at` to `due_at`, then counts up."""
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
    """This page's address with some parameters changed; an empty value drops one."""
    asked = context["request"].GET.copy()
    for key, value in changes.items():
        asked.pop(key, None)
        if value not in ("", None):
            asked[key] = str(value)
    return f"?{asked.urlencode()}"


@register.simple_tag
def htmx_settings() -> SafeString:
    """Ours for htmx: its own style sheet off, refusals shown by the fragments we send."""
    return format_html(
        '<meta name="htmx-config" content="{}">',
        "includeIndicatorCSS:false,history:false,defaultTimeout:20000",
    )


@register.simple_tag
def is_demo() -> bool:
    """Whether this installation is a made-up company."""
    return bool(settings.IS_DEMO)


def _render_time(context: dict[str, Any], moment: datetime | None, say: Any) -> SafeString | str:
    if moment is None:
        return "unknown"
    then, at = localtime(moment), localtime(context["at"])
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        then.isoformat(timespec="seconds"),
        f"{then:%b} {then.day}, {then.year}, {display_formats.clock_time_with_seconds(then)} {then:%Z}",
        say(then, at),
    )
