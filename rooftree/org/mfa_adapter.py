"""Answers to allauth about second factors: secret encryption, and the passkey's owner."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from rooftree.db.sealed_text import decrypt_text, encrypt_text
from rooftree.org.models import Company


class EncryptedMfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts secrets with the installation's keys and binds passkeys to its public address."""

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for storage."""
        return encrypt_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a stored secret."""
        return decrypt_text(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the passkey's relying party: the public address's host, whatever the request."""
        brand = Company.objects.values_list("brand", flat=True).first()
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        return {"id": host, "name": brand or "Rooftree"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """Return the user as the browser shows them beside the passkey."""
        return {"id": str(user.pk).encode(), "display_name": user.name, "name": user.email}
