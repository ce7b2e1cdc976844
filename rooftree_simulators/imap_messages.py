"""What IMAP says about stored emails: sets of numbers, search criteria, items to fetch.

After RFC 9051, sections 6.4.4 (SEARCH), 6.4.5 (FETCH) and 9 (sets).
"""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

FETCH_MACROS = {"FAST": "FLAGS INTERNALDATE RFC822.SIZE"}
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")  # the first one of an item is its head's
_ITEM = re.compile(
    r"(?P<name>UID|FLAGS|INTERNALDATE|RFC822\.SIZE|RFC822\.HEADER|RFC822\.TEXT|RFC822"
    r"|BODY(?:\.PEEK)?\[(?P<part>[^\]]*)\](?:<(?P<begin>\d+)\.(?P<most>\d+)>)?)\s*",
    re.IGNORECASE,
)
_HEADER_FIELDS = re.compile(r"HEADER\.FIELDS(?P<no>\.NOT)? \((?P<names>[^)]*)\)", re.IGNORECASE)
_RANGE = re.compile(r"(\d+|\*)(?::(\d+|\*))?")


class BadCommand(ValueError):
    """The command can't be run here. The text names what isn't understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEmail:
    """An email with its UID and the time it arrived."""

    uid: int
    raw: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedEmail:
    """An email as one session sees it: with its place in the mailbox and its flags."""

    number: int
    email: StoredEmail
    flags: frozenset[str]


type Test = Callable[[NumberedEmail], bool]


def is_in_set(text: str, value: int, last: int) -> bool:
    """Decide whether a number is in a set such as `1,4:6`; `n:*` always has the last one."""
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise BadCommand(f"not a set of numbers: {text[:40]}")
        ends = [last if end == "*" else int(end) for end in (match[1], match[2] or match[1])]
        if min(ends) <= value <= max(ends):
            return True
    return False


def search_emails(criteria: str, emails: list[NumberedEmail]) -> list[NumberedEmail]:
    """Return the emails that match all criteria. Raises `BadCommand` for an unknown one."""
    try:
        words = shlex.split(criteria)
    except ValueError as problem:
        raise BadCommand("a quote isn't closed") from problem
    if words[:1] and words[0].upper() == "CHARSET":
        words = words[2:]
    if not words:
        raise BadCommand("SEARCH wants criteria")
    reader = iter(words)
    last_uid = emails[-1].email.uid if emails else 0
    tests = [_read_criterion(word, reader, last_uid, len(emails)) for word in reader]
    return [row for row in emails if all(test(row) for test in tests)]


def _read_criterion(word: str, words: Iterator[str], last_uid: int, count: int) -> Test:
    name = word.upper()
    if name == "NOT":
        test = _read_criterion(next(words, ""), words, last_uid, count)
        return lambda row: not test(row)
    if name == "OR":
        first = _read_criterion(next(words, ""), words, last_uid, count)
        second = _read_criterion(next(words, ""), words, last_uid, count)
        return lambda row: first(row) or second(row)
    if name in _FLAG_TESTS:
        flag, is_set = _FLAG_TESTS[name]
        return lambda row: (flag in row.flags) == is_set
    if name == "ALL":
        return lambda _: True
    if name == "UID":
        uids = next(words, "")
        return lambda row: is_in_set(uids, row.email.uid, last_uid)
    if name[:1].isdigit() or name.startswith("*"):
        return lambda row: is_in_set(word, row.number, count)
    return _read_content_criterion(name, words)


def _read_content_criterion(name: str, words: Iterator[str]) -> Test:
    """Read a criterion about the day, the size or the words of an email."""
    value = next(words, None)
    if value is None or name not in {*_DAY_TESTS, *_TEXT_PARTS, "HEADER", "LARGER", "SMALLER"}:
        raise BadCommand(f"SEARCH {name} isn't supported")
    if name in _DAY_TESTS:
        is_right, day = _DAY_TESTS[name], _read_day(value)
        return lambda row: is_right(_day_of(name, row.email), day)
    if name == "HEADER":
        header, value = value, next(words, "")
        return lambda row: value.casefold() in _header(row.email, header)
    if name in ("LARGER", "SMALLER"):
        sign = 1 if name == "LARGER" else -1
        return lambda row: sign * len(row.email.raw) > sign * int(value)
    if name not in ("TEXT", "BODY"):
        return lambda row: value.casefold() in _header(row.email, name)
    begins = "" if name == "TEXT" else "\r\n\r\n"
    return lambda row: value.casefold() in _text_after(begins, row.email)


_FLAG_TESTS = {
    **{flag.upper(): (f"\\{flag}", True) for flag in ("Seen", "Answered", "Flagged", "Deleted")},
    **{f"UN{flag.upper()}": (f"\\{flag}", False) for flag in ("Seen", "Answered", "Flagged")},
    "UNDELETED": ("\\Deleted", False),
}
_DAY_TESTS: dict[str, Callable[[date, date], bool]] = {
    "SINCE": lambda found, day: found >= day,
    "BEFORE": lambda found, day: found < day,
    "ON": lambda found, day: found == day,
    "SENTSINCE": lambda found, day: found >= day,
    "SENTBEFORE": lambda found, day: found < day,
}
_TEXT_PARTS = {"FROM", "TO", "CC", "SUBJECT", "TEXT", "BODY"}


def _read_day(text: str) -> date:
    try:
        return datetime.strptime(f"{text} +0000", "%d-%b-%Y %z").date()
    except ValueError as problem:
        raise BadCommand(f"not a date: {text[:20]}") from problem


def _day_of(name: str, email: StoredEmail) -> date:
    if name.startswith("SENT"):
        try:
            return parsedate_to_datetime(_header(email, "Date")).date()
        except ValueError:
            return email.at.date()
    return email.at.date()


def _text_after(mark: str, email: StoredEmail) -> str:
    """Return the text after a mark, in lower case; the whole text without a mark."""
    text = email.raw.decode("utf-8", "replace")
    return (text.partition(mark)[2] if mark else text).casefold()


def _header(email: StoredEmail, name: str) -> str:
    message = message_from_bytes(email.raw, policy=policy.default)
    return str(message.get(name) or "").casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedItems:
    """The items of one email as FETCH answers them."""

    content: bytes
    is_seen: bool  # they make the email seen
    longest: int  # bytes of the longest literal


def fetch_items(items: str, row: NumberedEmail) -> FetchedItems:
    """Build the items of one email. Raises `BadCommand` for an unknown one."""
    text = FETCH_MACROS.get(items.upper(), items.strip().removeprefix("(").removesuffix(")"))
    parts, is_seen, place = [], False, 0
    while place < len(text):
        match = _ITEM.match(text, place)
        if match is None:
            raise BadCommand(f"FETCH {text[place:].split(' ')[0][:40]} isn't supported")
        parts.append(_show_item(match, row))
        name = match["name"].upper()
        is_seen = is_seen or name in ("RFC822", "RFC822.TEXT") or name.startswith("BODY[")
        place = match.end()
    heads = [head for part in parts if (head := _LITERAL.search(part))]
    longest = max((int(head[1]) for head in heads), default=0)
    return FetchedItems(content=b" ".join(parts), is_seen=is_seen, longest=longest)


def _show_item(match: re.Match[str], row: NumberedEmail) -> bytes:
    name, email = match["name"].upper(), row.email
    if name == "UID":
        return f"UID {email.uid}".encode()
    if name == "FLAGS":
        return f"FLAGS ({' '.join(sorted(row.flags))})".encode()
    if name == "INTERNALDATE":
        return f'INTERNALDATE "{email.at.strftime("%d-%b-%Y %H:%M:%S %z")}"'.encode()
    if name == "RFC822.SIZE":
        return f"RFC822.SIZE {len(email.raw)}".encode()
    wanted = {"RFC822.HEADER": "HEADER", "RFC822.TEXT": "TEXT", "RFC822": ""}
    part = wanted[name] if name in wanted else match["part"]
    content, label = _read_part(email, part), f"BODY[{part}]" if "[" in name else name
    if match["begin"]:
        begin, most = int(match["begin"]), int(match["most"])
        content, label = content[begin : begin + most], f"{label}<{begin}>"
    return f"{label} {{{len(content)}}}\r\n".encode() + content


def _read_part(email: StoredEmail, part: str) -> bytes:
    head, blank, body = email.raw.partition(b"\r\n\r\n")
    if not part:
        return email.raw
    if part.upper() == "HEADER":
        return head + blank
    if part.upper() == "TEXT":
        return body
    match = _HEADER_FIELDS.fullmatch(part)
    if match is None:
        raise BadCommand(f"FETCH BODY[{part[:40]}] isn't supported")
    names = {name.casefold().encode() for name in match["names"].split()}
    lines = re.split(rb"\r\n(?![ \t])", head)
    is_other = match["no"] is not None
    kept = [line for line in lines if (line.partition(b":")[0].lower() in names) != is_other]
    return b"".join(line + b"\r\n" for line in kept) + b"\r\n"
