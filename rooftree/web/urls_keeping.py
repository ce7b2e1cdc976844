"""The addresses of what is kept and for how long, what people ask about it, and what left."""

from django.urls import path

from rooftree.web.views import export_asks, keeping, legal_holds, privacy_requests

urlpatterns = [
    path("keeping/", keeping.show, name="keeping"),
    path("purges/", keeping.count, name="purge_count"),
    path("purges/<uuid:purge_id>/", keeping.purge, name="purge"),
    path("purges/<uuid:purge_id>/approval/", keeping.approval, name="purge_approval"),
    path("legal-holds/", legal_holds.index, name="legal_holds"),
    path("legal-holds/<uuid:hold_id>/lifting/", legal_holds.lifting, name="hold_lifting"),
    path("requests/", privacy_requests.index, name="privacy_requests"),
    path("requests/<uuid:request_id>/", privacy_requests.show, name="privacy_request"),
    path(
        "requests/<uuid:request_id>/<slug:what>/",
        privacy_requests.act,
        name="privacy_request_act",
    ),
    path("exports/", export_asks.index, name="export_asks"),
    path("exports/<uuid:ask_id>/decision/", export_asks.decision, name="export_decision"),
]
