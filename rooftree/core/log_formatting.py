"""Log formats: one line of text or one JSON object for each record; never personal data.

No log call of ours names a borrower. Libraries and tracebacks can, so the text of an exception
that is not ours is left out, and phone numbers and email addresses are redacted in every line.
"""

import json
import logging
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from rooftree.core.vendor_errors import VendorError

LINE_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# Ids and timestamps are full of digits: only a number that stands alone counts as a phone number.
_MAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?:@|%40)[\w-]+\.[\w.-]+")
_PHONE = re.compile(
    r"(?<![\w.:-])(?:\+|%2B)?1?[ .-]?\(?[2-9]\d{2}\)?[ .-]?[2-9]\d{2}[ .-]?\d{4}(?![\w:-])"
)
# These URLs contain a bearer token; redact the rest of the path.
_SECRET_PATH = re.compile(r"(/(?:in/[\w-]+|calendar|unsubscribe|set-password|reset-password))/\S+")
request_id: ContextVar[str] = ContextVar("request_id", default="")


def redact_log_text(text: str) -> str:
    """Redact phone numbers, email addresses and URLs that contain a token."""
    return _PHONE.sub("[phone]", _MAIL.sub("[mail]", _SECRET_PATH.sub(r"\1/[secret]", text)))


def describe_exception(problem: BaseException) -> str:
    """Describe an exception for a log: its type and stack frames.

    The exception's own text is included only for our vendor errors, which hold no personal data.
    """
    kind = type(problem).__name__
    words = f": {problem}" if isinstance(problem, VendorError) else ""
    frames = traceback.extract_tb(problem.__traceback__)[-8:]
    places = " < ".join(
        f"{frame.name} ({'/'.join(frame.filename.rsplit('/', 3)[-3:])}:{frame.lineno})"
        for frame in reversed(frames)
    )
    return f"{kind}{words} in {places}"


class LineFormatter(logging.Formatter):
    """Formats one line of text for each record."""

    def __init__(self) -> None:
        super().__init__(LINE_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """Format the time, level, logger and message, then any request id and exception."""
        request = f" request={current_id}" if (current_id := request_id.get()) else ""
        failure = (
            f" | {describe_exception(problem)}" if (problem := _record_exception(record)) else ""
        )
        time = self.formatTime(record)
        text = f"{time} {record.levelname} {record.name} {record.getMessage()}{request}{failure}"
        return redact_log_text(" ".join(text.split()))


class JsonFormatter(logging.Formatter):
    """Formats one JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the same facts as a JSON object."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": redact_log_text(" ".join(record.getMessage().split())),
            "process": record.process,
        }
        if current_id := request_id.get():
            entry["request"] = current_id
        if problem := _record_exception(record):
            entry["problem"] = redact_log_text(describe_exception(problem))
        return json.dumps(entry, ensure_ascii=False)


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """Return the logging configuration, as `dictConfig` reads it.

    Args:
        level: the level of the `rooftree` loggers.
        form: `lines` or `json`.
    """
    formatter = {"lines": LineFormatter, "json": JsonFormatter}[form]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": formatter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "rooftree": {"level": level},
            # Django adds its own handler to this one, which would bypass our formats.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},
            "oban": {"level": "WARNING"},
            # SQL statements and requests of client libraries contain personal data.
            "django.db.backends": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "httpcore2": {"level": "WARNING"},
        },
    }


def _record_exception(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None
