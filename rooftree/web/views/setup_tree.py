"""Set-up: the tree of regions, branches and teams."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org import branches as org
from rooftree.org.models import Branch
from rooftree.web.answers import done
from rooftree.web.page import staff
from rooftree.web.staff_forms import ZONES, StaffForm, choice, text, zone
from rooftree.web.views.setup import must


class BranchForm(StaffForm):
    """One node of the tree."""

    name = text("Name", longest=120)
    kind = choice("It is a", org.KINDS.items())
    parent = choice("Below", (), required=False)
    zone = zone()
    nmls_id = text("NMLS ID", "Of the branch, where it has one", required=False, longest=20)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: Branch | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        self.fields["parent"].choices = [
            ("", "Nothing: it stands at the top"),
            *(
                (str(node.pk), f"{'· ' * depth}{node.name}")
                for depth, node in org.in_order()
                if itself is None or not node.path.startswith(itself.path)
            ),
        ]

    def above(self) -> Branch | None:
        """The node it lies below."""
        key = self.cleaned_data["parent"]
        return Branch.objects.get(pk=key) if key else None


@staff("GET", "POST")
def branches(request: HttpRequest) -> HttpResponse:
    """The tree, and a new node of it."""
    must(request.user, "edit_setup")
    form = BranchForm(request.POST or None, initial={"kind": "branch"})

    def add(typed: dict[str, Any]) -> Branch:
        return org.add(**{**typed, "parent": form.above()}, by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(add):
        return done(request, f"{form.made.name} is in the tree", back_to=reverse("setup_branches"))
    counted = Branch.objects.annotate(
        people=Count("users", distinct=True), busy=Count("officers", distinct=True)
    ).in_bulk()
    nodes = [
        {"depth": depth, "node": counted[node.pk], "zone": ZONES.get(node.zone, node.zone)}
        for depth, node in org.in_order()
    ]
    status = 422 if request.method == "POST" else 200
    context = {"nodes": nodes, "form": form, "kinds": org.KINDS}
    return render(request, "setup/branches.html", context, status=status)


@staff("GET", "POST")
def branch(request: HttpRequest, branch_id: UUID) -> HttpResponse:
    """Rename one node, or move it with all below it."""
    must(request.user, "edit_setup")
    one = get_object_or_404(Branch, pk=branch_id)
    initial = {name: getattr(one, name) for name in org.EDITABLE}
    initial["parent"] = str(one.parent_id or "")
    form = BranchForm(request.POST or None, initial=initial, itself=one)

    def change(typed: dict[str, Any]) -> Branch:
        kept = {**typed, "parent": form.above()}
        return org.change(branch_id=one.pk, **kept, by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(change):
        return done(request, f"{form.made.name} is kept", back_to=reverse("setup_branches"))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form, "title": one.name, "back": reverse("setup_branches"), "back_to": "Branches",
        "sub": "who sees which leads follows the tree at once",
    }  # fmt: skip
    return render(request, "setup/form.html", context, status=status)
