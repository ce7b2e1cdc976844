"""Ed25519 signatures (RFC 8032) as base64 text, and the fingerprints of their keys."""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def generate_key_pair() -> tuple[str, str]:
    """Generate a private and a public key, each as its 32 bytes in base64."""
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return base64.b64encode(raw).decode(), base64.b64encode(public).decode()


def key_fingerprint(public: str) -> str:
    """Return the SHA-256 (hex) of a public key's 32 bytes, which names the key."""
    return hashlib.sha256(base64.b64decode(public)).hexdigest()


def sign_data(data: bytes, *, private: str) -> str:
    """Sign `data`; return the 64-byte signature in base64."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
    return base64.b64encode(key.sign(data)).decode()


def is_signature_valid(data: bytes, *, public: str, signature: str) -> bool:
    """Return True if the owner of `public` signed `data`.

    A malformed key or signature gives False.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), data)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
