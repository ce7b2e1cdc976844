"""`python -m rooftree_demo`: the process behind `rooftree demo`."""

import sys

from rooftree.core.data_dir import DataDirLocked
from rooftree.core.embedded_database import StartupError
from rooftree.core.settings_readers import ConfigurationError
from rooftree_demo.run_demo import run_demo


def main() -> int:
    """Run the demo; an expected failure prints one sentence and exits with code 2."""
    try:
        run_demo()
    except (ConfigurationError, DataDirLocked, StartupError) as problem:
        sys.stderr.write(f"rooftree: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
