"""The settings under which history is loaded: nothing it does leaves this process for real.

Texts go to the console carrier, mail nowhere, tasks to a queue in memory. The
rows are the same as a live system writes.
"""

from rooftree.settings import *  # noqa: F403
from rooftree.settings import DATABASES, LOGGING, TASKS

CARRIER = "console"
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend", "OPTIONS": {}}}
TASKS = {"default": {**TASKS["default"], "BACKEND": "rooftree_demo.inline_queue.InlineBackend"}}
# What a crash of the machine loses of a made-up past is told again with the next start.
_default = DATABASES["default"]
_asked = _default["OPTIONS"].get("options", "")
_options = {**_default["OPTIONS"], "options": f"{_asked} -c synchronous_commit=off".strip()}
DATABASES = {"default": {**_default, "OPTIONS": _options}}
LOGGING = LOGGING | {"loggers": {"rooftree": {"level": "CRITICAL"}}}
