"""What the web server runs: our front, with Django behind it."""

from rooftree.wsgi import application as django  # isort: skip (it sets up what the front imports)
from rooftree.core.process_supervisor import exit_with_parent
from rooftree.web.server.asgi_application import AsgiApplication

exit_with_parent()
application = AsgiApplication(django)
