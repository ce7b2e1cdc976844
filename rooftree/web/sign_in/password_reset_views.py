"""Password reset: a link by email, with the same response for known and unknown addresses."""

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
from rooftree.web.shared.request_caller import rate_limit_subject, request_caller


@never_cache
@require_http_methods(["GET", "POST"])
def request_password_reset(request: HttpRequest) -> HttpResponse:
    """Ask for the email address, mail a link, and show the same page for any address."""
    email, problem = request.POST.get("email", "").strip(), ""
    if request.method == "POST":
        try:
            validate_email(email)
        except ValidationError:
            problem = "Enter an email address, for example you@lender.com."
        else:
            _mail_reset_link(request, email)
    context = {"email": email, "problem": problem, "is_asked": email and not problem}
    return render(request, "sign_in/password_reset.html", context, status=422 if problem else 200)


def _mail_reset_link(request: HttpRequest, email: str) -> None:
    """Mail the link if the address belongs to a user, within the rate limits."""
    at = timezone.now()
    user = passwords.find_resettable_user(email)
    allowed = [
        throttle.consume_attempt(throttle.RESET_ADDRESS, rate_limit_subject(request), at=at),
        throttle.consume_attempt(throttle.RESET_ACCOUNT, email, at=at),
    ]
    access_log.record_access(
        AccessKind.RESET_ASKED if all(allowed) else AccessKind.TOO_OFTEN,
        client=request_caller(request),
        at=at,
        user_id=user.pk if user else None,
        tried="" if user else access_log.hash_unknown_email(email),
        subject="password reset",
    )
    if user is not None and all(allowed):
        account_security.mail_password_link.enqueue(user_id=str(user.pk))
