"""Start a draft of the routing rules from the company's branches, licenses and languages."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from rooftree.routing import rule_sets, rule_template
from rooftree.routing.permissions import has_permission
from rooftree.routing.rule_template import TemplateGap
from rooftree.web.routing import rule_draft
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

# Of each gap: what is missing, the link's words, its page, and the permission the page needs.
GAPS = {
    TemplateGap.BRANCHES: (
        "You have no branch yet.", "Set up branches", "setup_branches", "edit_setup",
    ),
    TemplateGap.OFFICERS: (
        "You have no active loan officer yet.", "Add users", "setup_people", "edit_people",
    ),
    TemplateGap.LICENSES: (
        "No loan officer has a license in force in a state where the company has one too.",
        "Check licenses", "setup_licenses", "edit_licenses",
    ),
    TemplateGap.STATES: (
        "A depository’s officers can lend in every state, so no state belongs to a branch.",
        "Add a rule yourself", "routing_rule_new", "edit_routing",
    ),
}  # fmt: skip


@staff_view("POST")
def start_draft(request: StaffRequest) -> HttpResponse:
    """Start a draft from the template, unless there is one already or something is missing."""
    require_permission(request.user, "edit_routing")
    back_to = reverse("routing")
    if rule_draft.load_draft(request):
        why = "You already have a draft. Publish or delete it first."
        return respond_refused(request, why, back_to=back_to)
    if gaps := rule_template.find_gaps(at=request.at):
        return respond_refused(request, " ".join(GAPS[gap][0] for gap in gaps), back_to=back_to)
    live = rule_sets.load_current_rule_set(at=request.at)
    rules = [rule.to_json() for rule in rule_template.build_rules(at=request.at)]
    rule_draft.save_draft(request, rule_draft.load_or_start_draft(request, live), rules)
    toast = f"Draft with {len(rules)} rules created. Edit it, then publish it"
    return respond_done(request, toast, back_to=back_to)


def describe(request: StaffRequest) -> dict[str, Any] | None:
    """Return what the template lacks, as (sentence, link's words, link); None without the right."""
    if not has_permission(request.user, "edit_routing"):
        return None
    gaps = [GAPS[gap] for gap in rule_template.find_gaps(at=request.at)]
    return {
        "gaps": [
            (sentence, act, reverse(page) if has_permission(request.user, permission) else "")
            for sentence, act, page, permission in gaps
        ]
    }
