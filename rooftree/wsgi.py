"""Django as a WSGI application: what the front runs in its threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rooftree.settings")

application = get_wsgi_application()
