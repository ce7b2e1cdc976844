"""Requests from the simulators to the product: callbacks, webhooks, lead deliveries."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """The product's answer to one request."""

    status: int  # 0: no answer; `problem` says why
    body: bytes = b""
    content_type: str = ""
    problem: str = ""


def send_request(
    method: str,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    timeout_s: float = 30.0,
    piece_pause_s: float = 0.0,
) -> HttpAnswer:
    """Send one request to `url`. Never raises: no answer is returned as status 0.

    Args:
        piece_pause_s: above 0, the body is sent in ten pieces with this pause
            between them, as from a sender on a slow connection.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    maker = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = maker(host, parts.port, timeout=timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.putrequest(method, target)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        if piece_pause_s:
            connection.endheaders()
            size = max(1, -(-len(body) // 10))
            for start in range(0, len(body), size):
                time.sleep(piece_pause_s)
                connection.send(body[start : start + size])
        else:
            connection.endheaders(body)
        response = connection.getresponse()
        return HttpAnswer(
            status=response.status,
            body=response.read(),
            content_type=response.getheader("Content-Type", ""),
        )
    except (OSError, http.client.HTTPException) as problem:
        return HttpAnswer(status=0, problem=f"{type(problem).__name__}: {problem}")
    finally:
        connection.close()
