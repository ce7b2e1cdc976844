"""What people do with an edition of wording or of a sequence: the same buttons for both."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from types import ModuleType
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from rooftree.money.company_day import company_day, company_zone
from rooftree.org.models import User
from rooftree.outreach import editions
from rooftree.outreach.models import Edition
from rooftree.routing.visible import may
from rooftree.web.answers import done, refused
from rooftree.web.page import must

SOON = timedelta(days=30)  # an approval that ends within it is shown as ending
EDIT = "edit_sequences"  # of `routing.visible.MAY`


def act(
    request: HttpRequest, edition: Edition, what: str, *, publish: ModuleType, back_to: str
) -> HttpResponse:
    """Carry one act out, in the words of its button.

    Args:
        publish: the module that knows how to read such an edition: propose, approve, put_back.
    """
    if what not in ACTS:
        raise Http404
    try:
        said = ACTS[what](request, edition, publish)
    except editions.CannotDecide as problem:
        return refused(request, str(problem), back_to=back_to)
    return done(request, said, back_to=back_to)


def context(edition: Edition, user: User, at: datetime) -> dict[str, Any]:
    """What may be done with it by whom, for the page."""
    is_own, is_waiting = edition.written_by_id == user.pk, edition.state == "waiting"
    may_approve, is_only = may(user, editions.APPROVE), editions.is_only_approver(user)
    may_edit, is_approved = may(user, EDIT), edition.is_approved(at)
    used = edition.from_at is not None
    return {
        "may_approve": is_waiting and may_approve and (not is_own or is_only),
        "is_alone": is_waiting and may_approve and is_own and is_only,
        "may_take_back": is_waiting and is_own,
        "may_refuse": is_waiting and may_approve and not is_own,
        "may_withdraw": used and is_approved and may_approve,
        "may_put_back": used and is_approved and may_edit and edition.state == "ended",
        "may_renew": may_edit and used and edition.state == "live",
        "others": [one.name for one in editions.approvers() if one.pk != edition.written_by_id],
        "is_approved": is_approved,
        "ends_soon": is_approved and edition.approved_until - at < SOON,
        "last_day": company_day(at) + editions.LONGEST,
        "first_day": company_day(at) + timedelta(days=1),
    }


def _approval(request: HttpRequest, edition: Edition, publish: ModuleType) -> str:
    must(request.user, editions.APPROVE)
    made = publish.approve(
        edition, by=request.user, until=_until(request), at=request.at,
        alone=request.POST.get("alone") == "on",
    )  # fmt: skip
    return f"v{made.version} is in use from now on"


def _refusal(request: HttpRequest, edition: Edition, publish: ModuleType) -> str:
    must(request.user, editions.APPROVE)
    _refuse(request, edition, request.POST.get("reason", ""))
    return f"v{edition.version} is refused; its author sees why"


def _taking_back(request: HttpRequest, edition: Edition, publish: ModuleType) -> str:
    if edition.written_by_id != request.user.pk:
        raise PermissionDenied("Only its author takes a proposal back.")
    _refuse(request, edition, "Taken back by its author")
    return f"v{edition.version} is taken back"


def _refuse(request: HttpRequest, edition: Edition, reason: str) -> None:
    editions.refuse(edition, by=request.user, reason=reason, at=request.at)


def _withdrawal(request: HttpRequest, edition: Edition, publish: ModuleType) -> str:
    must(request.user, editions.APPROVE)
    reason = request.POST.get("reason", "")
    editions.withdraw(edition, by=request.user, reason=reason, at=request.at)
    return f"v{edition.version} is not sent any more"


def _restoration(request: HttpRequest, edition: Edition, publish: ModuleType) -> str:
    must(request.user, EDIT)
    made = publish.put_back(edition, by=request.user, at=request.at)
    return f"v{made.version} is in use from now on, and says what v{edition.version} said"


def _renewal(request: HttpRequest, edition: Edition, publish: ModuleType) -> str:
    must(request.user, EDIT)
    made = publish.propose(
        editions.copied(edition), by=request.user, at=request.at,
        summary=f"The same as v{edition.version}, to be approved anew",
    )  # fmt: skip
    return f"v{made.version} waits for approval"


def _until(request: HttpRequest) -> datetime:
    """The beginning of the day on which the approval ends, by the company's clock."""
    try:
        day = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        raise editions.CannotDecide("Say on which day the approval ends.") from None
    begins = datetime.combine(day, time(0), company_zone())
    return min(begins, request.at + editions.LONGEST) if _is_last(day, request) else begins


def _is_last(day: date, request: HttpRequest) -> bool:
    """The last day offered is a whole year away, whatever the clocks did in between."""
    return day == company_day(request.at) + editions.LONGEST


ACTS: dict[str, Callable[[HttpRequest, Any, ModuleType], str]] = {
    "approval": _approval,
    "refusal": _refusal,
    "taking-back": _taking_back,
    "withdrawal": _withdrawal,
    "restoration": _restoration,
    "renewal": _renewal,
}
