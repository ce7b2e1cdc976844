"""Routing: the rules in order as sentences, a draft of them, and every edition there was."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org.models import User
from rooftree.routing import facts, names, publish, rule_check, rule_words, simulate
from rooftree.routing.models import RoutingDecision, RuleSet
from rooftree.routing.rules import Rule
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import rule_draft
from rooftree.web.answers import done, refused
from rooftree.web.page import staff
from rooftree.web.rule_form import Known, RuleForm, typed_of

DAYS = 7  # of past leads that the page counts
MOVED_SHOWN = 30  # leads that would go to someone else


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The rules in order: the draft when there is one, else those that decide now."""
    _must(request.user, "see_routing")
    live = publish.current(at=request.at)
    draft = rule_draft.of(request) if may(request.user, "edit_routing") else None
    rules = draft.as_rules if draft else facts.rules_of(live)
    context = {
        "has_context": True,
        "live": live,
        "publisher": live.published_by.name if live.published_by else "Rooftree",
        "draft": draft,
        "is_behind": draft and draft.base != live.number,
        "lines": _lines(rules, facts.rules_of(live), request.at),
        "alarm": names.now().alarm,
        "days": DAYS,
        "may_edit": may(request.user, "edit_routing"),
        "editions": _editions()[:4],
    }
    return render(request, "routing/show.html", context)


@staff("GET")
def preview(request: HttpRequest) -> HttpResponse:
    """Who would have got last week's leads by the draft, beside who does by the live rules."""
    _must(request.user, "edit_routing")
    live = publish.current(at=request.at)
    draft = rule_draft.begun(request, live)
    context = {"live": live, "shown": _simulated(draft, live, request.at)}
    if request.htmx:
        return render(request, "routing/preview.html#result", context)
    return render(request, "routing/preview.html", context | _moved(request, context["shown"]))


@staff("GET", "POST")
def rule(request: HttpRequest, place: int = 0) -> HttpResponse:
    """Edit one rule of the draft, or add one at its end (`place` 0)."""
    _must(request.user, "edit_routing")
    draft = rule_draft.begun(request, publish.current(at=request.at))
    if place > len(draft.rules):
        raise Http404
    before = draft.rules[place - 1] if place else {"name": ""}
    known = Known()
    if request.method == "GET":
        form = RuleForm(initial=typed_of(before), known=known)
        return _edited(request, form, place, before)
    form = RuleForm(request.POST, initial=typed_of(before), known=known)
    if form.is_valid():
        changed = form.rule(before)
        problems = _problems(changed, draft.rules, place)
        if not problems:
            _put(request, draft, changed, place)
            return done(request, "Kept in your draft", back_to=reverse("routing"))
        for said in problems:
            form.refuse("", said)
    return _edited(request, form, place, before, status=422)


@staff("POST")
def move(request: HttpRequest, place: int) -> HttpResponse:
    """Move a rule of the draft up or down, or take it out."""
    _must(request.user, "edit_routing")
    draft = rule_draft.begun(request, publish.current(at=request.at))
    rules, to = list(draft.rules), request.POST.get("to", "")
    if not 1 <= place <= len(rules):
        raise Http404
    one = rules.pop(place - 1)
    if to in ("up", "down"):
        rules.insert(max(0, place - 2 if to == "up" else place), one)
    elif to != "out":
        raise Http404
    rule_draft.keep(request, draft, rules)
    said = f"“{one['name']}” is out of the draft" if to == "out" else "Moved in your draft"
    return done(request, said, back_to=reverse("routing"))


@staff("POST")
def drop(request: HttpRequest) -> HttpResponse:
    """Forget the draft; the live rules stay as they are."""
    _must(request.user, "edit_routing")
    rule_draft.drop(request)
    return done(request, "The draft is gone; nothing else changed", back_to=reverse("routing"))


@staff("GET", "POST")
def publication(request: HttpRequest) -> HttpResponse:
    """Look at what the draft changes, say why, and make it the rules that decide."""
    _must(request.user, "edit_routing")
    live = publish.current(at=request.at)
    draft = rule_draft.of(request)
    if draft is None:
        return HttpResponseRedirect(reverse("routing"))
    summary, problems, status = request.POST.get("summary", "").strip(), (), 200
    if request.method == "POST":
        problems = () if summary else ("Say what changed and why; the history shows it.",)
        if not problems:
            try:
                made = publish.publish(
                    rule_check.read(draft.rules), by=request.user, at=request.at,
                    summary=summary[:300],
                )  # fmt: skip
            except rule_check.BadRules as bad:
                problems = bad.problems
            else:
                rule_draft.drop(request)
                said = f"v{made.number} decides from now on"
                return done(request, said, back_to=reverse("routing"))
        status = 422
    shown = _simulated(draft, live, request.at)
    context = {
        "live": live, "draft": draft, "next": live.number + 1, "summary": summary,
        "problems": problems, "shown": shown, "is_behind": draft.base != live.number,
        "lines": _lines(draft.as_rules, facts.rules_of(live), request.at),
    }  # fmt: skip
    return render(request, "routing/publish.html", context, status=status)


