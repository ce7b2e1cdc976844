"""`python -m rooftree_demo`: what `rooftree demo` becomes."""

import sys

from rooftree.core.data_dir import DataDirLocked
from rooftree.core.embedded_database import StartupError
from rooftree.core.settings_readers import ConfigurationError
from rooftree_demo.run_demo import run_demo


def main() -> int:
    """Run the demo; a failure that we foresee is one sentence and exit code 2."""
    try:
        run_demo()
    except (ConfigurationError, DataDirLocked, StartupError) as problem:
        sys.stderr.write(f"rooftree: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
