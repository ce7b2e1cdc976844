"""The baseline: a bare Django view with one raw insert, behind the product's own server.

`granian baseline_app:application` with the home of the installation in the environment.
"""

import rooftree.wsgi  # noqa: F401  # isort: skip (sets up Django before the imports below)

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse  # noqa: TID251
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from rooftree.web.server.asgi_application import AsgiApplication

CREATE_TABLE = (
    "create table if not exists floor_post (id bigserial primary key, body bytea not null)"
)


@csrf_exempt
def insert_post(request: HttpRequest) -> HttpResponse:
    """Insert one row, commit, and answer with its id."""
    with connection.cursor() as cursor:
        cursor.execute("insert into floor_post (body) values (%s) returning id", [request.body])
        (key,) = cursor.fetchone()
    content = f'{{"id":{key}}}'
    length = {"Content-Length": str(len(content))}
    return HttpResponse(content, content_type="application/json", status=201, headers=length)


class _BaselineFront(AsgiApplication):
    def _check_readiness(self) -> tuple[bool, str]:
        self._migrated = True
        return True, "ready"


urlpatterns = [path("insert", insert_post)]
settings.ROOT_URLCONF, settings.MIDDLEWARE = __name__, []
application = _BaselineFront(WSGIHandler())
