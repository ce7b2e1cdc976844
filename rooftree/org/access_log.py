"""The access log: sign-ins, failed attempts, opened leads, exports, the switch of shadow mode."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.crypto import salted_hmac

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row
from rooftree.org.client_info import ClientInfo
from rooftree.org.models import AccessEntry


class AccessKind(StrEnum):
    """The kinds of access entries."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    FAILED = "failed"
    TOO_OFTEN = "too_often"
    CODE_FAILED = "code_failed"
    RESET_ASKED = "reset_asked"
    PASSWORD_SET = "password_set"  # noqa: S105 (a word of the log)
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    SESSION_ENDED = "session_ended"
    LEAD_OPENED = "lead_opened"
    EXPORTED = "exported"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    KEY_REFUSED = "key_refused"
    SHADOW_STARTED = "shadow_started"
    SHADOW_ENDED = "shadow_ended"


def record_access(
    kind: AccessKind,
    *,
    client: ClientInfo,
    at: datetime,
    user_id: UUID | str | None = None,
    **columns: Any,
) -> AccessEntry:
    """Write one access entry, within the caller's transaction.

    Args:
        columns: other columns: `factor`, `lead_id`, `subject`, `reason`, `number`, `api_key_id`,
            `tried`. Never a name, number or address of a borrower.
    """
    return insert_row(
        AccessEntry(
            id=uuid7_at(at), at=at, kind=kind, user_id=user_id, address=client.address,
            device=client.device, **columns,
        )
    )  # fmt: skip


def hash_unknown_email(email: str) -> str:
    """Hash an unknown email: sixteen hex characters, the same each time."""
    normalized_email = email.strip().lower()
    return salted_hmac("rooftree.tried", normalized_email, algorithm="sha256").hexdigest()[:16]
