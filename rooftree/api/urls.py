"""URLs of the API, all from `api_v1`."""

from rooftree.api.api_v1 import api

urlpatterns, _, app_name = api.urls
