"""The mail providers that need nothing but an API key, and how each one's key is checked."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest
from rooftree.core.vendor_errors import Misconfigured, RequestRejected

LIMITS = ClientLimits(read_timeout_seconds=10.0, total_timeout_seconds=15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailProvider:
    """One provider: its Anymail backend, and the request that tells whether a key works."""

    name: str
    backend: str  # Anymail's class
    key_option: str  # the class's argument for the key
    key_hint: str  # where the key is found
    api_url: str
    spf_include: str
    dkim_hint: str  # where the selector is found
    region: str = ""  # Mailgun's, whose requests name the sending domain; "": another provider


MAILGUN: dict[str, Any] = {  # the same in both regions
    "backend": "anymail.backends.mailgun.EmailBackend",
    "key_option": "api_key",
    "key_hint": "In Mailgun under API Security. A sending key of one domain can’t be checked",
    "spf_include": "mailgun.org",
    "dkim_hint": "Before ._domainkey in the DKIM record under Sending, Domain settings",
}
PROVIDERS = {
    "postmark": MailProvider(
        name="Postmark",
        backend="anymail.backends.postmark.EmailBackend",
        key_option="server_token",
        key_hint="The Server API token, in Postmark under your server, API Tokens",
        api_url="https://api.postmarkapp.com/",
        spf_include="spf.mtasv.net",
        dkim_hint="Before ._domainkey in the DKIM hostname under Sender Signatures, DNS Settings",
    ),
    "sendgrid": MailProvider(
        name="SendGrid",
        backend="anymail.backends.sendgrid.EmailBackend",
        key_option="api_key",
        key_hint="In SendGrid under Settings, API Keys. It needs the permission Mail Send",
        api_url="https://api.sendgrid.com/v3/",
        spf_include="sendgrid.net",
        dkim_hint="Usually s1; under Settings, Sender Authentication",
    ),
    "mailgun": MailProvider(
        name="Mailgun", region="US", api_url="https://api.mailgun.net/v3/", **MAILGUN
    ),
    "mailgun_eu": MailProvider(
        name="Mailgun EU", region="EU", api_url="https://api.eu.mailgun.net/v3/", **MAILGUN
    ),
}


def api_url(service: str) -> str:
    """Return the URL of the provider's API, or of its simulator on this machine."""
    return str(settings.UPSTREAMS.get(service) or PROVIDERS[service].api_url)


def check_key(service: str, key: str, *, domain: str) -> None:
    """Ask the provider whether the key can send; no email is sent.

    Args:
        domain: the sending domain, which only Mailgun needs, in either region.

    Raises `Misconfigured`, `RetryLater` or `RequestRejected`, which say what to change.
    """
    provider = PROVIDERS[service]
    basic = ("api", key) if provider.region else None
    client = VendorClient(api_url(service), limits=LIMITS, basic=basic)
    try:
        answer = client.send(_key_request(service, key, domain)).json()
    except Misconfigured as problem:
        raise Misconfigured(f"{provider.name} refused the API key. Copy it again.") from problem
    except RequestRejected as problem:
        if provider.region and problem.code == "404":
            raise Misconfigured(
                f"Mailgun has no domain {domain} in its {provider.region} region. "
                "Check the domain and the region."
            ) from problem
        raise
    finally:
        client.close()
    _check_answer(service, answer if isinstance(answer, dict) else {}, domain)


def _key_request(service: str, key: str, domain: str) -> VendorRequest:
    path, headers = {
        "postmark": ("server", {"X-Postmark-Server-Token": key, "Accept": "application/json"}),
        "sendgrid": ("scopes", {"Authorization": f"Bearer {key}"}),
    }.get(service, (f"domains/{domain}", {}))
    return VendorRequest(method="GET", path=path, headers=headers, is_idempotent=True)


def _check_answer(service: str, answer: dict[str, Any], domain: str) -> None:
    """Raise `Misconfigured` for a key that is accepted but cannot send."""
    if service == "sendgrid" and "mail.send" not in (answer.get("scopes") or ()):
        raise Misconfigured("This SendGrid key can’t send email. Give it the permission Mail Send.")
    details = answer.get("domain")
    state = details.get("state") if isinstance(details, dict) else None
    if PROVIDERS[service].region and state != "active":
        raise Misconfigured(
            f"Mailgun has not verified {domain} yet. Publish its DNS records, then try again."
        )
