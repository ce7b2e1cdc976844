"""Manual returns: ask a vendor to take back a lead that Rooftree did not flag."""

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
    """A reason that the contract allows, and an explanation."""

    reason = choice_field("Reason", ())
    sentence = textarea_field("Explanation", "The vendor reads this", required=True)

    def __init__(self, *args: Any, reasons: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = [(reason, REASON_LABELS[ReturnReason(reason)]) for reason in reasons]
        self.set_choices("reason", labels)
        self.fields["sentence"].widget.attrs["maxlength"] = 400


@staff_view("GET", "POST")
def request_return(request: StaffRequest, touch_id: UUID) -> HttpResponse:
    """Show the form, or why the lead can't be returned; a POST drafts the return."""
    require_permission(request.user, "work_returns")
    visible = Touch.objects.filter(lead__in=leads_visible_to(request.user))
    touch = get_object_or_404(visible.select_related("source", "lead__person"), pk=touch_id)
    form: ManualReturnForm | None = None
    problem = ""
    try:
        reasons = vendor_returns.find_return_reasons(touch.pk, at=request.at)
    except ClaimNotAllowed as refusal:
        problem = str(refusal)
    else:
        form = ManualReturnForm(request.POST or None, reasons=reasons)

    def draft(typed: dict[str, Any]) -> Claim:
        return vendor_returns.draft_return_by_hand(
            touch_id=touch.pk, **typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form and form.submit(draft):
        url = reverse("return", args=[form.result.pk])
        return respond_redirect(request, "Return added to the next file", to=url)
    context = {"touch": touch, "form": form, "problem": problem}
    status = 422 if request.method == "POST" else 200
    return render(request, "returns/manual_return.html", context, status=status)
