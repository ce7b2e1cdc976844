"""Sources: how each is doing, what it delivered, and what was set aside, with replay."""

import json
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.imports import import_staging
from rooftree.capture.intake import (
    flood_limits,
    missed_lead_sweeps,
    receive_delivery,
    source_limits_check,
    vendor_lookups,
)
from rooftree.capture.parsing.target_fields import TARGET_FIELDS
from rooftree.capture.source_setup import baseline, manage_sources
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, RateLimitCount, Source, Touch
from rooftree.org.models import User
from rooftree.reporting.first_screen import source_health
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared import charts, display_formats
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PAGE_SIZE = 50
MAX_REPLAYS = 200  # deliveries that one press replays
MAX_QUARANTINED = 8  # set-aside deliveries on the first page
HEALTH = {  # word: (icon, tone, what is said)
    "well": ("check", "ok", "Well"),
    "set_aside": ("warn", "late", "Set aside"),
    "flooded": ("warn", "late", "Flooded"),
    "silent": ("bell", "late", "Silent"),
    "drifted": ("warn", "soon", "Worse than agreed"),
    "quiet": ("clock", "soon", "Quiet"),
    "audit": ("eye", "", "In audit"),
    "paused": ("moon", "", "Paused"),
    "new": ("clock", "", "No lead yet"),
}
DELIVERY_STATES = {
    "received": ("clock", "soon", "Waiting"),
    "worked": ("check", "ok", "Worked"),
    "quarantined": ("warn", "late", "Set aside"),
    "closed": ("ban", "", "Closed"),
    "duplicate": ("merge", "", "Sent twice"),
}
REFUSED_STATE = ("ban", "soon", "Refused")  # closed, by our limits
REASON_TEXTS = {
    "no_name": "Nobody can be greeted: there is no name in it.",
    "no_contact": "Nobody can be reached: there is no valid number and no valid address in it.",
    "unreadable": "It cannot be read.",
    "malformed": "It cannot be read.",
    "our_fault": "Our program failed on it five times.",
    "several_leads": "One post holds several leads; a post is one lead. Ask for one at a time.",
    "xml_dtd_forbidden": "It is XML with a document type, which is never read.",
    "invalid_xml": "It is not well-formed XML.",
    "invalid_json": "It is not JSON.",
    "unsupported_content_type": "It is a file or a picture, not a form, JSON or XML.",
    "upstream_auth": "The vendor does not let us read the lead: its credentials need a look.",
    "upstream_gone": "The vendor has no such lead any more: it was deleted there, or is hidden.",
    "upstream_rate_limited": "The vendor lets us ask only so often. We go on asking.",
    "upstream_unavailable": "The vendor has not answered for a while. We go on asking.",
    "part_unusable": "Part of this post could not be used; the rest became leads.",
    "superseded": "It came again, and that one was used.",
    "on_file_already": "The person is on file already and was left as they are.",
}


@staff_view("GET")
def list_sources(request: StaffRequest) -> HttpResponse:
    """Health of every source, and what waits for a person."""
    _require_permission(request.user, "see_sources")
    sources = source_health.load_source_health(at=request.at)
    today = source_health.count_received_today(at=request.at)
    floods = flood_limits.recent_floods(request.at)
    aside = (
        visible_deliveries(request.user).filter(state="quarantined").order_by("-received_at", "-id")
    )
    lasts = [source.last_at for source in sources if source.last_at]
    context = {
        "rows": [_health_row(source, floods.get(source.source.pk)) for source in sources],
        "last_at": max(lasts, default=None),
        "today": today,
        "today_total": sum(today.values()),
        "aside": [_delivery_line(visible_delivery) for visible_delivery in aside[:MAX_QUARANTINED]],
        "aside_count": sum(source.quarantined for source in sources),
        "aside_since": min((o.quarantined_since for o in sources if o.quarantined_since), default=None),
        "may_replay": has_permission(request.user, "replay_quarantine"),
        "may_edit": has_permission(request.user, "edit_sources"),
    }
    return render(request, "sources/show.html", context)


@staff_view("GET")
def show_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """What one source delivered, newest first."""
    _require_permission(request.user, "see_sources")
    one = get_object_or_404(Source, pk=source_id)
    state = request.GET.get("state", "")
    said_of = {
        key: said for key, (_, _, said) in (DELIVERY_STATES | {"refused": REFUSED_STATE}).items()
    }
    deliveries = visible_deliveries(request.user).filter(source=one).order_by("-received_at", "-id")
    if state in DELIVERY_STATES:
        deliveries = deliveries.filter(state=state).exclude(outcome="not_accepted")
    elif state == "refused":
        deliveries = deliveries.filter(outcome="not_accepted")
    page = Paginator(deliveries, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "source": one,
        "state": state if state in said_of else "",
        "states": said_of.items(),
        "page": page,
        "deliveries": [_delivery_line(delivery) for delivery in page.object_list],
        "label": manage_sources.adapter_label(one),
        "address": ""
        if one.adapter in import_staging.RECORD_FORMATS
        else "\n".join(manage_sources.source_addresses(one)),
        "terms": one.terms.order_by("-from_date").first(),
        "aside_count": visible_deliveries(request.user)
        .filter(source=one, state="quarantined")
        .count(),
        "flood": flood_limits.recent_floods(request.at).get(one.pk),
        "swept": missed_lead_sweeps.sweep_progress(one),
        "held": baseline.get_baseline(one),
        "may_edit": has_permission(request.user, "edit_sources"),
        "may_see_returns": has_permission(request.user, "see_returns"),
        "may_replay": has_permission(request.user, "replay_quarantine"),
    }
    return render(request, "sources/source.html", context)


