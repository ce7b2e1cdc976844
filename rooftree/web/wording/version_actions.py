"""What people do with an edition of wording or of a sequence: the same buttons for both."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from types import ModuleType
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse

from rooftree.money.company_day import company_day, company_zone
from rooftree.org.models import User
from rooftree.outreach.models import ContentVersion
from rooftree.outreach.wording import version_approval
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission

ENDING_SOON = timedelta(days=30)  # an approval that ends within it is shown as ending
EDIT_PERMISSION = "edit_sequences"  # of `routing.visible.MAY`


def apply_action(
    request: StaffRequest, edition: ContentVersion, what: str, *, publish: ModuleType, back_to: str
) -> HttpResponse:
    """Carry one act out, in the words of its button.

    Args:
        publish: the module that knows how to read such an edition: propose, approve, put_back.
    """
    if what not in ACTIONS:
        raise Http404
    try:
        said = ACTIONS[what](request, edition, publish)
    except version_approval.CannotDecideVersion as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, said, back_to=back_to)


def action_context(edition: ContentVersion, user: User, at: datetime) -> dict[str, Any]:
    """What may be done with it by whom, for the page."""
    is_own, is_waiting = edition.written_by_id == user.pk, edition.state == "waiting"
    may_approve, is_only = (
        has_permission(user, version_approval.APPROVE_PERMISSION),
        version_approval.is_only_approver(user),
    )
    may_edit, is_approved = has_permission(user, EDIT_PERMISSION), edition.is_approved(at)
    used = edition.from_at is not None
    return {
        "may_approve": is_waiting and may_approve and (not is_own or is_only),
        "is_alone": is_waiting and may_approve and is_own and is_only,
        "may_take_back": is_waiting and is_own,
        "may_refuse": is_waiting and may_approve and not is_own,
        "may_withdraw": used and is_approved and may_approve,
        "may_put_back": used and is_approved and may_edit and edition.state == "ended",
        "may_renew": may_edit and used and edition.state == "live",
        "others": [
            approver.name
            for approver in version_approval.approvers()
            if approver.pk != edition.written_by_id
        ],
        "is_approved": is_approved,
        "ends_soon": is_approved and edition.approved_until - at < ENDING_SOON,
        "last_day": company_day(at) + version_approval.MAX_APPROVAL,
        "first_day": company_day(at) + timedelta(days=1),
    }


def _approve_version(request: StaffRequest, edition: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    made = publish.approve_draft(
        edition, by=request.user, until=_parse_approval_end(request), at=request.at,
        self_approved=request.POST.get("alone") == "on",
    )  # fmt: skip
    return f"v{made.version} is in use from now on"


def _refuse_version(request: StaffRequest, edition: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    _record_refusal(request, edition, request.POST.get("reason", ""))
    return f"v{edition.version} is refused; its author sees why"


def _withdraw_proposal(request: StaffRequest, edition: ContentVersion, publish: ModuleType) -> str:
    if edition.written_by_id != request.user.pk:
        raise PermissionDenied("Only its author takes a proposal back.")
    _record_refusal(request, edition, "Taken back by its author")
    return f"v{edition.version} is taken back"


def _record_refusal(request: StaffRequest, edition: ContentVersion, reason: str) -> None:
    version_approval.refuse_version(edition, by=request.user, reason=reason, at=request.at)


def _stop_version(request: StaffRequest, edition: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    reason = request.POST.get("reason", "")
    version_approval.withdraw_version(edition, by=request.user, reason=reason, at=request.at)
    return f"v{edition.version} is not sent any more"


def _restore_version(request: StaffRequest, edition: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, EDIT_PERMISSION)
    made = publish.restore_draft(edition, by=request.user, at=request.at)
    return f"v{made.version} is in use from now on, and says what v{edition.version} said"


def _renew_version(request: StaffRequest, edition: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, EDIT_PERMISSION)
    made = publish.propose_draft(
        version_approval.copy_as_draft(edition), by=request.user, at=request.at,
        summary=f"The same as v{edition.version}, to be approved anew",
    )  # fmt: skip
    return f"v{made.version} waits for approval"


def _parse_approval_end(request: StaffRequest) -> datetime:
    """The beginning of the day on which the approval ends, by the company's clock."""
    try:
        day = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        raise version_approval.CannotDecideVersion("Say on which day the approval ends.") from None
    begins = datetime.combine(day, time(0), company_zone())
    return (
        min(begins, request.at + version_approval.MAX_APPROVAL)
        if _is_last_offered_day(day, request)
        else begins
    )


def _is_last_offered_day(day: date, request: StaffRequest) -> bool:
    """The last day offered is a whole year away, whatever the clocks did in between."""
    return day == company_day(request.at) + version_approval.MAX_APPROVAL


ACTIONS: dict[str, Callable[[StaffRequest, Any, ModuleType], str]] = {
    "approval": _approve_version,
    "refusal": _refuse_version,
    "taking-back": _withdraw_proposal,
    "withdrawal": _stop_version,
    "restoration": _restore_version,
    "renewal": _renew_version,
}
