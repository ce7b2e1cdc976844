"""The door: sign in, sign out, and where each role lands."""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from rooftree.org.models import Company
from rooftree.web import shell
from rooftree.web.page import staff
from rooftree.web.views import look_around


class Form(AuthenticationForm):
    """E-mail and password; says no more than that they do not fit together."""

    error_messages = {
        "invalid_login": "This e-mail and password do not fit together. Check both and try again.",
        "inactive": "This account is closed. Ask your administrator.",
    }


class SignIn(LoginView):
    """The sign-in page. In the demo it also lists one person per role to look around as."""

    template_name = "sign_in/show.html"
    authentication_form = Form
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page needs beside the form."""
        return super().get_context_data(
            company=Company.objects.values_list("brand", flat=True).first(),
            people=look_around.people() if settings.IS_DEMO else [],
            **kwargs,
        )


class SignOut(LogoutView):
    """Ends the session and has the browser forget what it kept of our pages."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out."""
        answer = super().post(request, *args, **kwargs)
        answer["Clear-Site-Data"] = '"cache", "storage"'
        return answer


@staff("GET")
def land(request: HttpRequest) -> HttpResponse:
    """The bare address: each role on the page that is its own."""
    return redirect(shell.landing(request.user))
