"""Wording: every standing text and letter, what is or was in use, and every edition of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from rooftree.capture.own_form import form_wording
from rooftree.compliance.wording_rules import wording_check
from rooftree.money.company_day import company_day
from rooftree.org.models import Company
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import template_approval, version_approval
from rooftree.outreach.wording.message_templates import LANGUAGES
from rooftree.outreach.wording.occasions import (
    HOURS_NAMES,
    LANGUAGE_NAMES,
    LOAN_KIND_NAMES,
    MEDIUM_NAMES,
    OCCASIONS,
    SPOKEN_MEDIUM_NAMES,
    get_occasion,
)
from rooftree.outreach.wording.template_check import check_template
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.staff_forms import StaffForm, choice_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.wording import version_actions, wording_editor
from rooftree.web.wording.wording_editor import WordingPlace, version_place

MAX_COUNTED = 10_000  # messages of an edition that are counted
NEW_STEP = "new"  # a step that staff name themselves


@staff_view("GET")
def list_wording(request: StaffRequest) -> HttpResponse:
    """Every place with what is in use there, in each language; or was, at a moment that passed."""
    require_permission(request.user, "see_sequences")
    moment, problem = _chosen_moment(request)
    rows = Template.objects.select_related("decided_by", "written_by")
    used = rows.filter(version_approval.in_use_filter(moment))
    waiting = rows.filter(decided_at=None).order_by("written_at")
    context = {
        "has_context": True,
        "groups": _group_places(used, waiting, moment),
        "waiting": [{"edition": row, "place": version_place(row)} for row in waiting],
        "moment": moment,
        "is_past": moment != request.at,
        "problem": problem,
        "asked": request.GET.get("at", ""),
        "languages": LANGUAGE_NAMES.items(),
        "approvers": [approver.name for approver in version_approval.approvers()],
        "may_edit": has_permission(request.user, "edit_sequences"),
        "disclosures": [_disclosure_line(code, moment) for code in LANGUAGES],
    }
    return render(request, "wording/index.html", context)


class WordingPlaceForm(StaffForm):
    """A place that has no wording of its own yet."""

    key = choice_field("Sent for", [])
    name = text_field(
        "Its name", "For a step of a sequence that is not there yet", required=False, max_length=50
    )
    medium = choice_field("By", (MEDIUM_NAMES | SPOKEN_MEDIUM_NAMES).items())
    loan_kind = choice_field("Loan", LOAN_KIND_NAMES.items(), required=False)
    hours = choice_field("Hour", HOURS_NAMES.items(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(key, get_occasion(key).title) for key in _wording_keys()]
        self.fields["key"].choices = [*known, (NEW_STEP, "A new step of a sequence")]


@staff_view("GET", "POST")
def choose_place(request: StaffRequest) -> HttpResponse:
    """Choose where wording of its own is wanted; the editor opens, and nothing is made yet."""
    require_permission(request.user, "edit_sequences")
    form = WordingPlaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        key = _build_key(said["name"]) if said["key"] == NEW_STEP else said["key"]
        media = get_occasion(key).media
        if not key:
            form.show_refusal("name", "Give the step a name, in letters and digits.")
        elif said["medium"] not in media:
            form.show_refusal("medium", f"It goes by {' or '.join(media.values()).lower()} only.")
        else:
            here = WordingPlace(
                key=key, medium=said["medium"], loan_kind=said["loan_kind"], hours=said["hours"]
            )
            return HttpResponseRedirect(here.url, status=303)
    return render(request, "wording/new.html", {"form": form}, status=422 if form.errors else 200)


@staff_view("GET")
def show_wording_version(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """One edition exactly as it is or was sent, who let it be, and what may be done with it."""
    require_permission(request.user, "see_sequences")
    one = _get_version(edition_id)
    before = (
        version_approval.versions_of_place(one)
        .filter(version__lt=one.version, from_at__isnull=False)
        .first()
    )
    count = Message.objects.filter(template=one)[: MAX_COUNTED + 1].count()
    context = {
        "edition": one,
        "place": version_place(one),
        "language": LANGUAGE_NAMES[one.language],
        "reading": check_template(one, at=request.at),
        "before": before,
        "subject_changes": wording_editor.diff_words(before.subject, one.subject) if before else (),
        "changes": wording_editor.diff_words(before.body, one.body) if before else (),
        "sha256": version_approval.content_hash(one),
        "made_from_it": f"over {MAX_COUNTED:,}" if count > MAX_COUNTED else f"{count:,}",
        **version_actions.action_context(one, request.user, request.at),
    }
    return render(request, "wording/version.html", context)


@staff_view("POST")
def apply_version_action(request: StaffRequest, edition_id: UUID, what: str) -> HttpResponse:
    """Approve, refuse, take back, stop, put back or renew an edition."""
    require_permission(request.user, "see_sequences")
    one = _get_version(edition_id)
    back = reverse("wording_edition", args=[one.pk])
    return version_actions.apply_action(request, one, what, publish=template_approval, back_to=back)


def _get_version(edition_id: UUID) -> Template:
    rows = Template.objects.select_related("written_by", "decided_by")
    return get_object_or_404(rows, pk=edition_id)


def _disclosure_line(language: str, moment: datetime) -> dict[str, Any]:
    """What our own form asks consent with, read by the same rules."""
    one = form_wording.current_edition(language, on=company_day(moment))
    said = one.render(Company.objects.values_list("legal_name", flat=True).first() or "")
    found = wording_check.find_wording_issues(
        wording_check.Draft(body=said, channel="page", language=language)
    )
    return {"language": LANGUAGE_NAMES[language], "edition": one, "said": said, "found": found}


def _chosen_moment(request: StaffRequest) -> tuple[datetime, str]:
    """The moment asked about, by the reader's clock, and what is wrong with it."""
    asked = request.GET.get("at", "")
    if not asked:
        return request.at, ""
    try:
        moment = timezone.make_aware(datetime.fromisoformat(asked))
    except ValueError:
        return request.at, "Write the moment as 2026-11-30 14:05:00."
    return min(moment, request.at), ""


