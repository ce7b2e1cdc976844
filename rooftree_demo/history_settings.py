"""The settings for loading history: nothing leaves this process.

Texts go to the console carrier, email goes nowhere, tasks go to a queue in memory. The
rows are the same as in a live system.
"""

from rooftree.settings import *  # noqa: F403
from rooftree.settings import DATABASES, LOGGING, TASKS

CARRIER = "console"
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend", "OPTIONS": {}}}
TASKS = {"default": {**TASKS["default"], "BACKEND": "rooftree_demo.inline_queue.InlineBackend"}}
# If the machine crashes, the next start loads the lost part of the invented history again.
_default = DATABASES["default"]
_existing = _default["OPTIONS"].get("options", "")
_options = {**_default["OPTIONS"], "options": f"{_existing} -c synchronous_commit=off".strip()}
DATABASES = {"default": {**_default, "OPTIONS": _options}}
LOGGING = LOGGING | {"loggers": {"rooftree": {"level": "CRITICAL"}}}
