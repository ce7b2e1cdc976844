"""Parse email addresses for storage and for comparison."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

_MAX_LENGTH = 254  # RFC 5321
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}$)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*")
_PLUS_TAG_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "fastmail.com"}
)


def parse_email_address(text: str) -> str | None:
    """Parse the address in `text`; return None when no such address can exist.

    The domain is lower-cased, the local part stays as typed. Nothing is repaired: with a comma
    read as a dot, the address could be someone else's.
    """
    written = text.strip()
    if len(written) > _MAX_LENGTH or "@" not in written:
        return None
    local, _, domain = written.rpartition("@")
    # A plain local part is never rejected or changed, so only the domain needs validation.
    # Most addresses share a few domains: the cache answers for them.
    if _PLAIN_LOCAL_PART.fullmatch(local):
        sample = _validate_address(f"a@{domain}")
        address = sample and f"{local}@{sample.partition('@')[2]}"
    else:
        address = _validate_address(written)
    return address if address and len(address) <= _MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _validate_address(written: str) -> str | None:
    try:
        valid = validate_email(written, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    domain = valid.ascii_domain.lower()
    return f"{valid.local_part}@{domain}" if "." in domain else None


def comparison_key(address: str) -> str:
    """Return a form in which two addresses of one mailbox are equal.

    All lower case; a `+tag` is dropped only where the provider is known to ignore it.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    if domain in _PLUS_TAG_DOMAINS:
        local = local.partition("+")[0]
    return f"{local}@{domain}"
