"""E-mail addresses: as kept, and as compared."""

from email_validator import EmailNotValidError, validate_email

_LONGEST = 254  # RFC 5321
_TAGGED = frozenset({"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "fastmail.com"})


def email_address(text: str) -> str | None:
    """It is the address in `text`, or None when none can exist.

    The domain is lower-cased, the local part stays as typed. Nothing is repaired:
    a comma for a dot is somebody else's address or nobody's.
    """
    written = text.strip()
    if len(written) > _LONGEST or "@" not in written:
        return None
    try:
        found = validate_email(written, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    local, domain = found.local_part, found.ascii_domain.lower()
    if "." not in domain or len(f"{local}@{domain}") > _LONGEST:
        return None
    return f"{local}@{domain}"


def comparison_key(address: str) -> str:
    """It is the form in which two addresses of one mailbox are equal.

    All lower case; a `+tag` goes only where the provider is known to ignore it.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    if domain in _TAGGED:
        local = local.partition("+")[0]
    return f"{local}@{domain}"
