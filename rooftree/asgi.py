"""What the web server runs: our front, with Django behind it."""

from rooftree.core.supervise import follow_parent
from rooftree.web.front import Front
from rooftree.wsgi import application as django

follow_parent()
application = Front(django)
