"""Parsers for single vendor values; each records its doubts as `ReadingNotes` warnings."""

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.capture.parsing.phone_fields import split_phone_field
from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.core.email_addresses import parse_email_address
from rooftree.core.masking import redact_numbers
from rooftree.core.person_names import (
    clean_name_part,
    clean_text,
    has_markup,
    repair_mojibake,
    split_full_name,
    split_suffix,
)
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.us_states import parse_state_code, parse_zip_code
from rooftree.leads.canonical import Borrower, CanonicalLead, Email, Phone
from rooftree.leads.vocabulary import PhoneType, Precision, Suffix

MAX_TEXT_LENGTH = 2_000
MAX_ID_LENGTH = 255
MAX_MESSAGE_LENGTH = 20_000
_MAX_NAME_LENGTH = 120
_EMPTY_WORDS = frozenset({"n/a", "na", "null", "none", "-none-", "-", "unknown", "undefined"})
_YES = frozenset({"y", "yes", "true", "1", "on", "checked", "si", "sí"})
_NO = frozenset({"n", "no", "false", "0", "off", "unchecked"})
_LOCAL_DATES = (
    *("%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
    *("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p"),
)
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def short_text(value: Any, *, limit: int = MAX_TEXT_LENGTH) -> str | None:
    """Clean and truncate a text; return None for an empty value or a placeholder such as "n/a"."""
    if value is None:
        return None
    text = repair_mojibake(clean_text(as_text(value)))[:limit].strip()
    return None if text.lower() in _EMPTY_WORDS or not text else text


def vendor_identifier(value: Any) -> str | None:
    """Return a vendor's id as a string, exact whatever its size; None for a bool or a list."""
    return short_text(value, limit=MAX_ID_LENGTH) if not isinstance(value, bool | list) else None


def yes_or_no(value: Any) -> bool | None:
    """Parse a yes or no in English or Spanish; return None when the value is neither."""
    if value is None:
        return None
    word = as_text(value).strip().lower()
    return True if word in _YES else False if word in _NO else None


def consumer_message(value: Any, notes: ReadingNotes) -> str | None:
    """Clean the consumer's message and redact numbers we must not store (SSN, card, account)."""
    parts = value if isinstance(value, list) else [value]
    lines = [clean_text(as_text(part), keep_lines=True) for part in parts]
    message, secrets = redact_numbers("\n".join(filter(None, lines)))
    notes.warn_of_secrets(secrets)
    if len(message) > MAX_MESSAGE_LENGTH:
        notes.warn("message_truncated")
    return message[:MAX_MESSAGE_LENGTH] or None


def borrower_name(
    first: Any, last: Any, notes: ReadingNotes, *, full: Any = None
) -> Borrower | None:
    """Build a name from first and last, or by splitting `full` when both are empty."""
    names = {"first": _clean_name(first, notes), "last": _clean_name(last, notes)}
    if not any(names.values()) and (full_name := _clean_name(full, notes)):
        name_parts = split_full_name(full_name)
        if name_parts.is_joint:
            notes.warn("joint_name")
        return Borrower(
            first_name=name_parts.first,
            middle_name=name_parts.middle,
            last_name=name_parts.last,
            suffix=Suffix(name_parts.suffix) if name_parts.suffix else None,
            full_name_raw=full_name,
        )
    if not any(names.values()):
        return None
    last_name, suffix = split_suffix(names["last"]) if names["last"] else (None, None)
    return Borrower(
        first_name=names["first"],
        last_name=last_name,
        suffix=Suffix(suffix) if suffix else None,
    )


def _clean_name(value: Any, notes: ReadingNotes) -> str | None:
    name = clean_name_part(as_text(value))
    if name is None:
        return None
    repaired = repair_mojibake(name)
    if repaired != name:
        notes.warn("mojibake_repaired")
    if has_markup(repaired):
        notes.warn("name_has_markup")
    return clean_name_part(repaired[:_MAX_NAME_LENGTH])


def phone_numbers(
    values: Iterable[tuple[Any, PhoneType]], notes: ReadingNotes
) -> tuple[Phone, ...]:
    """Parse phone numbers in order, without duplicates; the first is primary.

    One field can hold several: "813-555-0142 (cell) / 650-253-0000".
    """
    phones: list[Phone] = []
    for value, kind in values:
        raw = clean_text(as_text(value), keep_lines=True)
        if not raw:
            continue
        numbers, warning = split_phone_field(raw, kind)
        if warning:
            notes.warn(warning)
        for number_kind, number, written in numbers:
            if number.e164 and number.e164 in {phone.e164 for phone in phones}:
                continue
            if not number.is_valid:
                notes.warn("bad_phone")
            elif number.is_foreign:
                notes.warn("phone_foreign")
            phones.append(
                Phone(
                    e164=number.e164,
                    type=number_kind,
                    is_primary=not phones,
                    ext=number.ext,
                    country=number.country or (None if written.startswith("+") else "US"),
                    valid=number.is_valid,
                    raw=raw[:MAX_TEXT_LENGTH],
                )
            )
    return tuple(phones)


def email_addresses(values: Iterable[Any], notes: ReadingNotes) -> tuple[Email, ...]:
    """Parse email addresses in order, without duplicates; the first is primary."""
    emails: list[Email] = []
    for value in values:
        raw = clean_text(as_text(value))
        address = parse_email_address(raw)
        if not raw or (address and address in {email.address for email in emails}):
            continue
        if address is None:
            notes.warn("bad_email")
        emails.append(
            Email(
                address=address,
                is_primary=not emails,
                valid=address is not None,
                raw=raw[:MAX_TEXT_LENGTH],
            )
        )
    return tuple(emails)


def third_party_phone(value: Any) -> str | None:
    """Return the E.164 number of a third party (an agent, a recipient), or None."""
    return None if value is None else parse_phone_number(clean_text(as_text(value))).e164


def third_party_email(value: Any) -> str | None:
    """Return a third party's email address, or None."""
    return None if value is None else parse_email_address(clean_text(as_text(value)))


def third_party_name(*parts: Any) -> str | None:
    """Join the parts of a third party's name; return None when all are empty."""
    return short_text(" ".join(filter(None, map(short_text, parts))))


def usps_state(value: Any, key: str, notes: ReadingNotes) -> str | None:
    """Parse a USPS state code; on failure warn `bad_state` and keep the text under `key`."""
    text = short_text(value)
    if text is None:
        return None
    code = parse_state_code(text)
    if code is None:
        notes.warn(f"bad_state:{text}")
        notes.keep_extra(key, text)
    return code


def parse_address(
    parts: dict[str, Any], notes: ReadingNotes, *, state_key: str = "state", zip_key: str = "zip"
) -> dict[str, Any]:
    """Parse an address with keys `line1 line2 city state county zip`; drop unknown fields.

    `state_key` and `zip_key` are the vendor's names; a bad value is kept under them.
    """
    code = usps_state(parts.get("state"), state_key, notes)
    plain = {name: short_text(parts.get(name)) for name in ("line1", "line2", "city", "county")}
    zips = zip_parts(parts.get("zip"), zip_key, notes, state=code)
    return {key: value for key, value in {**plain, **zips, "state": code}.items() if value}


def none_if_empty[R](record: R) -> R | None:
    """Return the record, or None when every field has its empty default."""
    return None if record == _empty_record(type(record)) else record  # type: ignore[arg-type]


@cache
def _empty_record(kind: Any) -> Any:
    """Build, and cache, a record of this kind with every field at its default."""
    return kind()


def zip_parts(
    value: Any, key: str, notes: ReadingNotes, *, state: str | None
) -> dict[str, str | None]:
    """Parse `zip` and `zip4`; warn `bad_zip` or `zip_zero_restored`."""
    text = short_text(value)
    if text is None:
        return {}
    zip_code = parse_zip_code(text, state=state)
    if zip_code is None:
        notes.warn("bad_zip")
        notes.keep_extra(key, text)
        return {}
    if zip_code.is_zero_restored:
        notes.warn("zip_zero_restored")
    return {"zip": zip_code.five, "zip4": zip_code.plus4}


def parse_moment(
    value: Any, key: str, notes: ReadingNotes, *, zone: str
) -> tuple[datetime | None, Precision | None]:
    """Parse a date or time; return it in UTC with its precision.

    A time without a zone is read in `zone` (the source's own), with a warning. A date alone
    becomes that day's first second in UTC. Warns `bad_date`.
    """
    text = short_text(value, limit=64)
    if text is None:
        return None, None
    at = _parse_datetime(text)
    if at is None:
        notes.warn(f"bad_date:{key}")
        notes.keep_extra(key, text)
        return None, None
    if ":" not in text and "T" not in text:
        return at.replace(tzinfo=UTC), Precision.DAY
    if at.tzinfo is None:
        notes.warn("naive_timestamp_assumed_tz")
        at = at.replace(tzinfo=ZoneInfo(zone))
    try:
        return at.astimezone(UTC), Precision.SECOND
    except OverflowError:
        notes.warn(f"bad_date:{key}")
        return None, None


def parse_epoch(value: Any, key: str, notes: ReadingNotes, *, per: int = 1) -> datetime | None:
    """Parse a count since 1970 (seconds, or `per` units to the second). Warns `bad_date`."""
    text = short_text(value, limit=64)
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(int(text) / per, UTC)
    except (ValueError, OverflowError, OSError):
        notes.warn(f"bad_date:{key}")
        notes.keep_extra(key, text)
        return None


def _parse_datetime(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for date_format in _LOCAL_DATES:
        try:
            return datetime.strptime(text, date_format)  # noqa: DTZ007 (the caller adds the zone)
        except ValueError:
            continue
    return None


def public_ip(value: Any, notes: ReadingNotes) -> str | None:
    """Return a public IP address; warn `consent_ip_not_public` for any other and return None."""
    text = short_text(value, limit=64)
    if text is None:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        notes.warn("consent_ip_not_public")
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    is_special = (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
    )
    if is_special or any(
        address.version == net.version and address in net for net in _PRIVATE_NETWORKS
    ):
        notes.warn("consent_ip_not_public")
        return None
    return str(address).partition("%")[0]


def idempotency_key(lead: CanonicalLead, received_at: datetime) -> str:
    """Build the idempotency key: vendor id, else a hash of contact, loan purpose and UTC day."""
    if lead.vendor_lead_id:
        return f"{lead.source}:{lead.vendor_lead_id}"
    email = next((email.address for email in lead.emails if email.address), "") or ""
    e164 = next((phone.e164 for phone in lead.phones if phone.e164), "") or ""
    purpose = (lead.loan.purpose if lead.loan else None) or ""
    day = received_at.astimezone(UTC).date().isoformat()
    fingerprint = f"{lead.source}|{email.lower()}|{e164}|{purpose}|{day}"
    return f"{lead.source}:sha256:{hashlib.sha256(fingerprint.encode()).hexdigest()}"


def squash_word(word: str) -> str:
    """Reduce a vendor's word to lower-case letters and digits, for lookup in word tables."""
    return re.sub(r"[\W_]+", "", word.lower())
