"""Sources: how each is doing, what it delivered, and what was set aside, with replay."""

import json
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import baseline, flood, judge, receive, retrieve, source_setup, sweep
from rooftree.capture.imports import stage
from rooftree.capture.targets import TARGETS
from rooftree.flow import intake
from rooftree.leads.models import Delivery, Flood, Source, Touch
from rooftree.org.models import User
from rooftree.reporting import source_health
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import charts, words
from rooftree.web.answers import done
from rooftree.web.page import staff

PAGE = 50
AT_ONCE = 200  # deliveries that one press replays
SHOWN = 8  # set-aside deliveries on the first page
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
STATES = {
    "received": ("clock", "soon", "Waiting"),
    "worked": ("check", "ok", "Worked"),
    "quarantined": ("warn", "late", "Set aside"),
    "closed": ("ban", "", "Closed"),
    "duplicate": ("merge", "", "Sent twice"),
}
REFUSED = ("ban", "soon", "Refused")  # closed, by our limits
REASONS = {
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


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """Health of every source, and what waits for a person."""
    _must(request.user, "see_sources")
    sources = source_health.of_sources(at=request.at)
    today = source_health.received_today(at=request.at)
    floods = flood.last_of(request.at)
    aside = seen_by(request.user).filter(state="quarantined").order_by("-received_at", "-id")
    lasts = [one.last_at for one in sources if one.last_at]
    context = {
        "rows": [_row(one, floods.get(one.source.pk)) for one in sources],
        "last_at": max(lasts, default=None),
        "today": today,
        "today_total": sum(today.values()),
        "aside": [_said(one) for one in aside[:SHOWN]],
        "aside_count": sum(one.set_aside for one in sources),
        "aside_since": min((o.set_aside_since for o in sources if o.set_aside_since), default=None),
        "may_replay": may(request.user, "replay_quarantine"),
        "may_edit": may(request.user, "edit_sources"),
    }
    return render(request, "sources/show.html", context)


@staff("GET")
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """What one source delivered, newest first."""
    _must(request.user, "see_sources")
    one = get_object_or_404(Source, pk=source_id)
    state = request.GET.get("state", "")
    said_of = {key: said for key, (_, _, said) in (STATES | {"refused": REFUSED}).items()}
    deliveries = seen_by(request.user).filter(source=one).order_by("-received_at", "-id")
    if state in STATES:
        deliveries = deliveries.filter(state=state).exclude(outcome="not_accepted")
    elif state == "refused":
        deliveries = deliveries.filter(outcome="not_accepted")
    page = Paginator(deliveries, PAGE).get_page(request.GET.get("page"))
    context = {
        "source": one,
        "state": state if state in said_of else "",
        "states": said_of.items(),
        "page": page,
        "deliveries": [_said(delivery) for delivery in page.object_list],
        "label": source_setup.label_of(one),
        "address": "" if one.adapter in stage.KINDS else "\n".join(source_setup.addresses_of(one)),
        "terms": one.terms.order_by("-from_date").first(),
        "aside_count": seen_by(request.user).filter(source=one, state="quarantined").count(),
        "flood": flood.last_of(request.at).get(one.pk),
        "swept": sweep.so_far(one),
        "held": baseline.of(one),
        "may_edit": may(request.user, "edit_sources"),
        "may_see_returns": may(request.user, "see_returns"),
        "may_replay": may(request.user, "replay_quarantine"),
    }
    return render(request, "sources/source.html", context)


@staff("GET")
def delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """The bytes as they came, masked, beside what today's adapter makes of them."""
    _must(request.user, "see_sources")
    one = _delivery(request.user, delivery_id)
    envelope = receive.reread(one).to_json() if one.source.adapter in receive.SOURCES else {}
    seen = leads_visible_to(request.user)
    context = {
        "delivery": one,
        "said": _said(one),
        "headers": sorted(one.headers.items()),
        "body": bytes(one.body).decode("utf-8", "backslashreplace"),
        "size": len(one.body),
        "retrieved": retrieve.shown(one),
        "envelope": envelope,
        "why": why(envelope.get("reason", "")),
        "leads": [_pretty(lead) for lead in envelope.get("leads", [])],
        "touches": Touch.objects.filter(delivery=one, lead__in=seen).select_related(
            "lead__person", "claim"
        ),
        "may_ask_back": may(request.user, "work_returns"),
        "may_replay": may(request.user, "replay_quarantine") and one.state in REPLAYABLE,
        "hears_why": judge.answers_of(one.source) is not None,
    }
    return render(request, "sources/delivery.html", context)


REPLAYABLE = ("quarantined", "closed")


@staff("POST")
def replay(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Read one delivery again, and work on it if it can be used now."""
    _must(request.user, "replay_quarantine")
    one = _delivery(request.user, delivery_id)
    after = intake.replay(delivery_id=one.pk, by=request.user.pk, at=request.at)
    return done(request, _became(after), back_to=reverse("delivery", args=[one.pk]))


@staff("POST")
def replays(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Read everything of a source that was set aside again, oldest first."""
    _must(request.user, "replay_quarantine")
    one = get_object_or_404(Source, pk=source_id)
    aside = seen_by(request.user).filter(source=one, state="quarantined")
    ids = list(aside.order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])
    after = [intake.replay(delivery_id=i, by=request.user.pk, at=request.at) for i in ids]
    taken = sum(delivery.state == "received" for delivery in after)
    left = len(after) - taken
    said = f"{words.plural(taken, 'delivery', 'deliveries')} can be used now"
    said += f", {left} still cannot" if left else ""
    return done(request, f"{said}.", back_to=reverse("source", args=[one.pk]))


def _must(user: User, verb: str) -> None:
    if not may(user, verb):
        raise PermissionDenied


def seen_by(user: User) -> Any:
    """What a user may read of deliveries: all of them, or those that became leads they may see."""
    deliveries = Delivery.objects.select_related("source")
    if user.branch_id is None:
        return deliveries
    return deliveries.filter(
        pk__in=Touch.objects.filter(lead__in=leads_visible_to(user)).values("delivery")
    )


def _delivery(user: User, delivery_id: UUID) -> Delivery:
    found = seen_by(user).filter(pk=delivery_id).first()
    if found is None:
        raise Http404
    return found


def _row(one: source_health.Health, over: Flood | None) -> dict[str, Any]:
    is_flooded = over is not None and one.word in ("well", "quiet", "new")
    icon, tone, said = HEALTH["flooded" if is_flooded else one.word]
    usual = "too new to say"
    if one.usual:
        low, high = one.usual
        usual = f"{low}" if low == high else f"{low}–{high}"
    return {
        "health": one,
        "icon": icon,
        "tone": tone,
        "said": said,
        "usual": usual,
        "flood": over,
        "spark": charts.spark(one.days),
        "fortnight": sum(one.days),
    }


def _said(one: Delivery) -> dict[str, Any]:
    is_refused = one.outcome == "not_accepted"
    icon, tone, said = REFUSED if is_refused else STATES[one.state]
    return {
        "delivery": one,
        "icon": icon,
        "tone": tone,
        "said": said,
        "is_refused": is_refused,
        "why": one.problem if is_refused else _why(one),
        "warnings": [warning.replace("_", " ") for warning in one.warnings],
    }


def _why(one: Delivery) -> str:
    return why(one.reason) or one.outcome.replace("_", " ").capitalize()


def _became(after: Delivery) -> str:
    if after.state == "received":
        return "It can be used now; its lead is on the way."
    if after.state == "worked":
        return "It was worked before; nothing changed."
    return f"It still cannot be used. {why(after.reason)}"


def why(reason: str) -> str:
    """A machine's reason as a sentence."""
    kind, _, field = reason.partition(":")
    if kind == "required_missing" and field in TARGETS:
        return f"The field map asks for “{TARGETS[field].label}”, and it is not in here."
    return REASONS.get(reason, reason.replace("_", " ").capitalize())


def _pretty(lead: dict[str, Any]) -> str:
    return json.dumps(lead, indent=2, ensure_ascii=False)
