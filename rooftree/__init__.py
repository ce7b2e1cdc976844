"""Mortgage lead management, from the first click to the funded loan.

Oban packs the results of jobs with erlpack, which has no wheels: installing it takes a C++
compiler. Rooftree records no results, so an empty module stands in for it. It is put in place
here because migrations and tests import Oban without the room of tasks.
"""

import sys
from importlib.util import find_spec
from types import ModuleType

if find_spec("erlpack") is None:
    sys.modules["erlpack"] = ModuleType("erlpack")
