"""What the web server runs: our front, with Django behind it."""

from rooftree.wsgi import application as django  # isort: skip (it sets up what the front imports)
from rooftree.core.supervise import follow_parent
from rooftree.web.front import Front

follow_parent()
application = Front(django)
