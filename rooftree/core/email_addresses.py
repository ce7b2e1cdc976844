"""Parse email addresses for storage and for comparison."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

_MAX_LENGTH = 254  # RFC 5321
_MAX_HEADER_LENGTH = 10_000  # characters read of one header
_QUOTED_NAME = re.compile(r'"(?:\\.|[^"\\])*(?:"|$)')
_ADDRESS_ENDS = re.compile(r'[\s,;:<>()\[\]"]+')
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


def find_addresses(header: str) -> list[str]:
    """Return every address of a mail header, as written, in order.

    Vendors leave display names unquoted (`Smith, Inc. <a@b.example>`, `Team @ Desk <a@b.example>`),
    for which the standard parser returns nothing.
    """
    return [
        word
        for word in _ADDRESS_ENDS.split(header[:_MAX_HEADER_LENGTH])
        if 0 < word.find("@") == word.rfind("@") < len(word) - 1
    ]


def find_sender_address(header: str) -> str:
    """Return the sender's address in a From header; "" if there is none.

    The address in angle brackets counts, whatever the name before it contains; quoted text and
    comments don't. Of several, the first.
    """
    plain = _QUOTED_NAME.sub(" ", _without_comments(header[:_MAX_HEADER_LENGTH]))
    bracketed = [part.partition(">")[0] for part in plain.split("<")[1:]]
    found = [address for part in bracketed for address in find_addresses(part)[:1]]
    return next(iter(found or find_addresses(plain) or find_addresses(header)), "")


def _without_comments(header: str) -> str:
    depth, kept = 0, []
    for character in header:
        depth = max(0, depth + (character == "(") - (character == ")"))
        if depth == 0 and character != ")":
            kept.append(character)
    return "".join(kept)
