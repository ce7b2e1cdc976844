"""The company's signing keys, for evidence files and ledger heads.

Private keys are sealed columns and leave the database only inside a backup. Public keys are
published, so anyone with a file can check the signature without asking us.
"""

from datetime import datetime

from django.db import IntegrityError
from django.db.transaction import atomic

from rooftree.core import ed25519_signatures
from rooftree.ledger.write_events import write_event
from rooftree.reporting.models import SigningKey


def current_key(*, at: datetime) -> SigningKey:
    """Return the current key; create the first key on first use."""
    if (key := SigningKey.objects.filter(until_at=None).first()) is not None:
        return key
    try:
        with atomic():
            return _create_key(at=at, actor="system:signing")
    except IntegrityError:  # another process was first
        return SigningKey.objects.get(until_at=None)


def rotate_key(*, at: datetime, actor: str) -> SigningKey:
    """Replace the current key with a new one; existing signatures stay valid."""
    with atomic():
        SigningKey.objects.filter(until_at=None).update(until_at=at)
        return _create_key(at=at, actor=actor)


def sign(data: bytes, *, at: datetime) -> dict[str, str]:
    """Sign `data` with the current key; return the signature, key id and public key."""
    key = current_key(at=at)
    return {
        "algorithm": "Ed25519",
        "key": key.pk,
        "public_key": key.public,
        "signature": ed25519_signatures.sign_data(data, private=key.private),
    }


def list_public_keys() -> list[dict[str, str | None]]:
    """List every key ever used, newest first, for outsiders to compare with."""
    return [
        {
            "key": signing_key.pk,
            "public_key": signing_key.public,
            "from": signing_key.from_at.isoformat(),
            "until": signing_key.until_at.isoformat() if signing_key.until_at else None,
        }
        for signing_key in SigningKey.objects.order_by("-from_at")
    ]


def _create_key(*, at: datetime, actor: str) -> SigningKey:
    private, public = ed25519_signatures.generate_key_pair()
    key = SigningKey.objects.create(
        pk=ed25519_signatures.key_fingerprint(public), public=public, private=private, from_at=at
    )
    write_event("reporting.signing_key.made", at=at, actor=actor, key=key.pk)
    return key
