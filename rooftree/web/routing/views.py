"""Routing rules: the rules in order as sentences, a draft of them, and all versions."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.routing import (
    choice_inputs,
    missed_offers,
    rule_check,
    rule_names,
    rule_sentences,
    rule_sets,
    rule_simulation,
)
from rooftree.routing.models import RoutingDecision, RuleSet
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.routing.routing_rules import Rule
from rooftree.web.routing import rule_draft
from rooftree.web.routing.forms import RuleChoices, RuleForm, rule_to_initial
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PREVIEW_DAYS = 7  # days of past leads in counts and previews
MAX_MOVED_LEADS = 30  # listed leads that would go to someone else
MAX_EDITIONS = 200  # listed editions
LATEST_EDITIONS = 4  # editions listed beside the rules
MAX_SUMMARY_LENGTH = 300


@staff_view("GET")
def show_rules(request: StaffRequest) -> HttpResponse:
    """Show the rules in order: the user's draft if there is one, else the live rules."""
    require_permission(request.user, "see_routing")
    live = rule_sets.load_current_rule_set(at=request.at)
    draft = rule_draft.load_draft(request) if has_permission(request.user, "edit_routing") else None
    live_rules = choice_inputs.load_rules(live)
    context = {
        "has_context": True,
        "live": live,
        "publisher": live.published_by.name if live.published_by else "Rooftree",
        "draft": draft,
        "is_behind": draft and draft.base != live.number,
        "lines": _rule_lines(draft.as_rules if draft else live_rules, live_rules, request.at),
        "alarm": rule_names.load_rule_names().alarm,
        "days": PREVIEW_DAYS,
        "may_edit": has_permission(request.user, "edit_routing"),
        "missed": missed_offers.load_rule(),
        "editions": _editions_newest_first()[:LATEST_EDITIONS],
    }
    return render(request, "routing/show.html", context)


@staff_view("GET")
def preview_rules(request: StaffRequest) -> HttpResponse:
    """Compare who would get last week's leads by the draft and by the live rules."""
    require_permission(request.user, "edit_routing")
    live = rule_sets.load_current_rule_set(at=request.at)
    draft = rule_draft.load_or_start_draft(request, live)
    preview = _simulate_draft(draft, live, request.at)
    context = {"live": live, "preview": preview}
    if request.htmx:
        return render(request, "routing/preview.html#result", context)
    return render(request, "routing/preview.html", context | _moved_leads(request, preview))


@staff_view("GET", "POST")
def edit_rule(request: StaffRequest, place: int = 0) -> HttpResponse:
    """Show one rule of the draft, or a new one (`place` 0); a POST saves it to the draft."""
    require_permission(request.user, "edit_routing")
    draft = rule_draft.load_or_start_draft(request, rule_sets.load_current_rule_set(at=request.at))
    if place > len(draft.rules):
        raise Http404
    before = draft.rules[place - 1] if place else {"name": ""}
    form = RuleForm(request.POST or None, initial=rule_to_initial(before), choices=RuleChoices())
    if request.method == "GET":
        return _render_rule_form(request, form, place, before)
    if form.is_valid():
        rule = form.build_rule(before)
        problems = _check_rule(rule, draft.rules, place)
        if not problems:
            rules = list(draft.rules)
            if place:
                rules[place - 1] = rule
            else:
                rules.append(rule)
            rule_draft.save_draft(request, draft, rules)
            return respond_done(request, "Saved to your draft", back_to=reverse("routing"))
        for problem in problems:
            form.show_refusal("", problem)
    return _render_rule_form(request, form, place, before, status=422)


@staff_view("POST")
def move_rule(request: StaffRequest, place: int) -> HttpResponse:
    """Move a rule of the draft up or down, or remove it."""
    require_permission(request.user, "edit_routing")
    draft = rule_draft.load_or_start_draft(request, rule_sets.load_current_rule_set(at=request.at))
    rules, to = list(draft.rules), request.POST.get("to", "")
    if not 1 <= place <= len(rules) or to not in ("up", "down", "out"):
        raise Http404
    rule = rules.pop(place - 1)
    if to != "out":
        rules.insert(max(0, place - 2 if to == "up" else place), rule)
    rule_draft.save_draft(request, draft, rules)
    toast = f"“{rule['name']}” removed from your draft" if to == "out" else "Moved in your draft"
    return respond_done(request, toast, back_to=reverse("routing"))


