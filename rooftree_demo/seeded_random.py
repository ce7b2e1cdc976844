"""What somebody will do, decided once and for good by who they are: it survives any restart."""

import hashlib


def seeded_fraction(*about: object) -> float:
    """A number from 0 to 1, the same for the same question."""
    digest = hashlib.sha256(":".join(str(one) for one in about).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def seeded_between(low: float, high: float, *about: object) -> float:
    """A number between two, the same for the same question."""
    return low + (high - low) * seeded_fraction(*about)


def seeded_choice[Kind](choices: dict[Kind, float], *about: object) -> Kind:
    """One of several by their shares, which sum to one."""
    left = seeded_fraction(*about)
    for kind, share in choices.items():
        left -= share
        if left < 0:
            return kind
    return next(reversed(choices))
