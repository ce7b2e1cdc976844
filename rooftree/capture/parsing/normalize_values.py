"""One vendor value at a time, to the canonical form. Each tells `Notes` what it doubts."""

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

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
from rooftree.core.phone_numbers import PhoneNumber, parse_phone_number
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
_PHONE_TYPES = {"m": PhoneType.MOBILE, "h": PhoneType.HOME, "w": PhoneType.WORK}
_PHONE_ENDING = re.compile(r"\d\s?([mhw])$", re.IGNORECASE)
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def short_text(value: Any, *, limit: int = MAX_TEXT_LENGTH) -> str | None:
    """It is a short text, cleaned and cut; None for what is empty or stands for nothing."""
    if value is None:
        return None
    found = repair_mojibake(clean_text(as_text(value)))[:limit].strip()
    return None if found.lower() in _EMPTY_WORDS or not found else found


def vendor_identifier(value: Any) -> str | None:
    """It is a vendor's id as a string, exact whatever its size."""
    return short_text(value, limit=MAX_ID_LENGTH) if not isinstance(value, bool | list) else None


def yes_or_no(value: Any) -> bool | None:
    """It is what somebody said; None when nobody did."""
    if value is None:
        return None
    word = as_text(value).strip().lower()
    return True if word in _YES else False if word in _NO else None


def consumer_message(value: Any, notes: ReadingNotes) -> str | None:
    """It is the consumer's own words, without the numbers that may not be kept."""
    parts = value if isinstance(value, list) else [value]
    lines = [clean_text(as_text(part), keep_lines=True) for part in parts]
    found, secrets = redact_numbers("\n".join(filter(None, lines)))
    notes.warn_of_secrets(secrets)
    if len(found) > MAX_MESSAGE_LENGTH:
        notes.warn("message_truncated")
    return found[:MAX_MESSAGE_LENGTH] or None


def borrower_name(
    first: Any, last: Any, notes: ReadingNotes, *, full: Any = None
) -> Borrower | None:
    """It is a person's name of two fields, or of one where those are empty."""
    names = {"first": _clean_name(first, notes), "last": _clean_name(last, notes)}
    if not any(names.values()) and (whole := _clean_name(full, notes)):
        read = split_full_name(whole)
        if read.is_joint:
            notes.warn("joint_name")
        return Borrower(
            first_name=read.first,
            middle_name=read.middle,
            last_name=read.last,
            suffix=Suffix(read.suffix) if read.suffix else None,
            full_name_raw=whole,
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
    written: Iterable[tuple[Any, PhoneType]], notes: ReadingNotes
) -> tuple[Phone, ...]:
    """They are the numbers in order, each once; the first is primary."""
    found: list[Phone] = []
    for value, kind in written:
        raw = clean_text(as_text(value))
        if not raw:
            continue
        kind, number = _split_phone_type(raw, kind)
        if number.e164 and number.e164 in {phone.e164 for phone in found}:
            continue
        if not number.is_valid:
            notes.warn("bad_phone")
        elif number.is_foreign:
            notes.warn("phone_foreign")
        one = Phone(
            e164=number.e164,
            type=kind,
            is_primary=not found,
            ext=number.ext,
            country=number.country or (None if raw.startswith("+") else "US"),
            valid=number.is_valid,
            raw=raw[:MAX_TEXT_LENGTH],
        )
        found.append(one)
    return tuple(found)


def _split_phone_type(raw: str, kind: PhoneType) -> tuple[PhoneType, PhoneNumber]:
    """A number may end in its type, as LeadConduit writes it: 5125550121m."""
    ending = _PHONE_ENDING.search(raw)
    if ending is None:
        return kind, parse_phone_number(raw)
    return _PHONE_TYPES[ending[1].lower()], parse_phone_number(raw[: -len(ending[1])])


def email_addresses(written: Iterable[Any], notes: ReadingNotes) -> tuple[Email, ...]:
    """They are the addresses in order, each once; the first is primary."""
    found: list[Email] = []
    for value in written:
        raw = clean_text(as_text(value))
        address = parse_email_address(raw)
        if not raw or (address and address in {email.address for email in found}):
            continue
        if address is None:
            notes.warn("bad_email")
        found.append(
            Email(
                address=address,
                is_primary=not found,
                valid=address is not None,
                raw=raw[:MAX_TEXT_LENGTH],
            )
        )
    return tuple(found)


def third_party_phone(value: Any) -> str | None:
    """It is the E.164 number of a third party (an agent, a recipient), or None."""
    return None if value is None else parse_phone_number(clean_text(as_text(value))).e164


