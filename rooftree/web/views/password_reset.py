"""A forgotten password: a link by e-mail, and one answer for everybody who asks."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rooftree.flow import sign_in
from rooftree.org import access_log, passwords, throttle
from rooftree.org.access_log import Kind
from rooftree.web.caller import address_of, caller


@never_cache
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Asks for the e-mail; afterwards says the same whether it is known here or not."""
    email, problem = request.POST.get("email", "").strip(), ""
    if request.method == "POST":
        try:
            validate_email(email)
        except ValidationError:
            problem = "Write the whole e-mail address, as you@lender.com."
        else:
            _ask(request, email)
    context = {"email": email, "problem": problem, "is_asked": email and not problem}
    return render(request, "sign_in/reset.html", context, status=422 if problem else 200)


def _ask(request: HttpRequest, email: str) -> None:
    """Have the link mailed if there is somebody to mail it to, and not too often."""
    at = timezone.now()
    user = passwords.who_forgot(email)
    counted = [
        throttle.allow(throttle.RESET_ADDRESS, address_of(request), at=at),
        throttle.allow(throttle.RESET_ACCOUNT, email, at=at),
    ]
    access_log.note(
        Kind.RESET_ASKED if all(counted) else Kind.TOO_OFTEN, caller=caller(request), at=at,
        user_id=user.pk if user else None, tried="" if user else access_log.hashed(email),
        subject="password reset",
    )  # fmt: skip
    if user is not None and all(counted):
        sign_in.mail_password_link.enqueue(user_id=str(user.pk))
