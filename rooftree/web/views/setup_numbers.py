"""Set-up: the vendor that is asked which lists a number is on, and whether it changed hands."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.compliance.amending import standing
from rooftree.compliance.load_dnc import LITIGATOR, NATIONAL
from rooftree.compliance.numbers import questions, service
from rooftree.compliance.numbers.models import NumberService
from rooftree.compliance.numbers.service import Wanted
from rooftree.compliance.numbers.shapes import Kind
from rooftree.compliance.rulebook import SEPARATE_LISTS
from rooftree.core.zones import STATE_NAMES
from rooftree.flow import numbers as flow
from rooftree.money.company_day import company_day
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import ON_FILE, StaffForm, secret, several, text, yes

LISTS = {
    NATIONAL: "National registry",
    LITIGATOR: "Known litigators",
    **{one: f"{STATE_NAMES[one]} state list" for one in sorted(SEPARATE_LISTS)},
}


class ServiceForm(StaffForm):
    """An account at Contact Center Compliance, and what it is subscribed to."""

    key = secret("Login ID (API key)", "In your DNCScrub account", required=True)
    project = text("Project", "Where the account has several", required=False, longest=60)
    covers = several(
        "Lists that the project is scrubbed against",
        LISTS.items(),
        "Tick only what it is subscribed to: a number counts as clear of these alone",
    )
    asks_reassigned = yes(
        "It asks the FCC’s Reassigned Numbers Database for us",
        "Needs your letter of authorization on file there; without it no answer is a safe harbor",
    )

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_kept:
            self.fields["key"].required = False
            self.fields["key"].help_text = ON_FILE


@sensitive_post_parameters("key")
@staff("GET", "POST")
def numbers(request: HttpRequest) -> HttpResponse:
    """The account and how it answers; a POST tries it and keeps it."""
    must(request.user, "edit_setup")
    kept = service.the_service()
    form = ServiceForm(request.POST or None, initial=_initial(kept), is_kept=kept is not None)

    def keep(typed: dict[str, Any]) -> NumberService:
        return flow.set_up(Wanted(**typed), by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(keep):
        return done(request, "It answers; numbers are asked about from now on", back_to=_here())
    today = company_day(request.at)
    context = {
        "form": form,
        "service": kept,
        "name": service.adapter_of(kept).NAME if kept else "",
        "covers": [LISTS[one] for one in kept.covers] if kept else [],
        "waiting": questions.waiting(),
        "counts": questions.answered(),
        "good_for": standing.number("dnc_scrub_days", today),
        "check_days": standing.number("rnd_check_days", today),
        "contact_days": standing.number("rnd_contact_days", today),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/numbers.html", context, status=status)


@staff("POST")
def act(request: HttpRequest, what: str) -> HttpResponse:
    """Try the account that is on file, or ask it no more."""
    must(request.user, "edit_setup")
    if what not in ("trial", "stop"):
        raise Http404
    kept = service.the_service()
    if kept is None or what == "stop":
        service.stop(by=request.user, at=request.at)
        return done(request, "Nobody is asked any more; answers age", back_to=_here())
    problem = service.tried(kept, at=request.at)
    if problem:
        return refused(request, problem, back_to=_here())
    kinds = [kind for kind in Kind if kept.answers(kind)]
    both = "both questions" if len(kinds) == len(Kind) else "its question"
    return done(request, f"It answers {both} about our own number", back_to=_here())


def _initial(kept: NumberService | None) -> dict[str, Any]:
    if kept is None:
        return {"covers": [NATIONAL, LITIGATOR]}
    names = ("project", "covers", "asks_reassigned")
    return {name: getattr(kept, name) for name in names}


def _here() -> str:
    return reverse("setup_numbers")
