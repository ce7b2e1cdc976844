"""Sources: health of each source, its deliveries, and replay of quarantined deliveries."""

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.imports import import_staging
from rooftree.capture.intake import (
    discard_delivery as discards,
)
from rooftree.capture.intake import (
    missed_lead_sweeps,
    receive_delivery,
    source_admission,
    source_limits_check,
    vendor_lookups,
)
from rooftree.capture.parsing.target_fields import TARGET_FIELDS
from rooftree.capture.source_setup import baseline, manage_sources
from rooftree.capture.sources import SOURCES
from rooftree.core.user_errors import UserError
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, RateLimitCount, Source, Touch
from rooftree.org.models import User
from rooftree.reporting.first_screen import source_health
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared import charts, display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import StaffForm, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
MAX_REPLAYS = 200  # deliveries replayed by one click
MAX_QUARANTINED = 8  # quarantined deliveries listed on the overview
HEALTH = {  # status: (icon, tone, label)
    "well": ("check", "ok", "Healthy"),
    "set_aside": ("warn", "late", "Quarantined"),
    "flooded": ("warn", "late", "Over limit"),
    "silent": ("bell", "late", "Silent"),
    "drifted": ("warn", "soon", "Below agreed quality"),
    "quiet": ("clock", "soon", "Quiet"),
    "audit": ("eye", "", "In audit"),
    "paused": ("moon", "", "Paused"),
    "new": ("clock", "", "No leads yet"),
}
DELIVERY_STATES = {  # state: (icon, tone, label)
    "received": ("clock", "soon", "Waiting"),
    "worked": ("check", "ok", "Processed"),
    "quarantined": ("warn", "late", "Quarantined"),
    "closed": ("ban", "", "Closed"),
    "duplicate": ("merge", "", "Duplicate"),
}
REFUSED_STATE = ("ban", "soon", "Refused")  # closed by the source's acceptance rules
REPLAYABLE_STATES = ("quarantined", "closed")
REASON_TEXTS = {
    "no_name": "There is no name.",
    "no_contact": "There is no valid phone number or email address.",
    "unreadable": "The content can’t be read.",
    "malformed": "The content can’t be read.",
    "our_fault": "Rooftree failed to process it five times.",
    "several_leads": "The post holds several leads. Ask the sender to post one lead at a time.",
    "xml_dtd_forbidden": "The XML has a document type (DTD), which Rooftree never reads.",
    "invalid_xml": "The XML isn’t well-formed.",
    "invalid_json": "The JSON isn’t valid.",
    "unsupported_content_type": "It is a file or a picture, not form data, JSON or XML.",
    "upstream_auth": "The vendor refused your credentials. Check them.",
    "upstream_gone": "The vendor no longer has this lead: it was deleted or hidden there.",
    "upstream_rate_limited": "The vendor limits how often you can ask. Rooftree keeps trying.",
    "upstream_unavailable": "The vendor hasn’t answered for a while. Rooftree keeps trying.",
    "part_unusable": "Part of this post couldn’t be used. The rest became leads.",
    "superseded": "It was sent again, and the later delivery was used.",
    "discarded": "Discarded by your team.",
    "on_file_already": "This person is already on file and was left unchanged.",
}


class DiscardForm(StaffForm):
    """The reason to discard a quarantined delivery."""

    reason = text_field("Reason", max_length=300)


@staff_view("GET")
def list_sources(request: StaffRequest) -> HttpResponse:
    """Show the health of every source and the latest quarantined deliveries."""
    require_permission(request.user, "see_sources")
    sources = source_health.load_source_health(at=request.at)
    today = source_health.count_received_today(at=request.at)
    floods = source_admission.recent_floods(request.at)
    quarantined = (
        visible_deliveries(request.user).filter(state="quarantined").order_by("-received_at", "-id")
    )
    last_times = [health.last_at for health in sources if health.last_at]
    quarantine_starts = [health.quarantined_since for health in sources if health.quarantined_since]
    context = {
        "rows": [_health_row(health, floods.get(health.source.pk)) for health in sources],
        "last_at": max(last_times, default=None),
        "today": today,
        "today_total": sum(today.values()),
        "quarantined": [_delivery_line(delivery) for delivery in quarantined[:MAX_QUARANTINED]],
        "quarantined_count": sum(health.quarantined for health in sources),
        "quarantined_since": min(quarantine_starts, default=None),
        "may_replay": has_permission(request.user, "replay_quarantine"),
        "may_edit": has_permission(request.user, "edit_sources"),
    }
    return render(request, "sources/show.html", context)


