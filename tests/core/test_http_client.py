"""The one way out, against a real server on loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater


class Vendor:
    """Answers what it was told to, in turn, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                vendor.asked.append((self.command, self.path, dict(self.headers), body))
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
    here = Vendor()
    yield here
    here.close()


def client(vendor: Vendor, **limits: float) -> VendorClient:
    return VendorClient(vendor.url, limits=ClientLimits(**limits), sleep=lambda _: None)


def get(path: str = "/x", **rest: object) -> VendorRequest:
    return VendorRequest(method="GET", path=path, is_idempotent=True, **rest)


def post(**rest: object) -> VendorRequest:
    return VendorRequest(method="POST", path="/x", is_idempotent=False, json={"a": 1}, **rest)


@pytest.mark.parametrize("broken", [None, (500, {}, b""), (503, {}, b"")])
def test_a_safe_request_is_asked_again(vendor, broken):
    vendor.answers = [broken, broken, (200, {}, b'{"ok":1}')]

    assert client(vendor).send(get()).json() == {"ok": 1}
    assert len(vendor.asked) == 3


@pytest.mark.parametrize("broken", [None, (500, {}, b""), (503, {}, b"")])
def test_an_unsafe_request_of_unknown_fate_is_asked_once(vendor, broken):
    vendor.answers = [broken]

    with pytest.raises(OutcomeUnknown):
        client(vendor).send(post())

    assert len(vendor.asked) == 1


def test_an_answer_cut_short_leaves_an_unsafe_request_uncertain(vendor):
    vendor.answers = [(200, {"Content-Length": "99"}, b"{")]

    with pytest.raises(OutcomeUnknown):
        client(vendor).send(post())


def test_a_server_that_is_not_there_has_done_nothing(vendor):
    gone = client(vendor)
    vendor.close()

    with pytest.raises(RetryLater):
        gone.send(post())


def test_a_vendor_that_names_a_wait_is_not_pressed(vendor):
    vendor.answers = [(429, {"Retry-After": "12"}, b"")]

    with pytest.raises(RetryLater) as later:
        client(vendor).send(get())

    assert (later.value.retry_after_seconds, len(vendor.asked)) == (12.0, 1)


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
def test_a_final_no_is_told_apart_from_a_wrong_setting(vendor, status, kind):
    vendor.answers = [(status, {}, b"secret of the borrower")]

    with pytest.raises(kind) as problem:
        client(vendor).send(post())

    assert "borrower" not in str(problem.value)


def test_a_status_the_caller_wants_is_an_answer(vendor):
    vendor.answers = [(409, {}, b"{}")]

    assert client(vendor).send(post(accepted_statuses=frozenset({409}))).status == 409


@pytest.mark.parametrize(("ask", "kind"), [(get(), RetryLater), (post(), OutcomeUnknown)])
def test_an_answer_beyond_the_cap_is_not_read_on(vendor, ask, kind):
    vendor.answers = [(200, {}, b"x" * 5000)] * 3

    with pytest.raises(kind):
        client(vendor, max_response_bytes=1000).send(ask)


def test_a_redirect_at_home_is_followed_with_its_headers(vendor):
    vendor.answers = [(302, {"Location": "/y"}, b""), (200, {}, b'"there"')]

    assert client(vendor).send(get(headers={"Authorization": "Bearer t"})).json() == "there"
    assert [(row[1], row[2]["Authorization"]) for row in vendor.asked] == [
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
def test_a_redirect_to_a_private_or_plain_address_is_not_followed(vendor, elsewhere):
    vendor.answers = [(302, {"Location": elsewhere}, b"")]

    with pytest.raises(Misconfigured):
        client(vendor).send(get())

    assert len(vendor.asked) == 1


def test_a_redirect_of_an_unsafe_request_is_never_followed(vendor):
    vendor.answers = [(307, {"Location": "/y"}, b"")]

    with pytest.raises(Misconfigured):
        client(vendor).send(post())

    assert len(vendor.asked) == 1


@pytest.mark.parametrize("url", ["http://vendor.example", "ftp://vendor.example", "vendor", ""])
def test_a_base_address_is_https_or_this_host(url):
    with pytest.raises(Misconfigured):
        VendorClient(url)


def test_a_form_may_name_a_field_twice(vendor):
    client(vendor).send(
        VendorRequest(method="POST", path="/x", is_idempotent=False, form=(("a", "1"), ("a", "2")))
    )

    assert vendor.asked[0][3] == b"a=1&a=2"


def test_nothing_of_a_request_reaches_the_log(vendor, caplog):
    with caplog.at_level("DEBUG"):
        client(vendor).send(
            get(query=(("To", "+13055550142"),), headers={"Authorization": "Bearer hush"})
        )

    assert vendor.asked[0][1] == "/x?To=%2B13055550142"
    assert "3055550142" not in caplog.text
    assert "hush" not in caplog.text
