"""The owner and the due date of one step of the go-live list."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.money.company_day import company_day
from rooftree.org import setup_steps
from rooftree.org.models import User
from rooftree.web.setup import setup_guide
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, choice_field, row_choices
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class StepForm(StaffForm):
    """The owner and the due date of a step."""

    owner_id = choice_field("Owner", (), required=False)
    due_date = forms.DateField(
        label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = User.objects.staff().filter(is_active=True).order_by("name")
        self.set_choices("owner_id", row_choices(users, "No one yet"))


@staff_view("GET", "POST")
def assign_step(request: StaffRequest, key: str) -> HttpResponse:
    """Show who looks after a step; a POST changes it. Unknown keys are 404."""
    require_permission(request.user, "edit_setup")
    groups = setup_guide.build_groups(company_day(request.at), request.at)
    step = next((step for group in groups for step in group.steps if step.key == key), None)
    if step is None:
        raise Http404
    stored = setup_steps.stored_steps().get(key)
    initial = (
        {"owner_id": str(stored.owner_id or ""), "due_date": stored.due_date} if stored else {}
    )
    form = StepForm(request.POST or None, initial=initial)

    def save(typed: dict[str, Any]) -> None:
        owner = User.objects.get(pk=typed["owner_id"]) if typed["owner_id"] else None
        setup_steps.assign_step(key, owner=owner, due_date=typed["due_date"])

    if request.method == "POST" and form.submit(save):
        return respond_done(request, f"“{step.name}” saved", back_to=reverse("setup"))
    context = {"form": form, "title": step.name, "sub": step.description}
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)