@staff_view("GET")
def show_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """List the deliveries of one source, newest first."""
    require_permission(request.user, "see_sources")
    source = get_object_or_404(Source, pk=source_id)
    state = request.GET.get("state", "")
    labels = {
        key: label for key, (_, _, label) in (DELIVERY_STATES | {"refused": REFUSED_STATE}).items()
    }
    all_deliveries = visible_deliveries(request.user).filter(source=source)
    deliveries = all_deliveries.order_by("-received_at", "-id")
    if state in DELIVERY_STATES:
        deliveries = deliveries.filter(state=state).exclude(outcome="not_accepted")
    elif state == "refused":
        deliveries = deliveries.filter(outcome="not_accepted")
    page = get_page(request, deliveries, size=PAGE_SIZE)
    is_import = source.adapter in import_staging.RECORD_FORMATS
    context = {
        "source": source,
        "state": state if state in labels else "",
        "states": labels.items(),
        "page": page,
        "deliveries": [_delivery_line(delivery) for delivery in page.object_list],
        "label": manage_sources.adapter_label(source),
        "address": "" if is_import else "\n".join(manage_sources.source_addresses(source)),
        "terms": source.terms.order_by("-from_date").first(),
        "quarantined_count": all_deliveries.filter(state="quarantined").count(),
        "flood": source_admission.recent_floods(request.at).get(source.pk),
        "sweep": missed_lead_sweeps.sweep_progress(source),
        "baseline": baseline.get_baseline(source),
        "may_edit": has_permission(request.user, "edit_sources"),
        "may_see_returns": has_permission(request.user, "see_returns"),
        "may_replay": has_permission(request.user, "replay_quarantine"),
    }
    return render(request, "sources/source.html", context)


@staff_view("GET")
def show_delivery(request: StaffRequest, delivery_id: UUID) -> HttpResponse:
    """Show the received bytes, masked, beside what the current adapter reads in them."""
    require_permission(request.user, "see_sources")
    return _render_delivery(request, _get_delivery(request.user, delivery_id), DiscardForm())


def _render_delivery(
    request: StaffRequest, delivery: Delivery, form: DiscardForm, status: int = 200
) -> HttpResponse:
    envelope = (
        receive_delivery.reread_delivery(delivery).to_json()
        if delivery.source.adapter in SOURCES
        else {}
    )
    touches = Touch.objects.filter(delivery=delivery, lead__in=leads_visible_to(request.user))
    context = {
        "delivery": delivery,
        "line": _delivery_line(delivery),
        "headers": sorted(delivery.headers.items()),
        "body": bytes(delivery.body).decode("utf-8", "backslashreplace"),
        "size": len(delivery.body),
        "lookups": vendor_lookups.readable_lookups(delivery),
        "envelope": envelope,
        "reason": reason_text(envelope.get("reason", "")),
        "leads": [
            json.dumps(lead, indent=2, ensure_ascii=False) for lead in envelope.get("leads", [])
        ],
        "touches": touches.select_related("lead__person", "claim"),
        "may_ask_back": has_permission(request.user, "work_returns"),
        "may_replay": has_permission(request.user, "replay_quarantine")
        and delivery.state in REPLAYABLE_STATES,
        "may_discard": has_permission(request.user, "replay_quarantine")
        and delivery.state == "quarantined",
        "form": form,
        "tells_reason": source_limits_check.rejection_answer_for(delivery.source) is not None,
    }
    return render(request, "sources/delivery.html", context, status=status)


