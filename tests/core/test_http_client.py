"""The HTTP client against a real server on loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater


class Vendor:
    """Gives the prepared answers in turn and records the requests."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                vendor.requests.append((self.command, self.path, dict(self.headers), body))
                answer = vendor.answers.pop(0) if vendor.answers else (200, {}, b"{}")
                if answer is None:  # no answer at all
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    server = Vendor()
    yield server
    server.close()


def client(vendor: Vendor, **limits: float) -> VendorClient:
    return VendorClient(vendor.url, limits=ClientLimits(**limits), sleep=lambda _: None)


def get(path: str = "/x", **rest: object) -> VendorRequest:
    return VendorRequest(method="GET", path=path, is_idempotent=True, **rest)


def post(**rest: object) -> VendorRequest:
    return VendorRequest(method="POST", path="/x", is_idempotent=False, json={"a": 1}, **rest)


@pytest.mark.parametrize("broken", [None, (500, {}, b""), (503, {}, b"")])
def test_safe_request_is_retried(vendor, broken):
    vendor.answers = [broken, broken, (200, {}, b'{"ok":1}')]

    assert client(vendor).send(get()).json() == {"ok": 1}
    assert len(vendor.requests) == 3


@pytest.mark.parametrize("broken", [None, (500, {}, b""), (503, {}, b"")])
def test_unsafe_request_with_unknown_outcome_is_sent_once(vendor, broken):
    vendor.answers = [broken]

    with pytest.raises(OutcomeUnknown):
        client(vendor).send(post())

    assert len(vendor.requests) == 1


def test_truncated_response_leaves_an_unsafe_request_uncertain(vendor):
    vendor.answers = [(200, {"Content-Length": "99"}, b"{")]

    with pytest.raises(OutcomeUnknown):
        client(vendor).send(post())


def test_unreachable_server_is_safe_to_retry(vendor):
    unreachable = client(vendor)
    vendor.close()

    with pytest.raises(RetryLater):
        unreachable.send(post())


def test_request_is_not_retried_before_retry_after(vendor):
    vendor.answers = [(429, {"Retry-After": "12"}, b"")]

    with pytest.raises(RetryLater) as problem:
        client(vendor).send(get())

    assert (problem.value.retry_after_seconds, len(vendor.requests)) == (12.0, 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRejected),
        (404, RequestRejected),
        (410, RequestRejected),
        (401, Misconfigured),
        (403, Misconfigured),
    ],
)
def test_rejection_differs_from_a_wrong_setting(vendor, status, kind):
    vendor.answers = [(status, {}, b"secret of the borrower")]

    with pytest.raises(kind) as problem:
        client(vendor).send(post())

    assert "borrower" not in str(problem.value)


def test_accepted_status_is_returned(vendor):
    vendor.answers = [(409, {}, b"{}")]

    assert client(vendor).send(post(accepted_statuses=frozenset({409}))).status == 409


@pytest.mark.parametrize(
    ("vendor_request", "kind"), [(get(), RetryLater), (post(), OutcomeUnknown)]
)
def test_response_over_the_size_limit_is_not_read(vendor, vendor_request, kind):
    vendor.answers = [(200, {}, b"x" * 5000)] * 3

    with pytest.raises(kind):
        client(vendor, max_response_bytes=1000).send(vendor_request)


def test_redirect_on_the_same_host_is_followed_with_its_headers(vendor):
    vendor.answers = [(302, {"Location": "/y"}, b""), (200, {}, b'"there"')]

    assert client(vendor).send(get(headers={"Authorization": "Bearer t"})).json() == "there"
    assert [(row[1], row[2]["Authorization"]) for row in vendor.requests] == [
        ("/x", "Bearer t"),
        ("/y", "Bearer t"),
    ]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1:9/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "http://example.com/",
    ],
)
def test_redirect_to_a_private_or_plain_http_address_is_not_followed(vendor, elsewhere):
    vendor.answers = [(302, {"Location": elsewhere}, b"")]

    with pytest.raises(Misconfigured):
        client(vendor).send(get())

    assert len(vendor.requests) == 1


def test_redirect_of_an_unsafe_request_is_never_followed(vendor):
    vendor.answers = [(307, {"Location": "/y"}, b"")]

    with pytest.raises(Misconfigured):
        client(vendor).send(post())

    assert len(vendor.requests) == 1


@pytest.mark.parametrize("url", ["http://vendor.example", "ftp://vendor.example", "vendor", ""])
def test_base_url_is_https_or_this_machine(url):
    with pytest.raises(Misconfigured):
        VendorClient(url)


def test_form_can_repeat_a_field(vendor):
    client(vendor).send(
        VendorRequest(method="POST", path="/x", is_idempotent=False, form=(("a", "1"), ("a", "2")))
    )

    assert vendor.requests[0][3] == b"a=1&a=2"


def test_request_data_is_never_logged(vendor, caplog):
    with caplog.at_level("DEBUG"):
        client(vendor).send(
            get(query=(("To", "+13055550142"),), headers={"Authorization": "Bearer hush"})
        )

    assert vendor.requests[0][1] == "/x?To=%2B13055550142"
    assert "3055550142" not in caplog.text
    assert "hush" not in caplog.text
