"""Deactivating a user: a preview of who gets their leads, then the act."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import officer_departure
from rooftree.org.models import LoanOfficer, User
from rooftree.org.staff_accounts import StaffChangeError
from rooftree.routing import handover
from rooftree.routing.lead_ownership import CannotOwn
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import StaffForm, choice_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LISTED = 100


class DepartureForm(StaffForm):
    """The new owner of the leads in nurture and application."""

    successor = choice_field(
        "Leads in nurture and application go to",
        (),
        "In states where they aren’t licensed, to a colleague who is",
        required=False,
    )

    def __init__(self, *args: Any, officer: LoanOfficer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = LoanOfficer.objects.filter(terminated_at=None).exclude(pk=officer.pk)
        self.others = {
            str(other.pk): other for other in others.select_related("user").order_by("user__name")
        }
        names = [(key, other.user.name) for key, other in self.others.items()]
        self.set_choices("successor", [("", "Spread over the branch"), *names])

    def chosen_officer(self) -> LoanOfficer | None:
        """Return the successor, or None to spread the leads over the branch."""
        return self.others.get(self.cleaned_data["successor"]) if self.is_valid() else None


@staff_view("GET", "POST")
def deactivate_user(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Show who would get a user's leads; a POST deactivates the user and hands them over."""
    require_permission(request.user, "edit_people")
    user = get_object_or_404(User.objects.staff(), pk=user_id)
    officer = (
        LoanOfficer.objects.filter(user=user, terminated_at=None).select_related("user").first()
    )
    back_to = reverse("setup_person", args=[user.pk])
    form = None
    if officer:
        typed = request.POST if request.method == "POST" else request.GET
        backup = {"successor": str(officer.backup_id or "")}
        form = DepartureForm(typed if "successor" in typed else backup, officer=officer)
    successor = form.chosen_officer() if form else None
    if request.method == "POST":
        try:
            officer_departure.deactivate_user(
                user_id=user.pk, successor=successor, by=request.user, at=request.at
            )
        except (StaffChangeError, CannotOwn) as problem:
            return respond_refused(request, str(problem), back_to=back_to)
        return respond_done(request, f"{user.name} deactivated", back_to=reverse("setup_people"))
    plan = handover.plan_handover(officer, successor=successor, at=request.at) if officer else None
    context = {
        "person": user,
        "officer": officer,
        "form": form,
        "plan": plan,
        "successor": successor,
        "listed": plan.rows[:MAX_LISTED] if plan else (),
    }
    return render(request, "setup/departure.html", context)