@staff_view("POST")
def discard_delivery(request: StaffRequest, delivery_id: UUID) -> HttpResponse:
    """Close a quarantined delivery with a reason."""
    require_permission(request.user, "replay_quarantine")
    delivery = _get_delivery(request.user, delivery_id)
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return _render_delivery(request, delivery, form, status=422)
    back_to = reverse("source", args=[delivery.source_id])
    try:
        discards.discard_delivery(
            delivery_id=delivery.pk, by=request.user, at=request.at, **form.cleaned_data
        )
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, "Delivery discarded. You can still replay it", back_to=back_to)


@staff_view("POST")
def replay_delivery(request: StaffRequest, delivery_id: UUID) -> HttpResponse:
    """Read one delivery again, and process it if it can be used now."""
    require_permission(request.user, "replay_quarantine")
    delivery = _get_delivery(request.user, delivery_id)
    replayed = lead_arrival.replay_delivery(
        delivery_id=delivery.pk, by=request.user.pk, at=request.at
    )
    if replayed.state == "received":
        message = "The delivery can be used now. Its lead is on the way."
    elif replayed.state == "worked":
        message = "Already processed. Nothing changed."
    else:
        message = f"The delivery still can’t be used. {reason_text(replayed.reason)}"
    return respond_done(request, message, back_to=reverse("delivery", args=[delivery.pk]))


@staff_view("POST")
def replay_quarantined(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Read the quarantined deliveries of a source again, oldest first, up to MAX_REPLAYS."""
    require_permission(request.user, "replay_quarantine")
    source = get_object_or_404(Source, pk=source_id)
    quarantined = visible_deliveries(request.user).filter(source=source, state="quarantined")
    ids = list(quarantined.order_by("received_at").values_list("pk", flat=True)[:MAX_REPLAYS])
    replayed = [
        lead_arrival.replay_delivery(delivery_id=key, by=request.user.pk, at=request.at)
        for key in ids
    ]
    usable = sum(delivery.state == "received" for delivery in replayed)
    left = len(replayed) - usable
    message = f"{display_formats.count_noun(usable, 'delivery', 'deliveries')} can be used now"
    message += f", {left} still can’t" if left else ""
    return respond_done(request, message, back_to=reverse("source", args=[source.pk]))


def visible_deliveries(user: User) -> QuerySet[Delivery]:
    """Return the deliveries a user can see: all, or for branch users those of visible leads."""
    deliveries = Delivery.objects.select_related("source")
    if user.branch_id is None:
        return deliveries
    return deliveries.filter(
        pk__in=Touch.objects.filter(lead__in=leads_visible_to(user)).values("delivery")
    )


def reason_text(reason: str) -> str:
    """Return a reason code of an envelope as a sentence."""
    kind, _, field = reason.partition(":")
    if kind == "required_missing" and field in TARGET_FIELDS:
        return f"The field map requires “{TARGET_FIELDS[field].label}”, which is missing."
    return REASON_TEXTS.get(reason, reason.replace("_", " ").capitalize())


def _get_delivery(user: User, delivery_id: UUID) -> Delivery:
    delivery = visible_deliveries(user).filter(pk=delivery_id).first()
    if delivery is None:
        raise Http404
    return delivery


def _health_row(health: source_health.SourceHealth, flood: RateLimitCount | None) -> dict[str, Any]:
    is_flooded = flood is not None and health.status in ("well", "quiet", "new")
    icon, tone, label = HEALTH["flooded" if is_flooded else health.status]
    usual = "too new"
    if health.usual_range:
        low, high = health.usual_range
        usual = f"{low}" if low == high else f"{low}–{high}"
    return {
        "health": health,
        "icon": icon,
        "tone": tone,
        "label": label,
        "usual": usual,
        "flood": flood,
        "spark": charts.sparkline_path(health.days),
        "fortnight": sum(health.days),
    }


def _delivery_line(delivery: Delivery) -> dict[str, Any]:
    is_refused = delivery.outcome == "not_accepted"
    icon, tone, label = REFUSED_STATE if is_refused else DELIVERY_STATES[delivery.state]
    reason = reason_text(delivery.reason) or delivery.outcome.replace("_", " ").capitalize()
    return {
        "delivery": delivery,
        "icon": icon,
        "tone": tone,
        "label": label,
        "is_refused": is_refused,
        "reason": delivery.problem if is_refused else reason,
        "warnings": [warning.replace("_", " ") for warning in delivery.warnings],
    }
