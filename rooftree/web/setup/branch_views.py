"""Setup of the branch tree: regions, branches and teams."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org import branches
from rooftree.org.models import Branch
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import ZONES, StaffForm, choice_field, text_field, zone_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class BranchForm(StaffForm):
    """One node of the branch tree: a region, branch or team."""

    name = text_field("Name", max_length=120)
    kind = choice_field("Type", branches.BRANCH_KINDS.items())
    parent = choice_field("Belongs to", (), required=False)
    zone = zone_field()
    nmls_id = text_field("NMLS ID", "If the branch has one", required=False, max_length=20)

    def __init__(self, *args: Any, branch: Branch | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parents = [
            (str(node.pk), f"{'· ' * depth}{node.name}")
            for depth, node in branches.list_branch_tree()
            if branch is None or not node.path.startswith(branch.path)
        ]
        self.set_choices("parent", [("", "None (top level)"), *parents])

    def parent_branch(self) -> Branch | None:
        """Return the chosen parent; None for the top level."""
        key = self.cleaned_data["parent"]
        return Branch.objects.get(pk=key) if key else None


@staff_view("GET", "POST")
def list_branches(request: StaffRequest) -> HttpResponse:
    """Show the branch tree; a POST adds a node."""
    require_permission(request.user, "edit_setup")
    form = BranchForm(request.POST or None, initial={"kind": "branch"})

    def add(typed: dict[str, Any]) -> Branch:
        values = {**typed, "parent": form.parent_branch()}
        return branches.add_branch(**values, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(add):
        return respond_done(request, f"{form.result.name} added", back_to=reverse("setup_branches"))
    counted = Branch.objects.annotate(
        people=Count("users", distinct=True), busy=Count("officers", distinct=True)
    ).in_bulk()
    nodes = [
        {"depth": depth, "node": counted[node.pk], "zone": ZONES.get(node.zone, node.zone)}
        for depth, node in branches.list_branch_tree()
    ]
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/branches.html", {"nodes": nodes, "form": form}, status=status)


@staff_view("GET", "POST")
def edit_branch(request: StaffRequest, branch_id: UUID) -> HttpResponse:
    """Show one node of the tree; a POST renames it or moves it with everything below it."""
    require_permission(request.user, "edit_setup")
    branch = get_object_or_404(Branch, pk=branch_id)
    initial = {name: getattr(branch, name) for name in branches.EDITABLE_FIELDS}
    initial["parent"] = str(branch.parent_id or "")
    form = BranchForm(request.POST or None, initial=initial, branch=branch)

    def save(typed: dict[str, Any]) -> Branch:
        values = {**typed, "parent": form.parent_branch()}
        return branches.update_branch(branch_id=branch.pk, **values, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(request, f"{form.result.name} saved", back_to=reverse("setup_branches"))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form,
        "title": branch.name,
        "back": reverse("setup_branches"),
        "back_to": "Branches",
        "sub": "changes who sees which leads right away",
    }
    return render(request, "setup/form.html", context, status=status)
