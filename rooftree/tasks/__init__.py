"""Tasks in the database: queue, worker and live updates.

Oban packs the results of jobs with erlpack, which has no wheels: installing it takes a C++
compiler. Rooftree records no results, so an empty module stands in for it.
"""

import sys
from importlib.util import find_spec
from types import ModuleType

if find_spec("erlpack") is None:
    sys.modules["erlpack"] = ModuleType("erlpack")