@staff_view("POST")
def delete_draft(request: StaffRequest) -> HttpResponse:
    """Delete the user's draft; the live rules don't change."""
    require_permission(request.user, "edit_routing")
    rule_draft.delete_draft(request)
    return respond_done(request, "Draft deleted. Nothing else changed", back_to=reverse("routing"))


@staff_view("GET", "POST")
def publish_rules(request: StaffRequest) -> HttpResponse:
    """Show what the draft changes; a POST with a summary publishes it as the live rules."""
    require_permission(request.user, "edit_routing")
    live = rule_sets.load_current_rule_set(at=request.at)
    draft = rule_draft.load_draft(request)
    if draft is None:
        return HttpResponseRedirect(reverse("routing"))
    summary = request.POST.get("summary", "").strip()
    problems: Sequence[str] = ()
    if request.method == "POST":
        problems, number = _publish_draft(request, draft, summary)
        if not problems:
            rule_draft.delete_draft(request)
            return respond_done(request, f"Rules v{number} are live", back_to=reverse("routing"))
    context = {
        "live": live,
        "draft": draft,
        "next": live.number + 1,
        "summary": summary,
        "problems": problems,
        "preview": _simulate_draft(draft, live, request.at),
        "is_behind": draft.base != live.number,
        "lines": _rule_lines(draft.as_rules, choice_inputs.load_rules(live), request.at),
    }
    return render(request, "routing/publish.html", context, status=422 if problems else 200)


@staff_view("GET")
def list_editions(request: StaffRequest) -> HttpResponse:
    """List the editions, newest first."""
    require_permission(request.user, "see_routing")
    editions = _editions_newest_first()[:MAX_EDITIONS]
    return render(request, "routing/editions.html", {"editions": editions})


@staff_view("GET")
def show_edition(request: StaffRequest, number: int) -> HttpResponse:
    """Show the rules of one edition, with a button to restore them."""
    require_permission(request.user, "see_routing")
    edition = get_object_or_404(RuleSet.objects.select_related("published_by"), number=number)
    live = rule_sets.load_current_rule_set(at=request.at)
    rules, live_rules = choice_inputs.load_rules(edition), choice_inputs.load_rules(live)
    context = {
        "edition": edition,
        "live": live,
        "is_live": edition.number == live.number,
        "lines": _rule_lines(rules, live_rules, None),
        "may_edit": has_permission(request.user, "edit_routing"),
    }
    return render(request, "routing/edition.html", context)


@staff_view("POST")
def restore_edition(request: StaffRequest, number: int) -> HttpResponse:
    """Publish the rules of an earlier edition as a new edition, so that the history stays."""
    require_permission(request.user, "edit_routing")
    earlier = get_object_or_404(RuleSet, number=number)
    try:
        edition = rule_sets.publish_rules(
            choice_inputs.load_rules(earlier),
            by=request.user,
            at=request.at,
            summary=f"Back to v{number}",
        )
    except rule_check.BadRules as bad:
        return respond_refused(request, str(bad), back_to=reverse("routing_edition", args=[number]))
    toast = f"Rules v{edition.number} are live with the rules of v{number}"
    return respond_done(request, toast, back_to=reverse("routing"))


def _publish_draft(
    request: StaffRequest, draft: rule_draft.RuleDraft, summary: str
) -> tuple[Sequence[str], int]:
    """Publish the draft; return the problems, if any, and the number of the new edition."""
    if not summary:
        return ("Say what changed and why. The version history shows it.",), 0
    try:
        edition = rule_sets.publish_rules(
            rule_check.parse_rules(draft.rules),
            by=request.user,
            at=request.at,
            summary=summary[:MAX_SUMMARY_LENGTH],
        )
    except rule_check.BadRules as bad:
        return bad.problems, 0
    return (), edition.number


