"""How logs look: a line for people, or a JSON object a line for machines; never a person's data.

Nothing that we log names a borrower. What libraries and tracebacks say may, so the text of an
exception that is not ours is left out, and phone numbers and e-mail addresses are blotted out
of every line that leaves.
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
# Ids and moments are full of digits: a number counts as a phone's only when it stands alone.
_MAIL = re.compile(r"[\w.+%-]+(?:@|%40)[\w-]+\.[\w.-]+")
_PHONE = re.compile(
    r"(?<![\w.:-])(?:\+|%2B)?1?[ .-]?\(?[2-9]\d{2}\)?[ .-]?[2-9]\d{2}[ .-]?\d{4}(?![\w:-])"
)
# A path of these is itself the secret: it lets whoever knows it in.
_SECRET_PATH = re.compile(r"(/(?:in/[\w-]+|unsubscribe|set-password|reset-password))/\S+")
request_id: ContextVar[str] = ContextVar("request_id", default="")


def redact_log_text(text: str) -> str:
    """`text` without phone numbers, e-mail addresses and addresses of ours that open doors."""
    return _PHONE.sub("[phone]", _MAIL.sub("[mail]", _SECRET_PATH.sub(r"\1/[secret]", text)))


def describe_exception(problem: BaseException) -> str:
    """An exception as a log may hold it: kind and places; its own words only when they are ours."""
    kind = type(problem).__name__
    words = f": {problem}" if isinstance(problem, VendorError) else ""
    frames = traceback.extract_tb(problem.__traceback__)[-8:]
    places = " < ".join(
        f"{frame.name} ({'/'.join(frame.filename.rsplit('/', 3)[-3:])}:{frame.lineno})"
        for frame in reversed(frames)
    )
    return f"{kind}{words} in {places}"


class LineFormatter(logging.Formatter):
    """One line for people."""

    def __init__(self) -> None:
        super().__init__(LINE_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, who, what; the request's id when there is one; where it broke."""
        asked = f" request={given}" if (given := request_id.get()) else ""
        broke = (
            f" | {describe_exception(problem)}" if (problem := _record_exception(record)) else ""
        )
        when = self.formatTime(record)
        text = f"{when} {record.levelname} {record.name} {record.getMessage()}{asked}{broke}"
        return redact_log_text(" ".join(text.split()))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The same facts under names."""
        found: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": redact_log_text(" ".join(record.getMessage().split())),
            "process": record.process,
        }
        if given := request_id.get():
            found["request"] = given
        if problem := _record_exception(record):
            found["problem"] = redact_log_text(describe_exception(problem))
        return json.dumps(found, ensure_ascii=False)


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """The logging set-up.

    Args:
        level: how much `rooftree` itself says.
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
            # Django adds a handler of its own to this one, whose lines are not ours.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},
            "oban": {"level": "WARNING"},
            # An SQL statement or a request of a client library carries people's data.
            "django.db.backends": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "httpcore2": {"level": "WARNING"},
        },
    }


def _record_exception(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None
