"""The page to set a password, opened by a one-time link."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from rooftree.org import access_log, passwords
from rooftree.org.access_log import AccessKind
from rooftree.org.models import Company, User
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.sign_in import login

if TYPE_CHECKING:
    UserPasswordForm = SetPasswordForm[User]
else:
    UserPasswordForm = SetPasswordForm


class NewPasswordForm(UserPasswordForm):
    """The new password, typed twice."""

    error_messages = {"password_mismatch": "The passwords don’t match. Enter the same one twice."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"new_password1": "New password", "new_password2": "Repeat new password"}
        for name, label in labels.items():
            field = self.fields[name]
            field.label, field.help_text = label, ""
            field.widget.attrs["class"] = "input"
            field.error_messages["required"] = "Enter the password."
        self.fields["new_password1"].help_text = "At least 12 characters. A sentence works well."


class SetPasswordView(PasswordResetConfirmView):
    """The page behind a link passed on by an administrator; the link works once."""

    template_name = "sign_in/set_password.html"
    form_class = NewPasswordForm
    token_generator = passwords.RESET_TOKENS
    success_url = reverse_lazy("sign_in")

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password, record it in the audit log, and sign in as the button says."""
        assert self.user
        to_sign_in = super().form_valid(form)
        at = timezone.now()
        passwords.record_password_set(self.user, at=at)
        access_log.record_access(
            AccessKind.PASSWORD_SET,
            client=request_caller(self.request),
            at=at,
            user_id=self.user.pk,
        )
        if not self.user.is_active:
            return to_sign_in
        return login.accept_password(self.request, self.user, reverse("land"), at)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the user and the company's brand."""
        brand = Company.objects.values_list("brand", flat=True).first()
        return super().get_context_data(company=brand, person=self.user, **kwargs)
