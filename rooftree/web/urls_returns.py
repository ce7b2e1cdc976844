"""The addresses of what vendors owe back, and of what they are told of their leads."""

from django.urls import path

from rooftree.web.views import contracts, return_by_hand, returns, status_files

urlpatterns = [
    path("", returns.index, name="returns"),
    path("<uuid:claim_id>/", returns.claim, name="return"),
    path("arrivals/<uuid:touch_id>/", return_by_hand.ask, name="return_by_hand"),
    path("<uuid:claim_id>/<slug:what>/", returns.act, name="return_act"),
    path("sources/<uuid:source_id>/file/", returns.send, name="return_send"),
    path("files/<uuid:file_id>/copies/", returns.again, name="return_file"),
    path("sources/<uuid:source_id>/contract/", contracts.contract, name="contract"),
    path("sources/<uuid:source_id>/statuses/", status_files.index, name="status_files"),
    path("statuses/<uuid:file_id>/", status_files.status_file, name="status_file"),
]
