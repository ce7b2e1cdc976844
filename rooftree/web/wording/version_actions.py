"""Actions on a version of a template or sequence: approve, reject, withdraw, restore, renew."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import ModuleType
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse

from rooftree.money.company_day import company_day, company_zone
from rooftree.org.models import User
from rooftree.outreach.models import ContentVersion
from rooftree.outreach.wording import version_approval
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

ENDING_SOON = timedelta(days=30)  # warn this long before an approval expires
EDIT_PERMISSION = "edit_sequences"  # key of `routing.permissions.ROLES_BY_PERMISSION`


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionKind:
    """A kind of content with approved versions: templates or sequences.

    `publish` is the module with `propose_draft`, `approve_draft` and `restore_draft` of this
    kind; `get_version` raises `Http404`.
    """

    name: str  # the beginning of the URL names
    get_version: Callable[[UUID], Any]
    publish: ModuleType


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


@staff_view("POST")
def approve_version(request: StaffRequest, edition_id: UUID, kind: VersionKind) -> HttpResponse:
    """Approve a proposed version until a day; it is live at once."""

    def approve(version: ContentVersion) -> str:
        require_permission(request.user, version_approval.APPROVE_PERMISSION)
        live = kind.publish.approve_draft(
            version, by=request.user, until=_parse_approval_end(request), at=request.at,
            self_approved=request.POST.get("alone") == "on",
        )  # fmt: skip
        return f"v{live.version} is live"

    return _change_version(request, edition_id, kind, approve)


@staff_view("POST")
def refuse_version(request: StaffRequest, edition_id: UUID, kind: VersionKind) -> HttpResponse:
    """Reject a proposed version for a reason."""

    def refuse(version: ContentVersion) -> str:
        require_permission(request.user, version_approval.APPROVE_PERMISSION)
        reason = request.POST.get("reason", "")
        version_approval.refuse_version(version, by=request.user, reason=reason, at=request.at)
        return f"v{version.version} rejected. Its author can see the reason"

    return _change_version(request, edition_id, kind, refuse)


@staff_view("POST")
def withdraw_proposal(request: StaffRequest, edition_id: UUID, kind: VersionKind) -> HttpResponse:
    """Withdraw the user's own proposal."""

    def withdraw(version: ContentVersion) -> str:
        if version.written_by_id != request.user.pk:
            raise PermissionDenied("Only the author can withdraw a proposal.")
        reason = "Withdrawn by its author"
        version_approval.refuse_version(version, by=request.user, reason=reason, at=request.at)
        return f"v{version.version} withdrawn"

    return _change_version(request, edition_id, kind, withdraw)


@staff_view("POST")
def stop_version(request: StaffRequest, edition_id: UUID, kind: VersionKind) -> HttpResponse:
    """Withdraw an approved version for a reason; it is no longer sent."""

    def stop(version: ContentVersion) -> str:
        require_permission(request.user, version_approval.APPROVE_PERMISSION)
        reason = request.POST.get("reason", "")
        version_approval.withdraw_version(version, by=request.user, reason=reason, at=request.at)
        return f"v{version.version} withdrawn. It is no longer sent"

    return _change_version(request, edition_id, kind, stop)


@staff_view("POST")
def restore_version(request: StaffRequest, edition_id: UUID, kind: VersionKind) -> HttpResponse:
    """Make the content of an earlier version live again, as a new version."""

    def restore(version: ContentVersion) -> str:
        require_permission(request.user, EDIT_PERMISSION)
        live = kind.publish.restore_draft(version, by=request.user, at=request.at)
        return f"v{live.version} is live with the content of v{version.version}"

    return _change_version(request, edition_id, kind, restore)


@staff_view("POST")
def renew_version(request: StaffRequest, edition_id: UUID, kind: VersionKind) -> HttpResponse:
    """Propose the live version again, without changes, for another year."""

    def renew(version: ContentVersion) -> str:
        require_permission(request.user, EDIT_PERMISSION)
        proposal = kind.publish.propose_draft(
            version_approval.copy_as_draft(version), by=request.user, at=request.at,
            summary=f"Renewal of v{version.version} without changes",
        )  # fmt: skip
        return f"v{proposal.version} sent for approval"

    return _change_version(request, edition_id, kind, renew)


def version_paths(prefix: str, kind: VersionKind) -> list[URLPattern]:
    """Build the URLs of the actions on a version, below `prefix`, with names that start alike."""
    views = {
        "approval": approve_version,
        "refusal": refuse_version,
        "taking-back": withdraw_proposal,
        "withdrawal": stop_version,
        "restoration": restore_version,
        "renewal": renew_version,
    }
    return [
        path(
            f"{prefix}<uuid:edition_id>/{word}/",
            view,
            {"kind": kind},
            name=f"{kind.name}_{word.replace('-', '_')}",
        )
        for word, view in views.items()
    ]


def _change_version(
    request: StaffRequest,
    edition_id: UUID,
    kind: VersionKind,
    change: Callable[[ContentVersion], str],
) -> HttpResponse:
    """Change a version and confirm it; `change` returns the toast."""
    require_permission(request.user, "see_sequences")
    version = kind.get_version(edition_id)
    back = reverse(f"{kind.name}_edition", args=[version.pk])
    try:
        words = change(version)
    except version_approval.CannotDecideVersion as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, words, back_to=back)


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
