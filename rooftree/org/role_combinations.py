"""Which roles one user can hold together (docs/decisions/0029-several-roles.md)."""

from collections.abc import Collection

from rooftree.org.models import MONITORED_ROLES, ROLES


def find_conflict(roles: Collection[str]) -> str:
    """Return why nobody can hold these staff roles together, as a sentence; "" if they can.

    The database refuses the same combinations (`User.Meta.constraints`).
    """
    if "compliance" not in roles:
        return ""
    monitored = [ROLES[role].lower() for role in roles if role in MONITORED_ROLES]
    if not monitored:
        return ""
    return (
        f"Compliance can’t be combined with {' or '.join(monitored)}: compliance reads the "
        "fair-lending monitor, which measures those who work leads."
    )


def find_caution(roles: Collection[str]) -> str:
    """Return what to keep in mind about a combination that is allowed; "" if nothing."""
    others = [ROLES[role].lower() for role in roles if role != "compliance"]
    if "compliance" not in roles or not others:
        return ""
    return (
        f"Compliance checks what {' and '.join(others)} sets up. Nobody approves their own work: "
        "a second person must be able to."
    )