def _wording_keys() -> list[str]:
    """What wording is sent for: what the program knows, then the steps that staff named."""
    there = Template.objects.order_by("key").values_list("key", flat=True).distinct()
    return [*OCCASIONS, *(key for key in there if key not in OCCASIONS)]


def _build_key(name: str) -> str:
    plain = "".join(one if one.isascii() and one.isalnum() else " " for one in name.lower())
    return "_".join(plain.split())


def _group_places(
    used: Iterable[Template], waiting: Iterable[Template], moment: datetime
) -> list[dict[str, Any]]:
    """The places by what they are sent for, each with its editions by language."""
    found: dict[str, dict[WordingPlace, dict[str, Any]]] = {key: {} for key in _wording_keys()}
    for template in used:
        line = _place_line(found, template)
        line[template.language] = {"edition": template, "tone": _approval_tone(template, moment)}
    for template in waiting:
        _place_line(found, template)["waiting"].append(template)
    return [
        {
            "occasion": get_occasion(key),
            "lines": sorted(places.values(), key=lambda one: one["order"]),
        }
        for key, places in found.items()
        if places
    ]


def _place_line(
    found: dict[str, dict[WordingPlace, dict[str, Any]]], one: Template
) -> dict[str, Any]:
    here = version_place(one)
    order = (one.medium != "text", one.hours, list(LOAN_KIND_NAMES).index(one.loan_kind))
    return found[one.key].setdefault(here, {"place": here, "order": order, "waiting": []})


def _approval_tone(one: Template, moment: datetime) -> str:
    if not one.is_approved(moment):
        return "late"
    return "soon" if one.approved_until - moment < version_actions.ENDING_SOON else "ok"
