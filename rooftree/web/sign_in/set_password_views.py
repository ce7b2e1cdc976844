"""A new colleague's first page: setting the password that only they know."""

from typing import Any

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone

from rooftree.org import access_log, passwords
from rooftree.org.access_log import AccessKind
from rooftree.org.models import Company
from rooftree.web.shared.request_caller import request_caller


class NewPasswordForm(SetPasswordForm):
    """The password, twice; what is wrong with it in sentences."""

    error_messages = {"password_mismatch": "The two are not the same; type it again."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"new_password1": "New password", "new_password2": "The same again"}
        for name, label in labels.items():
            field = self.fields[name]
            field.label, field.help_text = label, ""
            field.widget.attrs["class"] = "input"
            field.error_messages["required"] = "Type the password here."
        self.fields["new_password1"].help_text = "At least 12 characters; a sentence is best."


class SetPasswordView(PasswordResetConfirmView):
    """Opened by the link an administrator passed on; it works once."""

    template_name = "sign_in/set_password.html"
    form_class = NewPasswordForm
    token_generator = passwords.RESET_TOKENS
    success_url = reverse_lazy("sign_in")

    def form_valid(self, form: Any) -> HttpResponse:
        """The password is theirs from now on."""
        answer = super().form_valid(form)
        at = timezone.now()
        passwords.record_password_set(self.user, at=at)
        access_log.record_access(
            AccessKind.PASSWORD_SET,
            client=request_caller(self.request),
            at=at,
            user_id=self.user.pk,
        )
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whose password it is."""
        brand = Company.objects.values_list("brand", flat=True).first()
        return super().get_context_data(company=brand, person=self.user, **kwargs)
