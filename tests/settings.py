"""The product's settings, as its tests and its type checker load them: a demo's."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Made anew for each run, so that no test meets the developer's own installation.
_home = Path(tempfile.mkdtemp(prefix="rooftree-test-home-"))
_home.chmod(0o711)
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["ROOFTREE_ENV"] = "demo"
os.environ["ROOFTREE_HOME"] = str(_home)

from rooftree.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# What tests prepare and put away is the owner's; tests/rights.py has the program's account.
DATABASES["default"]["USER"] = DATABASE_OWNER["USER"]  # noqa: F405
