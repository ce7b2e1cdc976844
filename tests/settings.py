"""Settings for the tests and the type checker: those of a demo."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# New for each run, so that no test uses the developer's own installation.
_home = Path(tempfile.mkdtemp(prefix="rooftree-test-home-"))
_home.chmod(0o711)
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["ROOFTREE_ENV"] = "demo"
os.environ["ROOFTREE_HOME"] = str(_home)

from rooftree.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests connect as the owner; the fixture `as_the_program` switches to the program's account.
DATABASES["default"]["USER"] = DATABASE_OWNER["USER"]  # noqa: F405
