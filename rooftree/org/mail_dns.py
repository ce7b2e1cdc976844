"""Look up the DNS records that tell receivers that our mail is ours: SPF, DKIM and DMARC.

RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC). Mailbox providers require all three of bulk
senders, for the domain of the sender's address.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.resolver
from django.conf import settings

from rooftree.core.user_errors import InvalidField

ANSWER_SECONDS = 5.0  # for each record
DMARC_POLICIES = frozenset({"none", "quarantine", "reject"})
SPF_INCLUDES = {  # what to publish, by the end of an SMTP server's name
    "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "amazonaws.com": "amazonses.com",
    "postmarkapp.com": "spf.mtasv.net",
    "sendgrid.net": "sendgrid.net",
    "mailgun.org": "mailgun.org",
}


class DnsUnavailable(Exception):
    """DNS did not answer, so nothing is known. The text is fit to show to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecord:
    """The DNS records under one name, and what is missing."""

    name: str  # SPF, DKIM or DMARC
    host: str  # where it is published
    found: str = ""  # the record's text; "": none
    problem: str = ""  # a sentence; "": all is well
    publish: str = ""  # the text to publish, where we know it


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderDomain:
    """The domain to look up, and what our suggestions depend on."""

    domain: str
    selector: str  # of the DKIM key; "": not entered
    sender_address: str
    spf_source: str = ""  # "include:..." or "a:..." of the server that sends our mail


def spf_source(*, include: str = "", host: str = "") -> str:
    """Return the SPF mechanism that allows a provider, or else an SMTP server."""
    suffixes = [suffix for suffix in SPF_INCLUDES if f".{host}".endswith(f".{suffix}")]
    if include or suffixes:
        return f"include:{include or SPF_INCLUDES[suffixes[0]]}"
    return f"a:{host}" if host else ""


def look_up_records(sender: SenderDomain) -> list[MailRecord]:
    """Look up all three. Raises `DnsUnavailable`, or `InvalidField` for an impossible name."""
    resolver = _create_resolver()
    return [_look_up_spf(resolver, sender), _look_up_dkim(resolver, sender),
            _look_up_dmarc(resolver, sender)]  # fmt: skip


def _create_resolver() -> dns.resolver.Resolver:
    """Return this machine's resolver, or the simulated one that `UPSTREAMS` names as `dns`."""
    if simulated := settings.UPSTREAMS.get("dns"):
        address = urlsplit(simulated)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = address.port or 53
        return resolver
    try:
        return dns.resolver.Resolver()
    except dns.exception.DNSException as problem:
        raise DnsUnavailable("This machine has no DNS server configured.") from problem


def _read_texts(resolver: dns.resolver.Resolver, host: str) -> list[str]:
    """Return the TXT records of a name, following aliases; [] if there are none."""
    try:
        answer = resolver.resolve(host, "TXT", lifetime=ANSWER_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel) as problem:
        raise InvalidField("selector", f"{host} can’t be a name in DNS.") from problem
    except dns.exception.DNSException as problem:
        raise DnsUnavailable(f"DNS did not answer for {host}.") from problem
    return [b"".join(row.strings).decode("utf-8", "replace").strip() for row in answer]


def _look_up_spf(resolver: dns.resolver.Resolver, sender: SenderDomain) -> MailRecord:
    host = sender.domain
    records = [
        text for text in _read_texts(resolver, host) if text.lower().split(" ")[0] == "v=spf1"
    ]
    problem, publish = "", ""
    if not records:
        problem = "No SPF record: nothing says which servers can send for your domain."
        publish = f"v=spf1 {sender.spf_source} ~all".replace("  ", " ")
    elif len(records) > 1:
        problem = "There are several SPF records, so receivers ignore them. Merge them into one."
    elif {"all", "+all"} & set(records[0].lower().split()):
        problem = "It lets any server in the world send for your domain. End it with ~all."
        publish = " ".join(
            "~all" if word.lower() in {"all", "+all"} else word for word in records[0].split()
        )
    return MailRecord(
        name="SPF", host=host, found="\n".join(records), problem=problem, publish=publish
    )


def _look_up_dkim(resolver: dns.resolver.Resolver, sender: SenderDomain) -> MailRecord:
    if not sender.selector:
        return MailRecord(
            name="DKIM", host=f"<selector>._domainkey.{sender.domain}",
            problem="Enter the selector. Your mail provider shows it with the key.",
        )  # fmt: skip
    host = f"{sender.selector}._domainkey.{sender.domain}"
    records = [text for text in _read_texts(resolver, host) if "p" in _parse_tags(text)]
    problem = ""
    if not records:
        problem = (
            "No key under this selector. Publish the record that your mail provider shows: "
            "only the provider knows the key."
        )
    elif not any(_parse_tags(text)["p"] for text in records):
        problem = "The key was revoked: its p= is empty. Publish your provider’s current key."
    return MailRecord(name="DKIM", host=host, found="\n".join(records), problem=problem)


def _look_up_dmarc(resolver: dns.resolver.Resolver, sender: SenderDomain) -> MailRecord:
    """Look at the domain itself and then at its parents, whose policy covers it."""
    own_host = f"_dmarc.{sender.domain}"
    labels = sender.domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        host = "_dmarc." + ".".join(labels[start:])
        records = [
            text for text in _read_texts(resolver, host) if _parse_tags(text).get("v") == "DMARC1"
        ]
        if records:
            return _judge_dmarc(host, records)
    return MailRecord(
        name="DMARC", host=own_host,
        problem="No DMARC record: nothing says what to do with mail that only claims to be yours.",
        publish=f"v=DMARC1; p=none; rua=mailto:{sender.sender_address}",
    )  # fmt: skip


def _judge_dmarc(host: str, records: list[str]) -> MailRecord:
    problem = ""
    if len(records) > 1:
        problem = "There are several DMARC records, so receivers ignore them. Keep one."
    elif _parse_tags(records[0]).get("p", "").lower() not in DMARC_POLICIES:
        problem = "It has no policy. Add p=none, p=quarantine or p=reject."
    return MailRecord(name="DMARC", host=host, found="\n".join(records), problem=problem)


def _parse_tags(text: str) -> dict[str, str]:
    """Return a `tag=value; tag=value` record as a dictionary, without its spaces."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, sign, value in pairs if sign}