@staff_view("GET")
def show_delivery(request: StaffRequest, delivery_id: UUID) -> HttpResponse:
    """The bytes as they came, masked, beside what today's adapter makes of them."""
    _require_permission(request.user, "see_sources")
    one = _get_delivery(request.user, delivery_id)
    envelope = (
        receive_delivery.reread_delivery(one).to_json()
        if one.source.adapter in receive_delivery.SOURCES
        else {}
    )
    seen = leads_visible_to(request.user)
    context = {
        "delivery": one,
        "said": _delivery_line(one),
        "headers": sorted(one.headers.items()),
        "body": bytes(one.body).decode("utf-8", "backslashreplace"),
        "size": len(one.body),
        "retrieved": vendor_lookups.readable_lookups(one),
        "envelope": envelope,
        "why": reason_text(envelope.get("reason", "")),
        "leads": [_format_json(lead) for lead in envelope.get("leads", [])],
        "touches": Touch.objects.filter(delivery=one, lead__in=seen).select_related(
            "lead__person", "claim"
        ),
        "may_ask_back": has_permission(request.user, "work_returns"),
        "may_replay": has_permission(request.user, "replay_quarantine")
        and one.state in REPLAYABLE_STATES,
        "hears_why": source_limits_check.rejection_answer_for(one.source) is not None,
    }
    return render(request, "sources/delivery.html", context)


REPLAYABLE_STATES = ("quarantined", "closed")


@staff_view("POST")
def replay_delivery(request: StaffRequest, delivery_id: UUID) -> HttpResponse:
    """Read one delivery again, and work on it if it can be used now."""
    _require_permission(request.user, "replay_quarantine")
    one = _get_delivery(request.user, delivery_id)
    after = lead_arrival.replay_delivery(delivery_id=one.pk, by=request.user.pk, at=request.at)
    return respond_done(request, _replay_message(after), back_to=reverse("delivery", args=[one.pk]))


@staff_view("POST")
def replay_quarantined(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Read everything of a source that was set aside again, oldest first."""
    _require_permission(request.user, "replay_quarantine")
    one = get_object_or_404(Source, pk=source_id)
    aside = visible_deliveries(request.user).filter(source=one, state="quarantined")
    ids = list(aside.order_by("received_at").values_list("pk", flat=True)[:MAX_REPLAYS])
    after = [
        lead_arrival.replay_delivery(delivery_id=i, by=request.user.pk, at=request.at) for i in ids
    ]
    taken = sum(delivery.state == "received" for delivery in after)
    left = len(after) - taken
    said = f"{display_formats.count_noun(taken, 'delivery', 'deliveries')} can be used now"
    said += f", {left} still cannot" if left else ""
    return respond_done(request, f"{said}.", back_to=reverse("source", args=[one.pk]))


def _require_permission(user: User, verb: str) -> None:
    if not has_permission(user, verb):
        raise PermissionDenied


def visible_deliveries(user: User) -> Any:
    """What a user may read of deliveries: all of them, or those that became leads they may see."""
    deliveries = Delivery.objects.select_related("source")
    if user.branch_id is None:
        return deliveries
    return deliveries.filter(
        pk__in=Touch.objects.filter(lead__in=leads_visible_to(user)).values("delivery")
    )


def _get_delivery(user: User, delivery_id: UUID) -> Delivery:
    found = visible_deliveries(user).filter(pk=delivery_id).first()
    if found is None:
        raise Http404
    return found


def _health_row(one: source_health.SourceHealth, over: RateLimitCount | None) -> dict[str, Any]:
    is_flooded = over is not None and one.status in ("well", "quiet", "new")
    icon, tone, said = HEALTH["flooded" if is_flooded else one.status]
    usual = "too new to say"
    if one.usual_range:
        low, high = one.usual_range
        usual = f"{low}" if low == high else f"{low}–{high}"
    return {
        "health": one,
        "icon": icon,
        "tone": tone,
        "said": said,
        "usual": usual,
        "flood": over,
        "spark": charts.sparkline_path(one.days),
        "fortnight": sum(one.days),
    }


def _delivery_line(one: Delivery) -> dict[str, Any]:
    is_refused = one.outcome == "not_accepted"
    icon, tone, said = REFUSED_STATE if is_refused else DELIVERY_STATES[one.state]
    return {
        "delivery": one,
        "icon": icon,
        "tone": tone,
        "said": said,
        "is_refused": is_refused,
        "why": one.problem if is_refused else _delivery_reason(one),
        "warnings": [warning.replace("_", " ") for warning in one.warnings],
    }


def _delivery_reason(one: Delivery) -> str:
    return reason_text(one.reason) or one.outcome.replace("_", " ").capitalize()


def _replay_message(after: Delivery) -> str:
    if after.state == "received":
        return "It can be used now; its lead is on the way."
    if after.state == "worked":
        return "It was worked before; nothing changed."
    return f"It still cannot be used. {reason_text(after.reason)}"


def reason_text(reason: str) -> str:
    """A machine's reason as a sentence."""
    kind, _, field = reason.partition(":")
    if kind == "required_missing" and field in TARGET_FIELDS:
        return f"The field map asks for “{TARGET_FIELDS[field].label}”, and it is not in here."
    return REASON_TEXTS.get(reason, reason.replace("_", " ").capitalize())


def _format_json(lead: dict[str, Any]) -> str:
    return json.dumps(lead, indent=2, ensure_ascii=False)
