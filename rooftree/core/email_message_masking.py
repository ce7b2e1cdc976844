"""Numbers that may not be kept, inside an e-mail whose parts are wrapped in base64 or the like."""

import re
from email import message_from_bytes, policy
from email.errors import MessageError

from rooftree.core.masking import MaskResult, SensitiveKind, mask_numbers

_ENCODED_PART = re.compile(
    rb"^content-transfer-encoding:[ \t]*(?:base64|quoted-printable)", re.IGNORECASE | re.MULTILINE
)


def mask_email_message(raw: bytes) -> MaskResult:
    """It is the letter without those numbers; parts that hide one are written plainly.

    A letter without any stays as it came, byte for byte. Never raises.
    """
    plain = mask_numbers(raw)
    if not _ENCODED_PART.search(raw):
        return plain
    try:
        return _mask_decoded_parts(plain)
    except (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError):
        return plain  # the parser's ways to fail; what it cannot open is no text of ours


def _mask_decoded_parts(plain: MaskResult) -> MaskResult:
    letter = message_from_bytes(plain.body, policy=policy.compat32)
    found: set[SensitiveKind] = set()
    for part in letter.walk():
        wrapped = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        content = part.get_payload(decode=True)
        if part.is_multipart() or not wrapped or not isinstance(content, bytes):
            continue
        masked = mask_numbers(content)
        if masked.kinds and wrapped in ("base64", "quoted-printable"):
            found |= masked.kinds
            del part["Content-Transfer-Encoding"]
            part["Content-Transfer-Encoding"] = "8bit"
            part.set_payload(masked.body.decode("ascii", "surrogateescape"))
    if not found:
        return plain
    return MaskResult(body=letter.as_bytes(), kinds=plain.kinds | found)
