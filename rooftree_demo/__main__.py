"""`python -m rooftree_demo`: what `rooftree demo` becomes."""

import sys

from rooftree.core.home import Held
from rooftree.core.postgres import CannotStart
from rooftree.core.settings_readers import Unconfigured
from rooftree_demo.run import run


def main() -> int:
    """Run the demo; a failure that we foresee is one sentence and exit code 2."""
    try:
        run()
    except (Unconfigured, Held, CannotStart) as problem:
        sys.stderr.write(f"rooftree: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