def third_party_email(value: Any) -> str | None:
    """It is a third party's address, or None."""
    return None if value is None else parse_email_address(clean_text(as_text(value)))


def third_party_name(*parts: Any) -> str | None:
    """It is the parts of a third party's name as one."""
    return short_text(" ".join(filter(None, map(short_text, parts))))


def usps_state(value: Any, key: str, notes: ReadingNotes) -> str | None:
    """It is the USPS code; warns `bad_state` and keeps the vendor's text under `key`."""
    written = short_text(value)
    if written is None:
        return None
    code = parse_state_code(written)
    if code is None:
        notes.warn(f"bad_state:{written}")
        notes.keep(key, written)
    return code


def parse_address(
    found: dict[str, Any], notes: ReadingNotes, *, state_key: str = "state", zip_key: str = "zip"
) -> dict[str, Any]:
    """They are the known fields of an address of `line1 line2 city state county zip`.

    `state_key` and `zip_key` are the vendor's names, under which a bad value is kept.
    """
    code = usps_state(found.get("state"), state_key, notes)
    plain = {name: short_text(found.get(name)) for name in ("line1", "line2", "city", "county")}
    zips = zip_parts(found.get("zip"), zip_key, notes, state=code)
    return {key: value for key, value in {**plain, **zips, "state": code}.items() if value}


def none_if_empty[R](record: R) -> R | None:
    """It is the record, or None when nothing in it is known."""
    return None if record == _empty_record(type(record)) else record  # type: ignore[arg-type]


@cache
def _empty_record(kind: Any) -> Any:
    """A record of this kind in which nothing is known."""
    return kind()


def zip_parts(
    value: Any, key: str, notes: ReadingNotes, *, state: str | None
) -> dict[str, str | None]:
    """They are `zip` and `zip4`; warns `bad_zip` or `zip_zero_restored`."""
    written = short_text(value)
    if written is None:
        return {}
    found = parse_zip_code(written, state=state)
    if found is None:
        notes.warn("bad_zip")
        notes.keep(key, written)
        return {}
    if found.restored:
        notes.warn("zip_zero_restored")
    return {"zip": found.five, "zip4": found.plus4}


def parse_moment(
    value: Any, key: str, notes: ReadingNotes, *, zone: str
) -> tuple[datetime | None, Precision | None]:
    """It is a moment in UTC and how exactly it was given.

    A time without a zone is read in the source's own, with a warning. A date alone is
    that day's first second in UTC. Warns `bad_date`.
    """
    written = short_text(value, limit=64)
    if written is None:
        return None, None
    at = _parse_datetime(written)
    if at is None:
        notes.warn(f"bad_date:{key}")
        notes.keep(key, written)
        return None, None
    if ":" not in written and "T" not in written:
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
    """It is the moment of a count since 1970: seconds, or `per` to the second. Warns `bad_date`."""
    written = short_text(value, limit=64)
    if written is None:
        return None
    try:
        return datetime.fromtimestamp(int(written) / per, UTC)
    except (ValueError, OverflowError, OSError):
        notes.warn(f"bad_date:{key}")
        notes.keep(key, written)
        return None


def _parse_datetime(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        pass
    for shape in _LOCAL_DATES:
        try:
            return datetime.strptime(written, shape)  # noqa: DTZ007 (the zone is the caller's)
        except ValueError:
            continue
    return None


def public_ip(value: Any, notes: ReadingNotes) -> str | None:
    """It is an address of the public network; warns `consent_ip_not_public` for another."""
    written = short_text(value, limit=64)
    if written is None:
        return None
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        notes.warn("consent_ip_not_public")
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    odd = found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast
    if odd or any(found.version == net.version and found in net for net in _PRIVATE_NETWORKS):
        notes.warn("consent_ip_not_public")
        return None
    return str(found).partition("%")[0]


def idempotency_key(lead: CanonicalLead, received_at: datetime) -> str:
    """It is the idempotency key: the vendor's id, else a hash of who asked what on which day."""
    if lead.vendor_lead_id:
        return f"{lead.source}:{lead.vendor_lead_id}"
    email = next((email.address for email in lead.emails if email.address), "") or ""
    e164 = next((phone.e164 for phone in lead.phones if phone.e164), "") or ""
    purpose = (lead.loan.purpose if lead.loan else None) or ""
    day = received_at.astimezone(UTC).date().isoformat()
    said = f"{lead.source}|{email.lower()}|{e164}|{purpose}|{day}"
    return f"{lead.source}:sha256:{hashlib.sha256(said.encode()).hexdigest()}"


def squash_word(word: str) -> str:
    """It is a vendor's word as maps compare it: letters and digits in lower case."""
    return re.sub(r"[\W_]+", "", word.lower())
