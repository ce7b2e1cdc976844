"""The sequence editor: steps as rows, rules, problems beside the fields, and a preview."""

from collections.abc import Sequence as Many
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from rooftree.los.loan_milestones import all_milestones, milestone_label
from rooftree.nurture import sequence_approval, sequence_drafts, sequence_preview
from rooftree.nurture.models import Sequence, SequenceDraft
from rooftree.nurture.sequence_enrollment import plan_of
from rooftree.nurture.sequence_plan import ENDING_EVENTS, KINDS, STAGES, STARTS, BadPlan
from rooftree.nurture.step_conditions import FACTS
from rooftree.outreach.models import Template
from rooftree.outreach.wording import version_approval
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.sequences import sequence_editor
from rooftree.web.sequences.views import annotate_running, describe_version
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, choice_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LEADS = 12  # recent leads offered for the preview


class NewSequenceForm(StaffForm):
    """The name of a new sequence, and what it begins with."""

    name = text_field("Name", "Staff see it; borrowers don’t", max_length=120)
    copied = choice_field("Begin with", (), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Sequence.objects.order_by("name", "-version").values_list("key", "name")
        copies = [(key, f"The steps of “{name}”") for key, name in dict(rows).items()]
        self.set_choices("copied", [("", "No steps"), *copies])


@staff_view("GET", "POST")
def create_sequence(request: StaffRequest) -> HttpResponse:
    """Name a new sequence or copy one; its editor opens."""
    require_permission(request.user, "edit_sequences")
    data = request.POST if request.method == "POST" else None
    form = NewSequenceForm(data, initial={"copied": request.GET.get("copy", "")})
    if request.method == "POST" and form.submit(
        lambda typed: sequence_drafts.create_draft(
            name=typed["name"], copied_key=typed["copied"], by=request.user, at=request.at
        )
    ):
        return HttpResponseRedirect(reverse("sequence", args=[form.result.key]), status=303)
    return render(request, "sequences/new.html", {"form": form}, status=422 if form.errors else 200)


@staff_view("GET", "POST")
def edit_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Show the editor of a sequence; a POST saves what was typed and does one act on the steps."""
    require_permission(request.user, "edit_sequences")
    draft = _get_draft(key, request)
    if request.method != "POST":
        return _render_editor(request, draft)
    steps = sequence_editor.parse_steps(request.POST)
    rules = sequence_editor.parse_rules(request.POST, draft.rules)
    shown = 0
    if act := request.POST.get("act", ""):
        steps, shown = sequence_editor.apply_act(steps, act, request.POST.get("new_kind", ""))
    sequence_drafts.save_draft(draft, steps=steps, rules=rules, by=request.user, at=request.at)
    return HttpResponseRedirect(f"{request.path}#step-{shown}", status=303)


@staff_view("POST")
def propose_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Send the typed steps for approval."""
    require_permission(request.user, "edit_sequences")
    draft = _get_draft(key, request)
    draft = sequence_drafts.save_draft(
        draft,
        steps=sequence_editor.parse_steps(request.POST),
        rules=sequence_editor.parse_rules(request.POST, draft.rules),
        by=request.user,
        at=request.at,
    )
    try:
        proposal = sequence_drafts.propose_draft(
            draft, by=request.user, summary=request.POST.get("summary", ""), at=request.at
        )
    except version_approval.CannotDecideVersion as refusal:
        sentences = refusal.problems if isinstance(refusal, version_approval.UnfitVersion) else ()
        return _render_editor(request, draft, refusals=sentences or [str(refusal)], status=422)
    return respond_done(
        request, f"v{proposal.version} sent for approval", back_to=reverse("sequences")
    )


@staff_view("POST")
def discard_draft(request: StaffRequest, key: str) -> HttpResponse:
    """Delete the draft; the live sequence doesn't change."""
    require_permission(request.user, "edit_sequences")
    sequence_drafts.delete_draft(key)
    has_version = sequence_drafts.find_newest(key) is not None
    back_to = reverse("sequence", args=[key]) if has_version else reverse("sequences")
    return respond_done(request, "Draft deleted", back_to=back_to)


@staff_view("GET")
def preview_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Show the saved draft as one lead would get it from now on."""
    require_permission(request.user, "edit_sequences")
    draft = _get_draft(key, request)
    return render(request, "sequences/_preview.html", _preview_context(request, draft))


def _get_draft(key: str, request: StaffRequest) -> SequenceDraft:
    """Return the draft, or an unsaved one of the newest version. Raises `Http404`."""
    if draft := sequence_drafts.load_draft(key):
        return draft
    newest = sequence_drafts.find_newest(key)
    if newest is None:
        raise Http404("There is no such sequence.")
    steps = sequence_editor.name_steps(newest.steps)
    return SequenceDraft(
        key=key, name=newest.name, steps=steps, rules=newest.rules, edited_by=request.user
    )


def _as_version(draft: SequenceDraft) -> Sequence:
    return Sequence(key=draft.key, name=draft.name, steps=draft.steps, rules=draft.rules)


def _render_editor(
    request: StaffRequest, draft: SequenceDraft, *, refusals: Many[str] = (), status: int = 200
) -> HttpResponse:
    version = _as_version(draft)
    problems = sequence_approval.find_problems(version, at=request.at, counts_waiting=True)
    has_draft = draft.edited_at is not None
    rows = sequence_editor.build_rows(draft.steps, problems if has_draft else ())
    versions = annotate_running(version_approval.versions_of_place(version))
    context = {
        "draft": draft,
        "has_draft": has_draft,
        "rows": rows,
        "choices": _template_choices(),
        "units": sequence_editor.UNITS,
        "kinds": KINDS.items(),
        "media": MEDIUM_NAMES.items(),
        "others": Sequence.objects.exclude(key=draft.key)
        .order_by("key").distinct("key"),
        "facts": FACTS.items(),
        "rule_problems": [text for number, text in problems if number == 0 and has_draft],
        "refusals": refusals,
        "summary": request.POST.get("summary", ""),
        "history": versions,
        **_rules_context(draft),
        **describe_version(version, request.at),
        **_preview_context(request, draft),
    }  # fmt: skip
    return render(request, "sequences/editor.html", context, status=status)


def _rules_context(draft: SequenceDraft) -> dict[str, Any]:
    try:
        plan = plan_of(Sequence(key=draft.key, steps=[{"kind": "wait"}], rules=draft.rules))
    except BadPlan:
        plan = None
    rules = draft.rules or {}
    return {
        "rules": {
            "start": rules.get("start") or (plan.start if plan else "hand"),
            "start_days": rules.get("start_days", 0),
            "milestone": rules.get("milestone", ""),
            "audience": rules.get("audience", ""),
            "goal": rules.get("goal", ""),
            "stages": rules.get("stages") or (sorted(plan.stages) if plan else ()),
            "ends_on": rules.get("ends_on", [*ENDING_EVENTS]),
            "priority": rules.get("priority", 50),
        },
        "start_choices": STARTS.items(),
        "stage_choices": STAGES,
        "event_choices": ENDING_EVENTS.items(),
        "milestones": [(code, milestone_label(code)) for code in all_milestones()],
    }


def _template_choices() -> list[tuple[str, str]]:
    """Return the templates that a step can use, by title: approved, or waiting for approval."""
    rows = Template.objects.filter(decided_at=None) | Template.objects.filter(
        from_at__isnull=False, until_at=None
    )
    keys = set(rows.values_list("key", flat=True))
    return sorted(
        ((key, get_occasion(key).title) for key in keys if get_occasion(key).is_step),
        key=lambda choice: choice[1],
    )


def _preview_context(request: StaffRequest, draft: SequenceDraft) -> dict[str, Any]:
    """Return the recent leads to choose from, and the timeline of the chosen one."""
    visible = leads_visible_to(request.user).filter(is_test=False)
    leads = visible.select_related("person", "source", "officer__user").order_by("-last_inquiry_at")
    try:
        lead = leads.filter(pk=UUID(request.GET.get("lead", ""))).first()
        plan = plan_of(_as_version(draft)) if lead else None
    except ValueError:  # no lead chosen, or a draft with problems
        lead = plan = None
    lines = sequence_preview.preview_sequence(plan, lead, at=request.at) if lead and plan else ()
    return {"draft": draft, "leads": leads[:MAX_LEADS], "lead": lead, "lines": list(lines)}
