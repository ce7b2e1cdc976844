"""Routing: the rules in order as sentences, a draft of them, and every edition there was."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org.models import User
from rooftree.routing import (
    choice_inputs,
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
from rooftree.web.shared.staff_view import staff_view

PREVIEW_DAYS = 7  # of past leads that the page counts
MAX_MOVED_LEADS = 30  # leads that would go to someone else


@staff_view("GET")
def show_rules(request: StaffRequest) -> HttpResponse:
    """The rules in order: the draft when there is one, else those that decide now."""
    _require_permission(request.user, "see_routing")
    live = rule_sets.current_rule_set(at=request.at)
    draft = rule_draft.load_draft(request) if has_permission(request.user, "edit_routing") else None
    rules = draft.as_rules if draft else choice_inputs.load_rules(live)
    context = {
        "has_context": True,
        "live": live,
        "publisher": live.published_by.name if live.published_by else "Rooftree",
        "draft": draft,
        "is_behind": draft and draft.base != live.number,
        "lines": _rule_lines(rules, choice_inputs.load_rules(live), request.at),
        "alarm": rule_names.load_rule_names().alarm,
        "days": PREVIEW_DAYS,
        "may_edit": has_permission(request.user, "edit_routing"),
        "editions": _editions_newest_first()[:4],
    }
    return render(request, "routing/show.html", context)


@staff_view("GET")
def preview_rules(request: StaffRequest) -> HttpResponse:
    """Who would have got last week's leads by the draft, beside who does by the live rules."""
    _require_permission(request.user, "edit_routing")
    live = rule_sets.current_rule_set(at=request.at)
    draft = rule_draft.load_or_start_draft(request, live)
    context = {"live": live, "shown": _simulate_draft(draft, live, request.at)}
    if request.htmx:
        return render(request, "routing/preview.html#result", context)
    return render(
        request, "routing/preview.html", context | _moved_leads(request, context["shown"])
    )


@staff_view("GET", "POST")
def edit_rule(request: StaffRequest, place: int = 0) -> HttpResponse:
    """Edit one rule of the draft, or add one at its end (`place` 0)."""
    _require_permission(request.user, "edit_routing")
    draft = rule_draft.load_or_start_draft(request, rule_sets.current_rule_set(at=request.at))
    if place > len(draft.rules):
        raise Http404
    before = draft.rules[place - 1] if place else {"name": ""}
    known = RuleChoices()
    if request.method == "GET":
        form = RuleForm(initial=rule_to_initial(before), choices=known)
        return _render_rule_form(request, form, place, before)
    form = RuleForm(request.POST, initial=rule_to_initial(before), choices=known)
    if form.is_valid():
        changed = form.build_rule(before)
        problems = _check_rule(changed, draft.rules, place)
        if not problems:
            _save_rule(request, draft, changed, place)
            return respond_done(request, "Kept in your draft", back_to=reverse("routing"))
        for said in problems:
            form.show_refusal("", said)
    return _render_rule_form(request, form, place, before, status=422)


@staff_view("POST")
def move_rule(request: StaffRequest, place: int) -> HttpResponse:
    """Move a rule of the draft up or down, or take it out."""
    _require_permission(request.user, "edit_routing")
    draft = rule_draft.load_or_start_draft(request, rule_sets.current_rule_set(at=request.at))
    rules, to = list(draft.rules), request.POST.get("to", "")
    if not 1 <= place <= len(rules):
        raise Http404
    one = rules.pop(place - 1)
    if to in ("up", "down"):
        rules.insert(max(0, place - 2 if to == "up" else place), one)
    elif to != "out":
        raise Http404
    rule_draft.save_draft(request, draft, rules)
    said = f"“{one['name']}” is out of the draft" if to == "out" else "Moved in your draft"
    return respond_done(request, said, back_to=reverse("routing"))


@staff_view("POST")
def delete_draft(request: StaffRequest) -> HttpResponse:
    """Forget the draft; the live rules stay as they are."""
    _require_permission(request.user, "edit_routing")
    rule_draft.delete_draft(request)
    return respond_done(
        request, "The draft is gone; nothing else changed", back_to=reverse("routing")
    )


@staff_view("GET", "POST")
def publish_rules(request: StaffRequest) -> HttpResponse:
    """Look at what the draft changes, say why, and make it the rules that decide."""
    _require_permission(request.user, "edit_routing")
    live = rule_sets.current_rule_set(at=request.at)
    draft = rule_draft.load_draft(request)
    if draft is None:
        return HttpResponseRedirect(reverse("routing"))
    summary, problems, status = request.POST.get("summary", "").strip(), (), 200
    if request.method == "POST":
        problems = () if summary else ("Say what changed and why; the history shows it.",)
        if not problems:
            try:
                made = rule_sets.publish_rules(
                    rule_check.parse_rules(draft.rules), by=request.user, at=request.at,
                    summary=summary[:300],
                )  # fmt: skip
            except rule_check.BadRules as bad:
                problems = bad.problems
            else:
                rule_draft.delete_draft(request)
                said = f"v{made.number} decides from now on"
                return respond_done(request, said, back_to=reverse("routing"))
        status = 422
    shown = _simulate_draft(draft, live, request.at)
    context = {
        "live": live, "draft": draft, "next": live.number + 1, "summary": summary,
        "problems": problems, "shown": shown, "is_behind": draft.base != live.number,
        "lines": _rule_lines(draft.as_rules, choice_inputs.load_rules(live), request.at),
    }  # fmt: skip
    return render(request, "routing/publish.html", context, status=status)


