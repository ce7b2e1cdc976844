"""URLs of signing in and out."""

from django.urls import URLPattern, path

from rooftree.web.sign_in import password_reset_views, set_password_views, views

urlpatterns: list[URLPattern] = [
    path("", views.redirect_to_landing, name="land"),
    path("sign-in/", views.SignInView.as_view(), name="sign_in"),
    path("sign-in/second/", views.verify_second_factor, name="second_factor"),
    path("sign-in/passkey/", views.sign_in_with_passkey, name="passkey_sign_in"),
    path("sign-in/again/", views.reauthenticate, name="prove_again"),
    path("sign-out/", views.SignOutView.as_view(), name="sign_out"),
    path("password-reset/", password_reset_views.request_password_reset, name="password_reset"),
    path(
        "set-password/<uidb64>/<token>/",
        set_password_views.SetPasswordView.as_view(),
        name="set_password",
    ),
]
