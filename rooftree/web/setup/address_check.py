"""Check that the public address leads here, with TLS, and that the proxy names the visitor."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.core import signing
from django.urls import reverse

# A documentation address (RFC 5737) that no visitor has.
FALSE_VISITOR = "203.0.113.9"
ECHO_SALT, ECHO_SECONDS = "public-address-echo", 60
REACH_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFinding:
    """The result of the check; the text is fit to show."""

    has_passed: bool
    text: str


def check_public_address() -> AddressFinding:
    """Ask this installation through its public address what it saw of the request."""
    address = settings.PUBLIC_URL
    if not address.startswith("https://"):
        return _failed(
            f"{address} works only on this server. Run rooftree setup with your public address."
        )
    nonce = secrets.token_urlsafe(12)
    path = reverse("address_echo", args=[signing.dumps(nonce, salt=ECHO_SALT)])
    try:
        response = httpx2.get(
            f"{address}{path}",
            headers={"X-Forwarded-For": FALSE_VISITOR},
            timeout=REACH_SECONDS,
            follow_redirects=False,
        )
    except httpx2.HTTPError as problem:
        return _failed(describe_failure(str(problem), urlsplit(address).hostname or ""))
    try:
        seen = dict(response.json())
    except (ValueError, TypeError):
        seen = {}
    if response.status_code == 400:
        return _failed("The proxy doesn’t pass on the Host header.")
    if seen.get("nonce") != nonce:
        return _failed(f"{address} answers, but it isn’t this Rooftree.")
    return judge_echo(seen)


def judge_echo(seen: dict[str, object]) -> AddressFinding:
    """Judge what arrived here of a request through the public address."""
    if not seen.get("is_secure"):
        return _failed(
            "The proxy doesn’t tell Rooftree that visitors use https. Have it set "
            "X-Forwarded-Proto, and set ROOFTREE_BEHIND_TLS_PROXY=true."
        )
    if not seen.get("is_forwarded"):
        return _failed(
            "The proxy doesn’t pass on visitors’ addresses. Have it set X-Forwarded-For: without "
            "it, you can’t prove consent on your website form."
        )
    if seen.get("visitor") == FALSE_VISITOR:
        return _failed(
            "The proxy passes on whatever address a visitor claims. Have it set "
            "X-Forwarded-For to the address that it sees."
        )
    return AddressFinding(
        has_passed=True,
        text=f"{settings.PUBLIC_URL} leads here with TLS; visitors’ addresses arrive",
    )


def describe_failure(problem: str, host: str) -> str:
    """Return a failed connection as a plain sentence."""
    if "CERTIFICATE" in problem.upper():
        return f"The certificate of {host} isn’t trusted: {problem}"
    if "name" in problem.lower() and "known" in problem.lower():
        return f"{host} isn’t in DNS yet."
    return f"{host} can’t be reached: {problem or 'no answer'}"


def _failed(text: str) -> AddressFinding:
    return AddressFinding(has_passed=False, text=text)