def _rule_lines(
    rules: Sequence[Rule], live: Sequence[Rule], at: datetime | None
) -> list[dict[str, Any]]:
    """Return the rules as the page lists them; with `at`, with the leads each one routed."""
    names = rule_names.load_rule_names()
    counts = _count_decisions(at) if at else Counter()
    total = sum(counts.values())
    return [
        {
            "place": place,
            "name": rule.name,
            "sentence": rule_sentences.rule_sentence(rule, names),
            "leads": counts[rule.name],
            "total": total,
            "change": _change_from_live(rule, rules, live, names),
            "is_first": place == 1,
            "is_last": place == len(rules),
        }
        for place, rule in enumerate(rules, start=1)
    ]


def _change_from_live(
    rule: Rule, rules: Sequence[Rule], live: Sequence[Rule], names: rule_sentences.RuleNames
) -> tuple[str, str] | None:
    """Return how a rule differs from the live rule of its name; None if it doesn't."""
    live_rule = next((other for other in live if other.name == rule.name), None)
    if live_rule is None:
        return "New rule.", ""
    if live_rule != rule:
        return "Changed.", f"Live: {rule_sentences.rule_sentence(live_rule, names)}"
    draft_names, live_names = {other.name for other in rules}, {other.name for other in live}
    place = [other.name for other in rules if other.name in live_names].index(rule.name)
    live_place = [other.name for other in live if other.name in draft_names].index(rule.name)
    if place == live_place:
        return None
    return "Moved.", f"In the live rules it is number {live_place + 1}."


def _count_decisions(at: datetime) -> Counter[str]:
    """Count the leads of the last PREVIEW_DAYS by the rule of their first decision."""
    rows = RoutingDecision.objects.filter(at__gte=at - timedelta(days=PREVIEW_DAYS), at__lte=at)
    first = rows.order_by("lead_id", "at", "id").distinct("lead_id")
    return Counter(first.values_list("rule_name", flat=True))


def _editions_newest_first() -> QuerySet[RuleSet]:
    return RuleSet.objects.defer("rules").select_related("published_by").order_by("-number")


def _render_rule_form(
    request: StaffRequest, form: RuleForm, place: int, before: Any, status: int = 200
) -> HttpResponse:
    context = {"form": form, "place": place, "before": before, "has_context": False}
    return render(request, "routing/rule.html", context, status=status)


def _check_rule(rule: dict[str, Any], rules: Sequence[dict[str, Any]], place: int) -> Sequence[str]:
    """Return the problems of a rule, on its own and among the other rules."""
    other_names = [
        other["name"].strip().lower() for nth, other in enumerate(rules, 1) if nth != place
    ]
    if rule["name"].strip().lower() in other_names:
        return ["Another rule has this name. Choose a different one: decisions show the name."]
    try:
        rule_check.parse_rules([rule])
    except rule_check.BadRules as bad:
        return bad.problems
    return []


def _simulate_draft(
    draft: rule_draft.RuleDraft, live: RuleSet, at: datetime
) -> rule_simulation.Simulation:
    return rule_simulation.simulate_rules(
        days=PREVIEW_DAYS, rules=draft.as_rules, live=choice_inputs.load_rules(live), at=at
    )


def _moved_leads(request: StaffRequest, preview: rule_simulation.Simulation) -> dict[str, Any]:
    """Return the leads that would go to someone else and that the user can see."""
    names = rule_names.load_rule_names().officers
    moved = preview.moved[:MAX_MOVED_LEADS]
    visible = leads_visible_to(request.user).select_related("person", "source")
    leads = {str(lead.pk): lead for lead in visible.filter(pk__in=[move.lead_id for move in moved])}
    rows = [
        {
            "lead": leads[move.lead_id],
            "live": names.get(move.live, "No one"),
            "draft": names.get(move.draft, "No one"),
            "because": move.because,
        }
        for move in moved
        if move.lead_id in leads
    ]
    return {"moved": rows, "more": len(preview.moved) - len(rows)}
