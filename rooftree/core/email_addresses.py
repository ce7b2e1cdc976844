"""E-mail addresses: as kept, and as compared."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

_MAX_LENGTH = 254  # RFC 5321
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}$)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*")
_PLUS_TAG_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "fastmail.com"}
)


def parse_email_address(text: str) -> str | None:
    """It is the address in `text`, or None when none can exist.

    The domain is lower-cased, the local part stays as typed. Nothing is repaired:
    a comma for a dot is somebody else's address or nobody's.
    """
    written = text.strip()
    if len(written) > _MAX_LENGTH or "@" not in written:
        return None
    local, _, domain = written.rpartition("@")
    if _PLAIN_LOCAL_PART.fullmatch(
        local
    ):  # nothing of it is ever refused or changed; the domain may be
        known = _validate_domain(domain)
        found = known and f"{local}@{known.partition('@')[2]}"
    else:
        found = _validate_address(written)
    return found if found and len(found) <= _MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _validate_domain(domain: str) -> str | None:
    """Most people's mail is at the same few."""
    return _validate_address(f"a@{domain}")


def _validate_address(written: str) -> str | None:
    try:
        found = validate_email(written, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    domain = found.ascii_domain.lower()
    return f"{found.local_part}@{domain}" if "." in domain else None


def comparison_key(address: str) -> str:
    """It is the form in which two addresses of one mailbox are equal.

    All lower case; a `+tag` goes only where the provider is known to ignore it.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    if domain in _PLUS_TAG_DOMAINS:
        local = local.partition("+")[0]
    return f"{local}@{domain}"
