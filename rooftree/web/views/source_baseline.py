"""What is agreed with a source and expected of it, beside what it brings; the end of its audit."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import baseline, source_watch
from rooftree.capture.source_setup import BadSource
from rooftree.leads.models import Source
from rooftree.money import contracts
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Dollars, StaffForm, by_user, choice, number, text

UNKNOWN = "Not known yet"


class BaselineForm(StaffForm):
    """What is agreed and expected."""

    per_week = number("Leads a week", "As promised", least=1, most=1_000_000, required=False)
    contactable_pct = number(
        "Of 100, can be reached", "Have a number that is theirs", least=1, most=100, required=False
    )
    price_cents = Dollars("Price of a lead, $", "0 where it costs nothing")
    exclusive = choice("Sold", [("", UNKNOWN), *baseline.EXCLUSIVE.items()], required=False)
    contact = text(
        "Contact at the vendor", "Who to call when it goes wrong", required=False, longest=200
    )

    PARTS = (
        ("What it brings", ("per_week", "contactable_pct", "price_cents", "exclusive")),
        ("Who answers for it", ("contact", "watcher_id")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        people = User.objects.filter(is_active=True).order_by("name")
        watcher = choice(
            "Hears when it falls silent or gets worse",
            by_user(people, "Nobody yet"),
            required=False,
        )
        super().__init__(*args, more={"watcher_id": watcher}, **kwargs)

    def facts(self) -> dict[str, Any]:
        """What was typed, as columns."""
        typed = dict(self.cleaned_data)
        watcher = typed["watcher_id"]
        return {**typed, "watcher_id": UUID(watcher) if watcher else None}


@staff("GET", "POST")
def show(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Write it down, or look at it."""
    source = _source(request, source_id)
    if request.method == "GET":
        return _page(request, source)
    form = BaselineForm(request.POST)

    def agree(_: dict[str, Any]) -> Any:
        return baseline.agree(
            source_id=source.pk, facts=form.facts(), by=request.user, at=request.at
        )

    if form.carried_out(agree):
        return done(request, f"The baseline of {source.name} is kept", back_to=_home(source))
    return _page(request, source, form=form, status=422)


@staff("POST")
def waiver(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Do without one part of it, in one's own name."""
    source = _source(request, source_id)
    part = request.POST.get("part", "")

    def waive() -> str:
        baseline.waive(
            source_id=source.pk,
            part=part,
            why=request.POST.get("why", ""),
            by=request.user,
            at=request.at,
        )
        return f"{baseline.PARTS[part]} is waived by you"

    return _acted(request, source, waive)


@staff("POST")
def launch(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """End the audit."""
    source = _source(request, source_id)

    def act() -> str:
        baseline.launch(source_id=source.pk, by=request.user, at=request.at)
        return f"{source.name} is launched"

    return _acted(request, source, act)


def _acted(request: HttpRequest, source: Source, act: Callable[[], str]) -> HttpResponse:
    try:
        said = act()
    except BadSource as problem:
        return _page(request, source, problem=str(problem), status=422)
    return done(request, said, back_to=_home(source))


def _source(request: HttpRequest, source_id: UUID) -> Source:
    must(request.user, "edit_sources")
    return get_object_or_404(Source.objects.exclude(adapter__in=source_watch.FILES), pk=source_id)


def _home(source: Source) -> str:
    return reverse("source_baseline", args=[source.pk])


def _page(request: HttpRequest, source: Source, *, status: int = 200, **more: Any) -> HttpResponse:
    held = baseline.of(source)
    initial = {name: getattr(held, name) for name in baseline.EDITABLE}
    missing = baseline.missing(held)
    context = {
        "source": source,
        "held": held,
        "contract": contracts.in_force(source.pk, company_day(request.at)),
        "brings": source_watch.reality_of(source, at=request.at),
        "missing": [(part, baseline.PARTS[part]) for part in missing],
        "waived": [
            (baseline.PARTS[part], said)
            for part, said in held.waived.items()
            if not baseline.is_given(held, part)
        ],
        "form": more.pop("form", None) or BaselineForm(initial=initial),
        **more,
    }
    return render(request, "sources/baseline.html", context, status=status)
