"""URLs of returns and vendor contracts."""

from django.urls import URLPattern, path

from rooftree.web.returns import (
    manual_return_views,
    vendor_contract_views,
    vendor_status_views,
    views,
)

urlpatterns: list[URLPattern] = [
    path("returns/", views.list_returns, name="returns"),
    path("returns/<uuid:claim_id>/", views.show_return, name="return"),
    path(
        "returns/arrivals/<uuid:touch_id>/",
        manual_return_views.request_return,
        name="return_by_hand",
    ),
    path("returns/<uuid:claim_id>/credit/", views.record_credit, name="record_credit"),
    path("returns/<uuid:claim_id>/refusal/", views.record_refusal, name="record_refusal"),
    path("returns/<uuid:claim_id>/dispute/", views.dispute_refusal, name="dispute_refusal"),
    path("returns/<uuid:claim_id>/closure/", views.close_return, name="close_return"),
    path("returns/<uuid:claim_id>/note/", views.add_return_note, name="add_return_note"),
    path("returns/sources/<uuid:source_id>/file/", views.send_returns, name="return_send"),
    path("returns/files/<uuid:file_id>/copies/", views.download_file_again, name="return_file"),
    path(
        "returns/sources/<uuid:source_id>/contract/",
        vendor_contract_views.edit_contract,
        name="contract",
    ),
    path(
        "returns/sources/<uuid:source_id>/statuses/",
        vendor_status_views.list_status_files,
        name="status_files",
    ),
    path(
        "returns/statuses/<uuid:file_id>/",
        vendor_status_views.download_status_file,
        name="status_file",
    ),
]
