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

LOCAL_NETWORKS = tuple(
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
MAX_PROXIES = 10  # entries of X-Forwarded-For that are read, from its end
MAX_ADDRESS_LENGTH = 64  # characters


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
    """Return the full, validated IP address of the visitor; "" if the request has none.

    Behind a TLS proxy, walk `X-Forwarded-For` from its end, past the proxies in
    `TRUSTED_PROXIES`; an entry that none of them added is a stranger's claim. Without that
    setting, one proxy on this machine or its private network is trusted.
    """
    address = parse_ip(str(environ.get("REMOTE_ADDR", "")))
    if not settings.SECURE_PROXY_SSL_HEADER:
        return address
    proxies = settings.TRUSTED_PROXIES or LOCAL_NETWORKS
    hops = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", MAX_PROXIES)[-MAX_PROXIES:]
    for hop in reversed(hops if settings.TRUSTED_PROXIES else hops[-1:]):
        is_proxy = not address or any(ip_address(address) in network for network in proxies)
        if not is_proxy or not (earlier := parse_ip(hop)):
            break
        address = earlier
    return address


def parse_ip(text: str) -> str:
    """Return an address as it is usually written, without port, brackets and zone; "" if none."""
    text = text[:MAX_ADDRESS_LENGTH].strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def address_group(address: str) -> str:
    """Return what rate limits count as one visitor: an IPv4 address, or an IPv6 /64 network."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address}/64", strict=False))


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
