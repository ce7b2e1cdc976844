"""Random choices that depend only on their arguments, so they survive any restart."""

import hashlib


def seeded_fraction(*about: object) -> float:
    """Return a number from 0 to 1, always the same for the same arguments."""
    digest = hashlib.sha256(":".join(map(str, about)).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def seeded_between(low: float, high: float, *about: object) -> float:
    """Return a number between `low` and `high`, always the same for the same arguments."""
    return low + (high - low) * seeded_fraction(*about)


def seeded_choice[Kind](choices: dict[Kind, float], *about: object) -> Kind:
    """Choose a key by its share; shares sum to one. Always the same for the same arguments."""
    remaining = seeded_fraction(*about)
    for kind, share in choices.items():
        remaining -= share
        if remaining < 0:
            return kind
    return next(reversed(choices))
