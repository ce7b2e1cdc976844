"""Asking a vendor, by hand, to take a delivered lead back."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import vendor_returns
from rooftree.leads.models import Touch
from rooftree.money.models import Claim
from rooftree.money.return_claims import ClaimNotAllowed
from rooftree.money.return_grounds import REASON_LABELS, ReturnReason
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import StaffForm, choice_field, textarea_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class ManualReturnForm(StaffForm):
    """For which of the reasons its contract knows, and why."""

    reason = choice_field("For", ())
    sentence = textarea_field(
        "The reason in a sentence", "As the vendor will read it", required=True
    )

    def __init__(self, *args: Any, reasons: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [
            (reason, REASON_LABELS[ReturnReason(reason)]) for reason in reasons
        ]
        self.fields["sentence"].widget.attrs["maxlength"] = 400


@staff_view("GET", "POST")
def request_return(request: StaffRequest, touch_id: UUID) -> HttpResponse:
    """The form, or why the lead cannot be given back."""
    require_permission(request.user, "work_returns")
    seen = Touch.objects.filter(lead__in=leads_visible_to(request.user))
    touch = get_object_or_404(seen.select_related("source", "lead__person"), pk=touch_id)
    try:
        form, problem = (
            ManualReturnForm(request.POST or None, reasons=_allowed_reasons(request, touch)),
            "",
        )
    except ClaimNotAllowed as refusal:
        form, problem = None, str(refusal)

    def draft(typed: dict[str, Any]) -> Claim:
        return vendor_returns.draft_return_by_hand(
            touch_id=touch.pk, **typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form and form.submit(draft):
        here = reverse("return", args=[form.result.pk])
        return respond_redirect(request, "It goes with the next file", to=here)
    context = {"touch": touch, "form": form, "problem": problem}
    status = 422 if request.method == "POST" else 200
    return render(request, "returns/manual_return.html", context, status=status)


def _allowed_reasons(request: StaffRequest, touch: Touch) -> list[str]:
    return vendor_returns.allowed_reasons(touch.pk, at=request.at)
