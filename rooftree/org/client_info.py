"""From where somebody asks, by the environment of their request: as much of it as may be kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

BROWSERS = (  # by a word of the User-Agent header; the first that fits
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
    """What the access log keeps of a request."""

    address: str  # shortened: a network, never a machine
    device: str  # "Chrome on Android"


NO_CLIENT = ClientInfo(address="", device="")


def read_client_info(environ: Mapping[str, Any]) -> ClientInfo:
    """Who asks, by a WSGI environment."""
    said = str(environ.get("HTTP_USER_AGENT", ""))
    return ClientInfo(address=truncate_ip(client_ip(environ)), device=describe_device(said))


def client_ip(environ: Mapping[str, Any]) -> str:
    """The whole address, for counting tries; behind our proxy, the one that the proxy saw."""
    if settings.SECURE_PROXY_SSL_HEADER:
        seen = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")[-1].strip()
        if seen:
            return seen
    return str(environ.get("REMOTE_ADDR", ""))


def truncate_ip(address: str) -> str:
    """The network of an address: the first 24 bits of IPv4, the first 48 of IPv6."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(known, "ipv4_mapped", None) or known
    return str(ip_network(f"{mapped}/{24 if mapped.version == 4 else 48}", strict=False))


def describe_device(said: str) -> str:
    """A User-Agent in three words; "" for what says nothing we know."""
    browser = next((name for word, name in BROWSERS if word in said), "")
    system = next((name for word, name in SYSTEMS if word in said), "")
    return f"{browser} on {system}" if browser and system else browser or system
