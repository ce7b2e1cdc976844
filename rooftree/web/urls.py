"""Every address of the site. What acts is a resource: POST /offers/<id>/acceptance/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from rooftree.web.views import find, install, look_around, sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    # The door.
    path("", sign_in.land, name="land"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("manifest.webmanifest", install.manifest, name="manifest"),
    # Everywhere.
    path("find/", find.show, name="find"),
    path("more/", find.more, name="more"),
]

if settings.IS_DEMO:
    urlpatterns += [
        path("look-around/<uuid:user_id>/", look_around.look_around, name="look_around"),
    ]

handler400 = "rooftree.web.views.failures.bad_request"
handler403 = "rooftree.web.views.failures.forbidden"
handler404 = "rooftree.web.views.failures.not_found"
handler500 = "rooftree.web.views.failures.broken"
