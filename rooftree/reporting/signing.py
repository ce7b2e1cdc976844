"""The company's signature, under evidence files and the heads of the ledger.

Its private keys are sealed columns and leave the database only inside a backup; the public
ones are shown to everybody, so that who holds a file need not ask us whose signature it is.
"""

from datetime import datetime

from django.db import IntegrityError
from django.db.transaction import atomic

from rooftree.core import signatures
from rooftree.ledger.write import write
from rooftree.reporting.models import SigningKey


def current(*, at: datetime) -> SigningKey:
    """The key that signs now; the first one is made when it is first needed."""
    if (held := SigningKey.objects.filter(until_at=None).first()) is not None:
        return held
    try:
        with atomic():
            return _make(at=at, actor="system:signing")
    except IntegrityError:  # another process was first
        return SigningKey.objects.get(until_at=None)


def renew(*, at: datetime, actor: str) -> SigningKey:
    """From now on another key signs; what the old one signed stays as it was."""
    with atomic():
        SigningKey.objects.filter(until_at=None).update(until_at=at)
        return _make(at=at, actor=actor)


def sign(data: bytes, *, at: datetime) -> dict[str, str]:
    """The signature of `data`, and whose it is."""
    key = current(at=at)
    return {
        "algorithm": "Ed25519",
        "key": key.pk,
        "public_key": key.public,
        "signature": signatures.sign(data, private=key.private),
    }


def published() -> list[dict[str, str | None]]:
    """Every key there ever was, newest first, for somebody outside to compare with."""
    return [
        {
            "key": one.pk,
            "public_key": one.public,
            "from": one.from_at.isoformat(),
            "until": one.until_at.isoformat() if one.until_at else None,
        }
        for one in SigningKey.objects.order_by("-from_at")
    ]


def _make(*, at: datetime, actor: str) -> SigningKey:
    private, public = signatures.new_key()
    made = SigningKey.objects.create(
        pk=signatures.fingerprint(public), public=public, private=private, from_at=at
    )
    write("reporting.signing_key.made", at=at, actor=actor, key=made.pk)
    return made
