"""Network and device of a request, cut down to the details that can be stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

BROWSERS = (  # word in the User-Agent header; the first match wins
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientInfo:
    """The details of a request that the access log stores."""

    address: str  # shortened: a network, never a machine
    device: str  # "Chrome on Android"


NO_CLIENT = ClientInfo(address="", device="")


def read_client_info(environ: Mapping[str, Any]) -> ClientInfo:
    """Read client details from a WSGI environment."""
    user_agent = str(environ.get("HTTP_USER_AGENT", ""))
    return ClientInfo(address=truncate_ip(client_ip(environ)), device=describe_device(user_agent))


def client_ip(environ: Mapping[str, Any]) -> str:
    """Return the full address, for counting attempts; behind our proxy, the address it saw."""
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
        if is_ip_address(forwarded):
            return forwarded
    return str(environ.get("REMOTE_ADDR", ""))


def is_ip_address(text: str) -> bool:
    """Return True for an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def truncate_ip(address: str) -> str:
    """Return the network of an address: the first 24 bits of IPv4, the first 48 of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    address_v4_or_v6 = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(
        ip_network(
            f"{address_v4_or_v6}/{24 if address_v4_or_v6.version == 4 else 48}", strict=False
        )
    )


def describe_device(user_agent: str) -> str:
    """Describe a User-Agent in up to three words; "" if it names nothing known."""
    browser = next((name for word, name in BROWSERS if word in user_agent), "")
    system = next((name for word, name in SYSTEMS if word in user_agent), "")
    return f"{browser} on {system}" if browser and system else browser or system
