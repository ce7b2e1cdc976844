"""Every URL of the site: one `include` for each area, whose own `urls.py` lists full paths.

An action is a resource: POST /offers/<id>/acceptance/.
"""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("rooftree.api.urls")),
    path("", include("rooftree.web.campaigns.urls")),
    path("", include("rooftree.web.compliance.urls")),
    path("", include("rooftree.web.conversations.urls")),
    path("", include("rooftree.web.exports.urls")),
    path("", include("rooftree.web.fairness.urls")),
    path("", include("rooftree.web.home.urls")),
    path("", include("rooftree.web.imports.urls")),
    path("", include("rooftree.web.inbound.urls")),
    path("", include("rooftree.web.lead.urls")),
    path("", include("rooftree.web.lead_form.urls")),
    path("", include("rooftree.web.lists.urls")),
    path("", include("rooftree.web.money.urls")),
    path("", include("rooftree.web.partners.urls")),
    path("", include("rooftree.web.people.urls")),
    path("", include("rooftree.web.pipeline.urls")),
    path("", include("rooftree.web.queue.urls")),
    path("", include("rooftree.web.rates.urls")),
    path("", include("rooftree.web.reports.urls")),
    path("", include("rooftree.web.retention.urls")),
    path("", include("rooftree.web.returns.urls")),
    path("", include("rooftree.web.routing.urls")),
    path("", include("rooftree.web.security.urls")),
    path("", include("rooftree.web.sequences.urls")),
    path("", include("rooftree.web.setup.urls")),
    path("", include("rooftree.web.shared.urls")),
    path("", include("rooftree.web.sign_in.urls")),
    path("", include("rooftree.web.snippets.urls")),
    path("", include("rooftree.web.sources.urls")),
    path("", include("rooftree.web.team.urls")),
    path("", include("rooftree.web.wording.urls")),
]

if settings.IS_DEMO:
    urlpatterns.append(path("", include("rooftree.web.demo.urls")))

handler400 = "rooftree.web.shared.error_pages.bad_request"
handler403 = "rooftree.web.shared.error_pages.forbidden"
handler404 = "rooftree.web.shared.error_pages.not_found"
handler500 = "rooftree.web.shared.error_pages.server_error"
