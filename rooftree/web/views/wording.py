"""Wording: every standing text and letter, what is or was in use, and every edition of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from rooftree.capture import form_wording
from rooftree.compliance import lint
from rooftree.money.company_day import company_day
from rooftree.org.models import Company
from rooftree.outreach import editions, publish_wording
from rooftree.outreach.models import Message, Template
from rooftree.outreach.purposes import (
    HOURS,
    LANGUAGE_NAMES,
    LOANS,
    MEDIA,
    OCCASIONS,
    SPOKEN,
    occasion,
)
from rooftree.outreach.read_wording import read
from rooftree.outreach.wording import LANGUAGES
from rooftree.routing.visible import may
from rooftree.web import edition_acts, wording_form
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, choice, text
from rooftree.web.wording_form import Place, place_of

MANY = 10_000  # messages of an edition that are counted
NEW = "new"  # a step that staff name themselves


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """Every place with what is in use there, in each language; or was, at a moment that passed."""
    must(request.user, "see_sequences")
    moment, problem = _moment(request)
    rows = Template.objects.select_related("decided_by", "written_by")
    used = rows.filter(editions.used_at(moment))
    waiting = rows.filter(decided_at=None).order_by("written_at")
    context = {
        "has_context": True,
        "groups": _groups(used, waiting, moment),
        "waiting": [{"edition": one, "place": place_of(one)} for one in waiting],
        "moment": moment,
        "is_past": moment != request.at,
        "problem": problem,
        "asked": request.GET.get("at", ""),
        "languages": LANGUAGE_NAMES.items(),
        "approvers": [one.name for one in editions.approvers()],
        "may_edit": may(request.user, "edit_sequences"),
        "disclosures": [_disclosure(code, moment) for code in LANGUAGES],
    }
    return render(request, "wording/index.html", context)


class PlaceForm(StaffForm):
    """A place that has no wording of its own yet."""

    key = choice("Sent for", [])
    name = text(
        "Its name", "For a step of a sequence that is not there yet", required=False, longest=50
    )
    medium = choice("By", (MEDIA | SPOKEN).items())
    loan_kind = choice("Loan", LOANS.items(), required=False)
    hours = choice("Hour", HOURS.items(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(key, occasion(key).title) for key in _keys()]
        self.fields["key"].choices = [*known, (NEW, "A new step of a sequence")]


@staff("GET", "POST")
def new(request: HttpRequest) -> HttpResponse:
    """Choose where wording of its own is wanted; the editor opens, and nothing is made yet."""
    must(request.user, "edit_sequences")
    form = PlaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        key = _key_of(said["name"]) if said["key"] == NEW else said["key"]
        media = occasion(key).media
        if not key:
            form.refuse("name", "Give the step a name, in letters and digits.")
        elif said["medium"] not in media:
            form.refuse("medium", f"It goes by {' or '.join(media.values()).lower()} only.")
        else:
            here = Place(
                key=key, medium=said["medium"], loan_kind=said["loan_kind"], hours=said["hours"]
            )
            return HttpResponseRedirect(here.address, status=303)
    return render(request, "wording/new.html", {"form": form}, status=422 if form.errors else 200)


@staff("GET")
def edition(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """One edition exactly as it is or was sent, who let it be, and what may be done with it."""
    must(request.user, "see_sequences")
    one = _edition(edition_id)
    before = editions.of_place(one).filter(version__lt=one.version, from_at__isnull=False).first()
    count = Message.objects.filter(template=one)[: MANY + 1].count()
    context = {
        "edition": one,
        "place": place_of(one),
        "language": LANGUAGE_NAMES[one.language],
        "reading": read(one, at=request.at),
        "before": before,
        "subject_changes": wording_form.difference(before.subject, one.subject) if before else (),
        "changes": wording_form.difference(before.body, one.body) if before else (),
        "sha256": editions.sha256(one),
        "made_from_it": f"over {MANY:,}" if count > MANY else f"{count:,}",
        **edition_acts.context(one, request.user, request.at),
    }
    return render(request, "wording/edition.html", context)


@staff("POST")
def act(request: HttpRequest, edition_id: UUID, what: str) -> HttpResponse:
    """Approve, refuse, take back, stop, put back or renew an edition."""
    must(request.user, "see_sequences")
    one = _edition(edition_id)
    back = reverse("wording_edition", args=[one.pk])
    return edition_acts.act(request, one, what, publish=publish_wording, back_to=back)


def _edition(edition_id: UUID) -> Template:
    rows = Template.objects.select_related("written_by", "decided_by")
    return get_object_or_404(rows, pk=edition_id)


def _disclosure(language: str, moment: datetime) -> dict[str, Any]:
    """What our own form asks consent with, read by the same rules."""
    one = form_wording.current(language, on=company_day(moment))
    said = one.of(Company.objects.values_list("legal_name", flat=True).first() or "")
    found = lint.check(lint.Draft(body=said, channel="page", language=language))
    return {"language": LANGUAGE_NAMES[language], "edition": one, "said": said, "found": found}


def _moment(request: HttpRequest) -> tuple[datetime, str]:
    """The moment asked about, by the reader's clock, and what is wrong with it."""
    asked = request.GET.get("at", "")
    if not asked:
        return request.at, ""
    try:
        moment = timezone.make_aware(datetime.fromisoformat(asked))
    except ValueError:
        return request.at, "Write the moment as 2026-11-30 14:05:00."
    return min(moment, request.at), ""


def _keys() -> list[str]:
    """What wording is sent for: what the program knows, then the steps that staff named."""
    there = Template.objects.order_by("key").values_list("key", flat=True).distinct()
    return [*OCCASIONS, *(key for key in there if key not in OCCASIONS)]


def _key_of(name: str) -> str:
    plain = "".join(one if one.isascii() and one.isalnum() else " " for one in name.lower())
    return "_".join(plain.split())


def _groups(
    used: Iterable[Template], waiting: Iterable[Template], moment: datetime
) -> list[dict[str, Any]]:
    """The places by what they are sent for, each with its editions by language."""
    found: dict[str, dict[Place, dict[str, Any]]] = {key: {} for key in _keys()}
    for one in used:
        line = _line(found, one)
        line[one.language] = {"edition": one, "tone": _tone(one, moment)}
    for one in waiting:
        _line(found, one)["waiting"].append(one)
    return [
        {"occasion": occasion(key), "lines": sorted(places.values(), key=lambda one: one["order"])}
        for key, places in found.items()
        if places
    ]


def _line(found: dict[str, dict[Place, dict[str, Any]]], one: Template) -> dict[str, Any]:
    here = place_of(one)
    order = (one.medium != "text", one.hours, list(LOANS).index(one.loan_kind))
    return found[one.key].setdefault(here, {"place": here, "order": order, "waiting": []})


def _tone(one: Template, moment: datetime) -> str:
    if not one.is_approved(moment):
        return "late"
    return "soon" if one.approved_until - moment < edition_acts.SOON else "ok"
