"""A forgotten password: a link by e-mail, and one answer for everybody who asks."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rooftree.flow import account_security
from rooftree.org import access_log, passwords, throttle
from rooftree.org.access_log import AccessKind
from rooftree.web.shared.request_caller import client_address, request_caller


@never_cache
@require_http_methods(["GET", "POST"])
def request_password_reset(request: HttpRequest) -> HttpResponse:
    """Asks for the e-mail; afterwards says the same whether it is known here or not."""
    email, problem = request.POST.get("email", "").strip(), ""
    if request.method == "POST":
        try:
            validate_email(email)
        except ValidationError:
            problem = "Write the whole e-mail address, as you@lender.com."
        else:
            _mail_reset_link(request, email)
    context = {"email": email, "problem": problem, "is_asked": email and not problem}
    return render(request, "sign_in/password_reset.html", context, status=422 if problem else 200)


def _mail_reset_link(request: HttpRequest, email: str) -> None:
    """Have the link mailed if there is somebody to mail it to, and not too often."""
    at = timezone.now()
    user = passwords.find_resettable_user(email)
    counted = [
        throttle.consume_attempt(throttle.RESET_ADDRESS, client_address(request), at=at),
        throttle.consume_attempt(throttle.RESET_ACCOUNT, email, at=at),
    ]
    access_log.record_access(
        AccessKind.RESET_ASKED if all(counted) else AccessKind.TOO_OFTEN, client=request_caller(request), at=at,
        user_id=user.pk if user else None, tried="" if user else access_log.hash_unknown_email(email),
        subject="password reset",
    )  # fmt: skip
    if user is not None and all(counted):
        account_security.mail_password_link.enqueue(user_id=str(user.pk))
