"""Mask sensitive numbers inside an email, including its base64 and quoted-printable parts."""

import re
from email import message_from_bytes, policy
from email.errors import MessageError

from rooftree.core.masking import MaskResult, SensitiveKind, mask_numbers

_ENCODED_PART = re.compile(
    rb"^content-transfer-encoding:[ \t]*(?:base64|quoted-printable)", re.IGNORECASE | re.MULTILINE
)


def mask_email_message(raw: bytes) -> MaskResult:
    """Mask sensitive numbers in an email; a part that holds one is rewritten as plain 8-bit text.

    An email without such numbers stays as it came, byte for byte. Never raises.
    """
    plain = mask_numbers(raw)
    if not _ENCODED_PART.search(raw):
        return plain
    try:
        return _mask_decoded_parts(plain)
    except (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError):
        return plain  # all the ways the parser fails; a part that it cannot decode stays as it is


def _mask_decoded_parts(plain: MaskResult) -> MaskResult:
    email = message_from_bytes(plain.body, policy=policy.compat32)
    kinds: set[SensitiveKind] = set()
    for part in email.walk():
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        content = part.get_payload(decode=True)
        if part.is_multipart() or not encoding or not isinstance(content, bytes):
            continue
        masked = mask_numbers(content)
        if masked.kinds and encoding in ("base64", "quoted-printable"):
            kinds |= masked.kinds
            del part["Content-Transfer-Encoding"]
            part["Content-Transfer-Encoding"] = "8bit"
            part.set_payload(masked.body.decode("ascii", "surrogateescape"))
    if not kinds:
        return plain
    return MaskResult(body=email.as_bytes(), kinds=plain.kinds | kinds)
