"""Templates: every automatic message and script, live now or in the past, and its versions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from rooftree.capture.own_form import form_versions
from rooftree.capture.own_form.form_design import FormDesign
from rooftree.capture.own_form.form_versions import ShownForm
from rooftree.compliance.wording_rules import wording_check
from rooftree.leads.models import Source
from rooftree.money.company_day import company_day
from rooftree.org.models import Company
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import version_approval
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

MAX_COUNTED = 10_000  # messages made from a version; beyond that they aren't counted
NEW_STEP = "new"  # a sequence step that staff name themselves


@staff_view("GET")
def list_wording(request: StaffRequest) -> HttpResponse:
    """List the templates live now, or at a past moment of the query, in each language."""
    require_permission(request.user, "see_sequences")
    moment, problem = _chosen_moment(request)
    rows = Template.objects.select_related("decided_by", "written_by")
    live = rows.filter(version_approval.in_use_filter(moment))
    waiting = rows.filter(decided_at=None).exclude(written_by=None).order_by("written_at")
    context = {
        "has_context": True,
        "groups": _group_places(live, rows.filter(decided_at=None), moment),
        "defaults_count": version_approval.waiting_defaults(Template).count(),
        "may_approve": has_permission(request.user, version_approval.APPROVE_PERMISSION),
        "waiting": [{"version": row, "place": version_place(row)} for row in waiting],
        "moment": moment,
        "is_past": moment != request.at,
        "problem": problem,
        "typed_at": request.GET.get("at", ""),
        "languages": LANGUAGE_NAMES.items(),
        "approvers": [approver.name for approver in version_approval.approvers()],
        "may_edit": has_permission(request.user, "edit_sequences"),
        "forms": (forms := _form_lines(moment)),
        "are_forms_clean": not any(line["findings"] for form in forms for line in form["texts"]),
        "may_see_forms": has_permission(request.user, "see_sources"),
    }
    return render(request, "wording/index.html", context)


class WordingPlaceForm(StaffForm):
    """The place of a new template."""

    key = choice_field("Used for", [])
    name = text_field("Step name", "For a new sequence step", required=False, max_length=50)
    medium = choice_field("Channel", (MEDIUM_NAMES | SPOKEN_MEDIUM_NAMES).items())
    loan_kind = choice_field("Loan type", LOAN_KIND_NAMES.items(), required=False)
    hours = choice_field("Hours", HOURS_NAMES.items(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        occasions = [(key, get_occasion(key).title) for key in _wording_keys()]
        self.set_choices("key", [*occasions, (NEW_STEP, "New sequence step")])


@staff_view("GET", "POST")
def choose_place(request: StaffRequest) -> HttpResponse:
    """Choose the place of a new template and open its editor; nothing is saved yet."""
    require_permission(request.user, "edit_sequences")
    form = WordingPlaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        key = _build_key(typed["name"]) if typed["key"] == NEW_STEP else typed["key"]
        media = get_occasion(key).media
        if not key:
            form.show_refusal("name", "Enter a name with letters or digits.")
        elif typed["medium"] not in media:
            form.show_refusal("medium", f"Choose {' or '.join(media.values()).lower()}.")
        else:
            place = WordingPlace(
                key=key, medium=typed["medium"], loan_kind=typed["loan_kind"], hours=typed["hours"]
            )
            return HttpResponseRedirect(place.url, status=303)
    return render(request, "wording/new.html", {"form": form}, status=422 if form.errors else 200)


@staff_view("GET")
def show_wording_version(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Show one version with its exact text, its approval and the possible actions."""
    require_permission(request.user, "see_sequences")
    version = get_version(edition_id)
    before = (
        version_approval.versions_of_place(version)
        .filter(version__lt=version.version, from_at__isnull=False)
        .first()
    )
    count = Message.objects.filter(template=version)[: MAX_COUNTED + 1].count()
    context = {
        "version": version,
        "place": version_place(version),
        "language": LANGUAGE_NAMES[version.language],
        "reading": check_template(version, at=request.at),
        "before": before,
        "subject_changes": wording_editor.diff_words(before.subject, version.subject)
        if before
        else (),
        "changes": wording_editor.diff_words(before.body, version.body) if before else (),
        "sha256": version_approval.content_hash(version),
        "made_from_it": f"over {MAX_COUNTED:,}" if count > MAX_COUNTED else f"{count:,}",
        **version_actions.action_context(version, request.user, request.at),
    }
    return render(request, "wording/version.html", context)


