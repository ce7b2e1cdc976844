"""Set-up: the tree of regions, branches and teams."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org import branches as org
from rooftree.org.models import Branch
from rooftree.web.setup.views import require_permission
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import ZONES, StaffForm, choice_field, text_field, zone_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


class BranchForm(StaffForm):
    """One node of the tree."""

    name = text_field("Name", max_length=120)
    kind = choice_field("It is a", org.BRANCH_KINDS.items())
    parent = choice_field("Below", (), required=False)
    zone = zone_field()
    nmls_id = text_field("NMLS ID", "Of the branch, where it has one", required=False, max_length=20)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: Branch | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        self.fields["parent"].choices = [
            ("", "Nothing: it stands at the top"),
            *(
                (str(node.pk), f"{'· ' * depth}{node.name}")
                for depth, node in org.list_branch_tree()
                if itself is None or not node.path.startswith(itself.path)
            ),
        ]

    def parent_branch(self) -> Branch | None:
        """The node it lies below."""
        key = self.cleaned_data["parent"]
        return Branch.objects.get(pk=key) if key else None


@staff_view("GET", "POST")
def list_branches(request: StaffRequest) -> HttpResponse:
    """The tree, and a new node of it."""
    require_permission(request.user, "edit_setup")
    form = BranchForm(request.POST or None, initial={"kind": "branch"})

    def add(typed: dict[str, Any]) -> Branch:
        return org.add_branch(**{**typed, "parent": form.parent_branch()}, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(add):
        return respond_done(
            request, f"{form.result.name} is in the tree", back_to=reverse("setup_branches")
        )
    counted = Branch.objects.annotate(
        people=Count("users", distinct=True), busy=Count("officers", distinct=True)
    ).in_bulk()
    nodes = [
        {"depth": depth, "node": counted[node.pk], "zone": ZONES.get(node.zone, node.zone)}
        for depth, node in org.list_branch_tree()
    ]
    status = 422 if request.method == "POST" else 200
    context = {"nodes": nodes, "form": form, "kinds": org.BRANCH_KINDS}
    return render(request, "setup/branches.html", context, status=status)


@staff_view("GET", "POST")
def edit_branch(request: StaffRequest, branch_id: UUID) -> HttpResponse:
    """Rename one node, or move it with all below it."""
    require_permission(request.user, "edit_setup")
    one = get_object_or_404(Branch, pk=branch_id)
    initial = {name: getattr(one, name) for name in org.EDITABLE_FIELDS}
    initial["parent"] = str(one.parent_id or "")
    form = BranchForm(request.POST or None, initial=initial, branch=one)

    def change(typed: dict[str, Any]) -> Branch:
        kept = {**typed, "parent": form.parent_branch()}
        return org.update_branch(branch_id=one.pk, **kept, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(change):
        return respond_done(request, f"{form.result.name} is kept", back_to=reverse("setup_branches"))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form, "title": one.name, "back": reverse("setup_branches"), "back_to": "Branches",
        "sub": "who sees which leads follows the tree at once",
    }  # fmt: skip
    return render(request, "setup/form.html", context, status=status)
