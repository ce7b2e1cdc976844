"""What allauth asks us about second factors: how secrets are kept and who we say we are."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from rooftree.db.sealed_text import decrypt_text, encrypt_text
from rooftree.org.models import Company


class EncryptedMfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets encrypted with the keys of the installation; passkeys bound to its public address."""

    def encrypt(self, text: str) -> str:
        """A secret, as it is stored."""
        return encrypt_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        """A stored secret, readable."""
        return decrypt_text(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Whom a passkey belongs to: the host of the public address, whatever was asked for."""
        brand = Company.objects.values_list("brand", flat=True).first()
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        return {"id": host, "name": brand or "Rooftree"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """What a browser shows beside the passkey."""
        return {"id": str(user.pk).encode(), "display_name": user.name, "name": user.email}