@staff("GET")
def editions(request: HttpRequest) -> HttpResponse:
    """Every edition there was, newest first."""
    _must(request.user, "see_routing")
    rows = RuleSet.objects.defer("rules").select_related("published_by").order_by("-number")[:200]
    return render(request, "routing/editions.html", {"editions": rows})


@staff("GET")
def edition(request: HttpRequest, number: int) -> HttpResponse:
    """One edition as it was, and the way back to it."""
    _must(request.user, "see_routing")
    one = get_object_or_404(RuleSet.objects.select_related("published_by"), number=number)
    live = publish.current(at=request.at)
    context = {
        "edition": one,
        "live": live,
        "is_live": one.number == live.number,
        "lines": _lines(facts.rules_of(one), facts.rules_of(live), None),
        "may_edit": may(request.user, "edit_routing"),
    }
    return render(request, "routing/edition.html", context)


@staff("POST")
def restoration(request: HttpRequest, number: int) -> HttpResponse:
    """Publish an earlier edition anew: the way back is a step forward, so nothing is lost."""
    _must(request.user, "edit_routing")
    one = get_object_or_404(RuleSet, number=number)
    try:
        made = publish.publish(
            facts.rules_of(one), by=request.user, at=request.at, summary=f"Back to v{number}"
        )
    except rule_check.BadRules as bad:
        return refused(request, str(bad), back_to=reverse("routing_edition", args=[number]))
    return done(
        request,
        f"v{made.number} decides from now on, with the rules of v{number}",
        back_to=reverse("routing"),
    )


def _must(user: User, verb: str) -> None:
    if not may(user, verb):
        raise PermissionDenied("Routing rules belong to operations.")


def _lines(
    rules: Sequence[Rule], live: Sequence[Rule], at: datetime | None
) -> list[dict[str, Any]]:
    """The rules as the page lists them, with how many leads each decided lately."""
    called = names.now()
    counts = _decided(at) if at else Counter()
    total = sum(counts.values())
    return [
        {
            "place": place,
            "name": one.name,
            "sentence": rule_words.sentence(one, called),
            "leads": counts[one.name],
            "total": total,
            "was": _was(one, rules, live, called),
            "is_first": place == 1,
            "is_last": place == len(rules),
        }
        for place, one in enumerate(rules, start=1)
    ]


def _was(
    one: Rule, rules: Sequence[Rule], live: Sequence[Rule], called: Any
) -> tuple[str, str] | None:
    """How it differs from the live rule of this name, in words; None when it does not."""
    old = next((rule for rule in live if rule.name == one.name), None)
    if old is None:
        return "Not among the live rules.", ""
    if old != one:
        return "Changed.", f"Live now: {rule_words.sentence(old, called)}"
    here, there = {rule.name for rule in rules}, {rule.name for rule in live}
    now = [rule.name for rule in rules if rule.name in there].index(one.name)
    stood = [rule.name for rule in live if rule.name in here].index(one.name)
    return ("Moved.", f"Among the live rules it is number {stood + 1}.") if now != stood else None


def _decided(at: datetime) -> Counter[str]:
    rows = RoutingDecision.objects.filter(at__gte=at - timedelta(days=DAYS), at__lte=at)
    first = rows.order_by("lead_id", "at", "id").distinct("lead_id")
    return Counter(first.values_list("rule_name", flat=True))


def _editions() -> Any:
    rows = RuleSet.objects.defer("rules").select_related("published_by")
    return rows.order_by("-number")


def _edited(
    request: HttpRequest, form: RuleForm, place: int, before: Any, status: int = 200
) -> HttpResponse:
    context = {"form": form, "place": place, "before": before, "has_context": False}
    return render(request, "routing/rule.html", context, status=status)


def _problems(
    changed: dict[str, Any], rules: Sequence[dict[str, Any]], place: int
) -> Sequence[str]:
    """What is wrong with this rule, alone and among the others."""
    others = [one["name"].strip().lower() for nth, one in enumerate(rules, 1) if nth != place]
    if changed["name"].strip().lower() in others:
        return ["Another rule has this name; decisions name their rule."]
    try:
        rule_check.read([changed])
    except rule_check.BadRules as bad:
        return bad.problems
    return []


def _put(
    request: HttpRequest, draft: rule_draft.Draft, changed: dict[str, Any], place: int
) -> None:
    rules = list(draft.rules)
    if place:
        rules[place - 1] = changed
    else:
        rules.append(changed)
    rule_draft.keep(request, draft, rules)


def _simulated(draft: rule_draft.Draft, live: RuleSet, at: datetime) -> Any:
    return simulate.over(days=DAYS, rules=draft.as_rules, live=facts.rules_of(live), at=at)


def _moved(request: HttpRequest, shown: simulate.Simulation) -> dict[str, Any]:
    """The leads that would go to someone else, as far as this user may see them."""
    called = names.now().officers
    some = shown.moved[:MOVED_SHOWN]
    leads = leads_visible_to(request.user).select_related("person", "source")
    known = {str(one.pk): one for one in leads.filter(pk__in=[m.lead_id for m in some])}
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
