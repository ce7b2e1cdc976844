"""Asking a vendor, by hand, to take a delivered lead back."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import returns
from rooftree.leads.models import Touch
from rooftree.money.claims import CannotClaim
from rooftree.money.grounds import REASONS, Reason
from rooftree.money.models import Claim
from rooftree.routing.visible import leads_visible_to
from rooftree.web.answers import moved
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, area, choice


class AskForm(StaffForm):
    """For which of the reasons its contract knows, and why."""

    reason = choice("For", ())
    sentence = area("The reason in a sentence", "As the vendor will read it", required=True)

    def __init__(self, *args: Any, reasons: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [(one, REASONS[Reason(one)]) for one in reasons]
        self.fields["sentence"].widget.attrs["maxlength"] = 400


@staff("GET", "POST")
def ask(request: HttpRequest, touch_id: UUID) -> HttpResponse:
    """The form, or why the lead cannot be given back."""
    must(request.user, "work_returns")
    seen = Touch.objects.filter(lead__in=leads_visible_to(request.user))
    touch = get_object_or_404(seen.select_related("source", "lead__person"), pk=touch_id)
    try:
        form, problem = AskForm(request.POST or None, reasons=_reasons(request, touch)), ""
    except CannotClaim as refusal:
        form, problem = None, str(refusal)

    def draft(typed: dict[str, Any]) -> Claim:
        return returns.ask_by_hand(touch_id=touch.pk, **typed, by=request.user, at=request.at)

    if request.method == "POST" and form and form.carried_out(draft):
        here = reverse("return", args=[form.made.pk])
        return moved(request, "It goes with the next file", to=here)
    context = {"touch": touch, "form": form, "problem": problem}
    status = 422 if request.method == "POST" else 200
    return render(request, "returns/by_hand.html", context, status=status)


def _reasons(request: HttpRequest, touch: Touch) -> list[str]:
    return returns.reasons_for(touch.pk, at=request.at)
