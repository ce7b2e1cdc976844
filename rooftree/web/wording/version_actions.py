"""Actions on a version of a template or sequence: approve, reject, withdraw, restore, renew."""

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

ENDING_SOON = timedelta(days=30)  # warn this long before an approval expires
EDIT_PERMISSION = "edit_sequences"  # key of `routing.permissions.ROLES_BY_PERMISSION`


def apply_action(
    request: StaffRequest,
    version: ContentVersion,
    action: str,
    *,
    publish: ModuleType,
    back_to: str,
) -> HttpResponse:
    """Carry out one of ACTIONS and confirm it.

    Args:
        publish: the module with `propose_draft`, `approve_draft` and `restore_draft` for this
            kind of content.
    """
    if action not in ACTIONS:
        raise Http404
    try:
        words = ACTIONS[action](request, version, publish)
    except version_approval.CannotDecideVersion as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, words, back_to=back_to)


def action_context(version: ContentVersion, user: User, at: datetime) -> dict[str, Any]:
    """Return which actions the user can take on a version, for its page."""
    is_own, is_waiting = version.written_by_id == user.pk, version.state == "waiting"
    may_approve = has_permission(user, version_approval.APPROVE_PERMISSION)
    is_only = version_approval.is_only_approver(user)
    may_edit, is_approved = has_permission(user, EDIT_PERMISSION), version.is_approved(at)
    was_live = version.from_at is not None
    expires_at = version.approved_until
    return {
        "may_approve": is_waiting and may_approve and (not is_own or is_only),
        "is_alone": is_waiting and may_approve and is_own and is_only,
        "may_take_back": is_waiting and is_own,
        "may_refuse": is_waiting and may_approve and not is_own,
        "may_withdraw": was_live and is_approved and may_approve,
        "may_put_back": was_live and is_approved and may_edit and version.state == "ended",
        "may_renew": may_edit and was_live and version.state == "live",
        "others": [
            approver.name
            for approver in version_approval.approvers()
            if approver.pk != version.written_by_id
        ],
        "is_approved": is_approved,
        "ends_soon": is_approved and expires_at is not None and expires_at - at < ENDING_SOON,
        "last_day": company_day(at) + version_approval.MAX_APPROVAL,
        "first_day": company_day(at) + timedelta(days=1),
    }


def _approve_version(request: StaffRequest, version: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    live = publish.approve_draft(
        version, by=request.user, until=_parse_approval_end(request), at=request.at,
        self_approved=request.POST.get("alone") == "on",
    )  # fmt: skip
    return f"v{live.version} is live"


def _refuse_version(request: StaffRequest, version: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    _record_refusal(request, version, request.POST.get("reason", ""))
    return f"v{version.version} rejected. Its author can see the reason"


def _withdraw_proposal(request: StaffRequest, version: ContentVersion, publish: ModuleType) -> str:
    if version.written_by_id != request.user.pk:
        raise PermissionDenied("Only the author can withdraw a proposal.")
    _record_refusal(request, version, "Withdrawn by its author")
    return f"v{version.version} withdrawn"


def _record_refusal(request: StaffRequest, version: ContentVersion, reason: str) -> None:
    version_approval.refuse_version(version, by=request.user, reason=reason, at=request.at)


def _stop_version(request: StaffRequest, version: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    reason = request.POST.get("reason", "")
    version_approval.withdraw_version(version, by=request.user, reason=reason, at=request.at)
    return f"v{version.version} withdrawn. It is no longer sent"


def _restore_version(request: StaffRequest, version: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, EDIT_PERMISSION)
    live = publish.restore_draft(version, by=request.user, at=request.at)
    return f"v{live.version} is live with the content of v{version.version}"


def _renew_version(request: StaffRequest, version: ContentVersion, publish: ModuleType) -> str:
    require_permission(request.user, EDIT_PERMISSION)
    proposal = publish.propose_draft(
        version_approval.copy_as_draft(version), by=request.user, at=request.at,
        summary=f"Renewal of v{version.version} without changes",
    )  # fmt: skip
    return f"v{proposal.version} sent for approval"


def _parse_approval_end(request: StaffRequest) -> datetime:
    """Return the start of the day on which the approval expires, in the company's time zone.

    The last day offered is a whole year away, whatever daylight saving time did in between.
    """
    try:
        day = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        raise version_approval.CannotDecideVersion("Enter the day the approval expires.") from None
    expires_at = datetime.combine(day, time(0), company_zone())
    if day == company_day(request.at) + version_approval.MAX_APPROVAL:
        return min(expires_at, request.at + version_approval.MAX_APPROVAL)
    return expires_at


ACTIONS: dict[str, Callable[[StaffRequest, Any, ModuleType], str]] = {
    "approval": _approve_version,
    "refusal": _refuse_version,
    "taking-back": _withdraw_proposal,
    "withdrawal": _stop_version,
    "restoration": _restore_version,
    "renewal": _renew_version,
}