@staff_view("GET")
def list_editions(request: StaffRequest) -> HttpResponse:
    """Every edition there was, newest first."""
    _require_permission(request.user, "see_routing")
    rows = RuleSet.objects.defer("rules").select_related("published_by").order_by("-number")[:200]
    return render(request, "routing/editions.html", {"editions": rows})


@staff_view("GET")
def show_edition(request: StaffRequest, number: int) -> HttpResponse:
    """One edition as it was, and the way back to it."""
    _require_permission(request.user, "see_routing")
    one = get_object_or_404(RuleSet.objects.select_related("published_by"), number=number)
    live = rule_sets.current_rule_set(at=request.at)
    context = {
        "edition": one,
        "live": live,
        "is_live": one.number == live.number,
        "lines": _rule_lines(choice_inputs.load_rules(one), choice_inputs.load_rules(live), None),
        "may_edit": has_permission(request.user, "edit_routing"),
    }
    return render(request, "routing/edition.html", context)


@staff_view("POST")
def restore_edition(request: StaffRequest, number: int) -> HttpResponse:
    """Publish an earlier edition anew: the way back is a step forward, so nothing is lost."""
    _require_permission(request.user, "edit_routing")
    one = get_object_or_404(RuleSet, number=number)
    try:
        made = rule_sets.publish_rules(
            choice_inputs.load_rules(one),
            by=request.user,
            at=request.at,
            summary=f"Back to v{number}",
        )
    except rule_check.BadRules as bad:
        return respond_refused(request, str(bad), back_to=reverse("routing_edition", args=[number]))
    return respond_done(
        request,
        f"v{made.number} decides from now on, with the rules of v{number}",
        back_to=reverse("routing"),
    )


def _require_permission(user: User, verb: str) -> None:
    if not has_permission(user, verb):
        raise PermissionDenied("Routing rules belong to operations.")


def _rule_lines(
    rules: Sequence[Rule], live: Sequence[Rule], at: datetime | None
) -> list[dict[str, Any]]:
    """The rules as the page lists them, with how many leads each decided lately."""
    called = rule_names.load_rule_names()
    counts = _count_decisions(at) if at else Counter()
    total = sum(counts.values())
    return [
        {
            "place": place,
            "name": one.name,
            "sentence": rule_sentences.rule_sentence(one, called),
            "leads": counts[one.name],
            "total": total,
            "was": _difference_from_live(one, rules, live, called),
            "is_first": place == 1,
            "is_last": place == len(rules),
        }
        for place, one in enumerate(rules, start=1)
    ]


def _difference_from_live(
    one: Rule, rules: Sequence[Rule], live: Sequence[Rule], called: Any
) -> tuple[str, str] | None:
    """How it differs from the live rule of this name, in words; None when it does not."""
    old = next((rule for rule in live if rule.name == one.name), None)
    if old is None:
        return "Not among the live rules.", ""
    if old != one:
        return "Changed.", f"Live now: {rule_sentences.rule_sentence(old, called)}"
    here, there = {rule.name for rule in rules}, {rule.name for rule in live}
    now = [rule.name for rule in rules if rule.name in there].index(one.name)
    stood = [rule.name for rule in live if rule.name in here].index(one.name)
    return ("Moved.", f"Among the live rules it is number {stood + 1}.") if now != stood else None


def _count_decisions(at: datetime) -> Counter[str]:
    rows = RoutingDecision.objects.filter(at__gte=at - timedelta(days=PREVIEW_DAYS), at__lte=at)
    first = rows.order_by("lead_id", "at", "id").distinct("lead_id")
    return Counter(first.values_list("rule_name", flat=True))


def _editions_newest_first() -> Any:
    rows = RuleSet.objects.defer("rules").select_related("published_by")
    return rows.order_by("-number")


def _render_rule_form(
    request: StaffRequest, form: RuleForm, place: int, before: Any, status: int = 200
) -> HttpResponse:
    context = {"form": form, "place": place, "before": before, "has_context": False}
    return render(request, "routing/rule.html", context, status=status)


def _check_rule(
    changed: dict[str, Any], rules: Sequence[dict[str, Any]], place: int
) -> Sequence[str]:
    """What is wrong with this rule, alone and among the others."""
    others = [one["name"].strip().lower() for nth, one in enumerate(rules, 1) if nth != place]
    if changed["name"].strip().lower() in others:
        return ["Another rule has this name; decisions name their rule."]
    try:
        rule_check.parse_rules([changed])
    except rule_check.BadRules as bad:
        return bad.problems
    return []


def _save_rule(
    request: StaffRequest, draft: rule_draft.RuleDraft, changed: dict[str, Any], place: int
) -> None:
    rules = list(draft.rules)
    if place:
        rules[place - 1] = changed
    else:
        rules.append(changed)
    rule_draft.save_draft(request, draft, rules)


def _simulate_draft(draft: rule_draft.RuleDraft, live: RuleSet, at: datetime) -> Any:
    return rule_simulation.simulate_rules(
        days=PREVIEW_DAYS, rules=draft.as_rules, live=choice_inputs.load_rules(live), at=at
    )


def _moved_leads(request: StaffRequest, shown: rule_simulation.Simulation) -> dict[str, Any]:
    """The leads that would go to someone else, as far as this user may see them."""
    called = rule_names.load_rule_names().officers
    some = shown.moved[:MAX_MOVED_LEADS]
    leads = leads_visible_to(request.user).select_related("person", "source")
    known = {str(lead.pk): lead for lead in leads.filter(pk__in=[m.lead_id for m in some])}
    rows = [
        {
            "lead": known[one.lead_id],
            "live": called.get(one.live, "Nobody"),
            "draft": called.get(one.draft, "Nobody"),
            "because": one.because,
        }
        for one in some
        if one.lead_id in known
    ]
    return {"moved": rows, "more": len(shown.moved) - len(rows)}
