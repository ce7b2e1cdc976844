"""Log formats, and the redaction of personal data."""

import io
import json
import logging

import pytest

from rooftree.core.log_formatting import JsonFormatter, LineFormatter, redact_log_text, request_id
from rooftree.core.vendor_errors import RequestRejected


@pytest.fixture(params=[LineFormatter, JsonFormatter])
def logged(request):
    """A logger with each format, and the stream that it writes to."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param())
    logger = logging.getLogger(f"rooftree.test.{request.param.__name__}")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "text",
    [
        "+18135550101", "8135550101", "(813) 555-0101", "813-555-0101", "813.555.0101",
        "1 813 555 0101", "%2B18135550101", "ben.ortiz@home.example", "ben%40home.example",
        "/in/zillow/zlw-secret-7f3a", "/unsubscribe/abc.def-123/", "/set-password/MQ/token/",
    ],
)  # fmt: skip
def test_contact_data_and_secret_urls_are_redacted(text):
    redacted = redact_log_text(f"before {text} after")

    assert text not in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "task process_deliveries (row 4211234567, no request) failed",
        "2026-11-24 03:45:58,123 ready",
        "message 019ab01c-5f3e-7cc1-8b1a-3f2a5b6c7d8e could not be sent",
        "127.0.0.1:8000",
    ],
)
def test_ids_times_and_ports_are_not_redacted(text):
    assert redact_log_text(text) == text


def test_text_of_a_foreign_exception_is_left_out_and_its_place_logged(logged):
    logger, stream = logged
    try:
        raise ValueError("Ben Ortiz, 12 Bay Street")
    except ValueError:
        logger.exception("delivery 7 could not be worked")

    assert "Ben" not in stream.getvalue()
    assert "Bay Street" not in stream.getvalue()
    assert "ValueError in test_text_of_a_foreign_exception" in stream.getvalue()
    assert "delivery 7 could not be worked" in stream.getvalue()


def test_text_of_our_own_errors_is_logged(logged):
    logger, stream = logged
    try:
        raise RequestRejected("The carrier knows no such number.")
    except RequestRejected:
        logger.exception("message 7")

    assert "The carrier knows no such number." in stream.getvalue()


def test_log_record_is_one_line_with_the_request_id(logged):
    logger, stream = logged
    token = request_id.set("req-123456")
    try:
        logger.warning("first\nsecond")
    finally:
        request_id.reset(token)

    assert stream.getvalue().count("\n") == 1
    assert "first second" in stream.getvalue()
    assert "req-123456" in stream.getvalue()


def test_json_formatter_writes_json():
    record = logging.makeLogRecord(
        {
            "msg": "%s waits",
            "args": ("it",),
            "name": "rooftree.x",
            "levelname": "INFO",
            "created": 0,
        }
    )

    entry = json.loads(JsonFormatter().format(record))

    assert entry["at"] == "1970-01-01T00:00:00.000+00:00"
    assert (entry["level"], entry["logger"], entry["text"]) == ("info", "rooftree.x", "it waits")