def get_version(edition_id: UUID) -> Template:
    """Return a version with its author and approver. Raises `Http404`."""
    rows = Template.objects.select_related("written_by", "decided_by")
    return get_object_or_404(rows, pk=edition_id)


def _form_lines(moment: datetime) -> list[dict[str, Any]]:
    """Return the consent texts of each website form at a moment, with the problems in them."""
    legal_name = Company.objects.values_list("legal_name", flat=True).first() or ""
    sources = Source.objects.filter(adapter="website_form", paused_at=None).order_by("name")
    shown: list[tuple[Source | None, ShownForm]] = [
        (source, form_versions.form_in_use(source, at=moment)) for source in sources
    ]
    if not shown:
        shown = [(None, form_versions.default_form(on=company_day(moment)))]
    return [
        {
            "source": source,
            "name": f"v{form.version.number}" if form.version else "default",
            "texts": [_consent_line(form.design, code, legal_name) for code in LANGUAGES],
        }
        for source, form in shown
    ]


def _consent_line(design: FormDesign, language: str, legal_name: str) -> dict[str, Any]:
    text = design.consent_text(language, legal_name)
    draft = wording_check.Draft(body=text, channel="page", language=language)
    return {
        "language": LANGUAGE_NAMES[language],
        "code": language,
        "text": text,
        "findings": wording_check.find_wording_issues(draft),
    }


def _chosen_moment(request: StaffRequest) -> tuple[datetime, str]:
    """Return the moment of the query, in the user's zone and never in the future, and an error."""
    typed = request.GET.get("at", "")
    if not typed:
        return request.at, ""
    try:
        moment = timezone.make_aware(datetime.fromisoformat(typed))
    except ValueError:
        return request.at, "Enter it as 2026-11-30 14:05:00."
    return min(moment, request.at), ""


def _wording_keys() -> list[str]:
    """Return the keys of all occasions: Rooftree's, then the steps that staff named."""
    keys = Template.objects.order_by("key").values_list("key", flat=True).distinct()
    return [*OCCASIONS, *(key for key in keys if key not in OCCASIONS)]


def _build_key(name: str) -> str:
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in name.lower())
    return "_".join(plain.split())


def _group_places(
    live: Iterable[Template], waiting: Iterable[Template], moment: datetime
) -> list[dict[str, Any]]:
    """Group the places by occasion, each with its live versions by language."""
    groups: dict[str, dict[WordingPlace, dict[str, Any]]] = {key: {} for key in _wording_keys()}
    for template in live:
        line = _place_line(groups, template)
        line[template.language] = {"version": template, "tone": _approval_tone(template, moment)}
    for template in waiting:
        _place_line(groups, template)["waiting"].append(template)
    return [
        {
            "occasion": get_occasion(key),
            "lines": sorted(places.values(), key=lambda line: line["order"]),
        }
        for key, places in groups.items()
        if places
    ]


def _place_line(
    groups: dict[str, dict[WordingPlace, dict[str, Any]]], template: Template
) -> dict[str, Any]:
    place = version_place(template)
    order = (
        template.medium != "text",
        template.hours,
        list(LOAN_KIND_NAMES).index(template.loan_kind),
    )
    return groups[template.key].setdefault(place, {"place": place, "order": order, "waiting": []})


def _approval_tone(template: Template, moment: datetime) -> str:
    expires_at = template.approved_until
    if expires_at is None or not template.is_approved(moment):
        return "late"
    return "soon" if expires_at - moment < version_actions.ENDING_SOON else "ok"
