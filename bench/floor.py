"""The floor: a bare Django view that does one raw insert, behind the product's own server.

`granian floor:application` with the home of the installation in the environment.
"""

import django
from django.conf import settings

from rooftree import settings as product

if not settings.configured:
    settings.configure(
        DATABASES=product.DATABASES,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="none",  # noqa: S106 (it signs nothing)
        USE_TZ=True,
        LOGGING_CONFIG=None,
        BODY_LIMIT=product.BODY_LIMIT,
        MIDDLEWARE=[],
        INSTALLED_APPS=product.INSTALLED_APPS,  # the front knows the tables of who signs in
        AUTH_USER_MODEL=product.AUTH_USER_MODEL,
    )
    django.setup()

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse  # noqa: TID251
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from rooftree.web.front import Front

TABLE = "create table if not exists floor_post (id bigserial primary key, body bytea not null)"


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """One row, committed; then the answer."""
    with connection.cursor() as cursor:
        cursor.execute("insert into floor_post (body) values (%s) returning id", [request.body])
        (key,) = cursor.fetchone()
    said = f'{{"id":{key}}}'
    length = {"Content-Length": str(len(said))}
    return HttpResponse(said, content_type="application/json", status=201, headers=length)


class _Front(Front):
    def _readiness(self) -> tuple[bool, str]:
        self._migrated = True
        return True, "ready"


urlpatterns = [path("insert", insert)]
application = _Front(WSGIHandler())
