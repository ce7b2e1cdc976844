"""A process that asks the gate about a call to one lead for each line on standard input.

Run by tests/flow/rules/test_changes.py as `python -m tests.flow.rules.deciding`; the first line of
its standard input holds the database, its keys, the lead and the moment.
"""

import json
import os
import sys
from datetime import datetime
from uuid import UUID


def main() -> None:
    """Set up like the parent test, then answer each line with the gate's decision."""
    instructions = json.loads(sys.stdin.readline())
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"].update(instructions["database"])
    settings.FIELD_KEYS = instructions["keys"]
    import django

    django.setup()
    from rooftree.outreach.messages import contact_permissions

    at = datetime.fromisoformat(instructions["at"])
    for _ in sys.stdin:
        badge = contact_permissions.permissions_of_lead(UUID(instructions["lead"]), at=at)["call"]
        sys.stdout.write(f"{badge.decision}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
