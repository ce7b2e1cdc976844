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
    unreachable_rules,
)
from rooftree.routing.models import RoutingDecision, RuleSet
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.routing.routing_rules import Rule
from rooftree.web.routing import rule_draft, rule_template_views
from rooftree.web.routing.forms import (
    PublishForm,
    RestoreForm,
    RuleChoices,
    RuleForm,
    rule_to_initial,
)
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PREVIEW_DAYS = 7  # days of past leads in counts and previews
MAX_MOVED_LEADS = 30  # listed leads that would go to someone else
MAX_EDITIONS = 200  # listed editions
LATEST_EDITIONS = 4  # editions listed beside the rules


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
        "template": None if draft or live.published_by else rule_template_views.describe(request),
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
        rules, index = _put_rule(draft, form.build_rule(before), place)
        problems = _check_rule(rules, index)
        if not problems:
            rule_draft.save_draft(request, draft, rules)
            saved = "Saved to your draft"
            if not place and index + 1 < len(rules):
                saved += f", above “{rules[index + 1]['name']}”"
            return respond_done(request, saved, back_to=reverse("routing"))
        for problem in problems:
            form.show_refusal(problem.field, problem.text[:1].upper() + problem.text[1:])
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
    form = PublishForm(request.POST or None)
    problems: Sequence[str] = ()
    if request.method == "POST" and form.is_valid():
        problems, number = _publish_draft(request, draft, form.cleaned_data["summary"])
        if not problems:
            rule_draft.delete_draft(request)
            return respond_done(request, f"Rules v{number} are live", back_to=reverse("routing"))
    lines = _rule_lines(draft.as_rules, choice_inputs.load_rules(live), request.at)
    context = {
        "live": live,
        "draft": draft,
        "next": live.number + 1,
        "form": form,
        "problems": problems,
        "unreachable": sum(bool(line["unreachable"]) for line in lines),
        "preview": _simulate_draft(draft, live, request.at),
        "is_behind": draft.base != live.number,
        "lines": lines,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "routing/publish.html", context, status=status)


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
    return _render_edition(request, number, RestoreForm())


@staff_view("POST")
def restore_edition(request: StaffRequest, number: int) -> HttpResponse:
    """Publish the rules of an earlier edition as a new edition, so that the history stays."""
    require_permission(request.user, "edit_routing")
    earlier = get_object_or_404(RuleSet, number=number)
    form = RestoreForm(request.POST)
    if not form.is_valid():
        return _render_edition(request, number, form, status=422)
    try:
        edition = rule_sets.publish_rules(
            choice_inputs.load_rules(earlier),
            by=request.user,
            at=request.at,
            summary=f"Back to v{number}: {form.cleaned_data['reason']}",
        )
    except rule_check.BadRules as bad:
        return respond_refused(request, str(bad), back_to=reverse("routing_edition", args=[number]))
    toast = f"Rules v{edition.number} are live with the rules of v{number}"
    return respond_done(request, toast, back_to=reverse("routing"))


def _render_edition(
    request: StaffRequest, number: int, form: RestoreForm, status: int = 200
) -> HttpResponse:
    edition = get_object_or_404(RuleSet.objects.select_related("published_by"), number=number)
    live = rule_sets.load_current_rule_set(at=request.at)
    rules, live_rules = choice_inputs.load_rules(edition), choice_inputs.load_rules(live)
    context = {
        "edition": edition,
        "live": live,
        "is_live": edition.number == live.number,
        "lines": _rule_lines(rules, live_rules, None),
        "may_edit": has_permission(request.user, "edit_routing"),
        "form": form,
    }
    return render(request, "routing/edition.html", context, status=status)


def _publish_draft(
    request: StaffRequest, draft: rule_draft.RuleDraft, summary: str
) -> tuple[Sequence[str], int]:
    """Publish the draft; return the problems, if any, and the number of the new edition."""
    try:
        edition = rule_sets.publish_rules(
            rule_check.parse_rules(draft.rules),
            by=request.user,
            at=request.at,
            summary=summary,
        )
    except rule_check.BadRules as bad:
        return bad.problems, 0
    return (), edition.number


def _rule_lines(
    rules: Sequence[Rule], live: Sequence[Rule], at: datetime | None
) -> list[dict[str, Any]]:
    """Return the rules as the page lists them.

    With `at`, each has the leads it routed, and why it can never work if it can't.
    """
    names = rule_names.load_rule_names()
    counts = _count_decisions(at) if at else Counter()
    unreachable = unreachable_rules.find_unreachable_rules(rules, at=at) if at else {}
    total = sum(counts.values())
    return [
        {
            "place": place,
            "name": rule.name,
            "sentence": rule_sentences.rule_sentence(rule, names),
            "leads": counts[rule.name],
            "total": total,
            "change": _change_from_live(rule, rules, live, names),
            "unreachable": unreachable.get(rule.name, ""),
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


def _put_rule(
    draft: rule_draft.RuleDraft, rule: dict[str, Any], place: int
) -> tuple[list[dict[str, Any]], int]:
    """Return the draft's rules with a changed or new (`place` 0) rule, and its index."""
    rules = list(draft.rules)
    if place:
        rules[place - 1] = rule
        return rules, place - 1
    index = unreachable_rules.place_for_new_rule(draft.as_rules, Rule.from_json(rule))
    rules.insert(index, rule)
    return rules, index


def _check_rule(rules: Sequence[dict[str, Any]], index: int) -> Sequence[rule_check.RuleProblem]:
    """Return the problems of one rule, on its own and among the other rules."""
    parsed = [Rule.from_json(rule) for rule in rules]
    names = [rule.name.strip().lower() for rule in parsed]
    problems = [
        *rule_check.find_problems(parsed[index]),
        *rule_check.find_language_wait_problems(parsed, index),
    ]
    if names.count(names[index]) > 1:
        text = "Another rule has this name. Choose a different one: decisions show the name."
        problems.append(rule_check.RuleProblem("name", text))
    return problems


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
