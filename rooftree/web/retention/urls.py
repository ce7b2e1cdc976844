"""URLs of retention, legal holds and privacy requests."""

from django.urls import URLPattern, path

from rooftree.web.retention import legal_hold_views, privacy_request_views, views

urlpatterns: list[URLPattern] = [
    path("compliance/keeping/", views.show_retention, name="keeping"),
    path("compliance/purges/", views.count_due_records, name="purge_count"),
    path("compliance/purges/<uuid:purge_id>/", views.show_purge, name="purge"),
    path("compliance/purges/<uuid:purge_id>/approval/", views.approve_purge, name="purge_approval"),
    path("compliance/legal-holds/", legal_hold_views.list_legal_holds, name="legal_holds"),
    path(
        "compliance/legal-holds/<uuid:hold_id>/lifting/",
        legal_hold_views.lift_hold,
        name="hold_lifting",
    ),
    path("compliance/requests/", privacy_request_views.list_requests, name="privacy_requests"),
    path(
        "compliance/requests/<uuid:request_id>/",
        privacy_request_views.show_request,
        name="privacy_request",
    ),
    path(
        "compliance/requests/<uuid:request_id>/identity/",
        privacy_request_views.confirm_identity,
        name="confirm_request_identity",
    ),
    path(
        "compliance/requests/<uuid:request_id>/extension/",
        privacy_request_views.extend_deadline,
        name="extend_request_deadline",
    ),
    path(
        "compliance/requests/<uuid:request_id>/copy/",
        privacy_request_views.download_personal_data,
        name="download_personal_data",
    ),
    path(
        "compliance/requests/<uuid:request_id>/correction/",
        privacy_request_views.correct_record,
        name="correct_personal_data",
    ),
    path(
        "compliance/requests/<uuid:request_id>/deletion/",
        privacy_request_views.delete_personal_data,
        name="delete_personal_data",
    ),
    path(
        "compliance/requests/<uuid:request_id>/answer/",
        privacy_request_views.close_request,
        name="close_privacy_request",
    ),
]
