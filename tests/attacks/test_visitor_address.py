"""The visitor's address: where a request came from, as the proxies that we trust say it.

A request that states its address itself must not become somebody else, and no address, however
malformed, is an error page.
"""

from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from django.test import Client

from rooftree.compliance.models import Consent
from rooftree.flow import clock
from rooftree.leads.models import Delivery
from rooftree.org.client_info import address_group, client_ip, truncate_ip
from rooftree.web.lead_form import views
from tests import make
from tests.flow import journey
from tests.web.visitor import ANSWERS, FORM, hidden, open_form

PROXY_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CLOUD = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]


@pytest.mark.parametrize(
    ("is_behind", "trusted", "peer", "forwarded", "expected"),
    [
        # Without a proxy the header is a stranger's.
        (False, (), "198.51.100.9", "203.0.113.1", "198.51.100.9"),
        # One proxy on this machine or network: the entry that it added.
        (True, (), "127.0.0.1", "1.2.3.4, 198.51.100.9", "198.51.100.9"),
        (True, (), "10.0.0.7", "198.51.100.9", "198.51.100.9"),
        (True, (), "fd00::7", "198.51.100.9", "198.51.100.9"),
        (True, (), "127.0.0.1", "1.2.3.4, 10.9.9.9", "10.9.9.9"),  # the office's own network
        # Whoever reaches us past the proxy speaks for itself only.
        (True, (), "198.51.100.66", "203.0.113.1", "198.51.100.66"),
        # Named proxies: as many hops as are ours.
        (True, CLOUD, "10.0.0.1", "1.2.3.4, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        (True, CLOUD, "2001:db8:ffff::1", "198.51.100.9", "198.51.100.9"),
        (True, CLOUD, "127.0.0.1", "198.51.100.9", "127.0.0.1"),  # no longer ours
        (True, CLOUD, "10.0.0.1", "", "10.0.0.1"),
        # Ports, brackets, zones, IPv4 in IPv6.
        (True, (), "127.0.0.1", "198.51.100.9:51234", "198.51.100.9"),
        (True, (), "127.0.0.1", "[2001:db8::9]:443", "2001:db8::9"),
        (True, (), "127.0.0.1", '"[2001:db8::9]"', "2001:db8::9"),
        (True, (), "127.0.0.1", "fe80::9%eth0", "fe80::9"),
        (True, (), "::ffff:127.0.0.1", "::ffff:198.51.100.9", "198.51.100.9"),
        (False, (), "[2001:DB8::9]:443", "", "2001:db8::9"),
        # What is no address is none, and the last hop that we know stays.
        (True, (), "127.0.0.1", "1.2.3.4, unknown", "127.0.0.1"),
        (True, (), "127.0.0.1", "1.2.3.4, 198.51.100.9\0", "127.0.0.1"),
        (True, (), "127.0.0.1", "1.2.3.4,", "127.0.0.1"),
        (True, (), "127.0.0.1", "9" * 5000, "127.0.0.1"),
        (False, (), "not an address", "", ""),
        (False, (), "", "", ""),
        (True, (), "", "198.51.100.9", "198.51.100.9"),  # a proxy on a local socket
    ],
)
def test_address_is_the_last_that_no_trusted_proxy_has(
    settings, is_behind, trusted, peer, forwarded, expected
):
    settings.SECURE_PROXY_SSL_HEADER = PROXY_HEADER if is_behind else None
    settings.TRUSTED_PROXIES = tuple(trusted)

    assert client_ip({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}) == expected


def test_one_ipv6_network_counts_as_one_visitor():
    assert address_group("2001:db8:1:2::1") == address_group("2001:db8:1:2:ffff::9")
    assert address_group("2001:db8:1:2::1") != address_group("2001:db8:1:3::1")
    assert address_group("198.51.100.9") == "198.51.100.9"
    assert address_group("") == truncate_ip("nothing") == ""


@pytest.mark.django_db
def test_one_attacker_behind_the_proxy_closes_the_form_for_nobody_else(settings, monkeypatch):
    make.company()
    journey.set_up_company()
    journey.create_website()
    settings.SECURE_PROXY_SSL_HEADER = PROXY_HEADER
    monkeypatch.setattr(
        views, "REQUEST_LIMIT", views.throttle.ThrottleLimit(
            name="form requests", max_attempts=2, window=2 * make.HOUR
        ),
    )  # fmt: skip

    def submit(address: str, phone: str) -> int:
        typed = {**hidden(open_form()), "hp_company": "", **ANSWERS, "consent": "yes"}
        proxied = {"X-Forwarded-For": address, "User-Agent": "Mozilla/5.0"}
        with clock.freeze(make.NOON):
            return (
                Client(REMOTE_ADDR="127.0.0.1")
                .post(f"{FORM}?lang=en", {**typed, "phone": phone}, headers=proxied)
                .status_code
            )

    attack = [submit("1.1.1.1, 2001:db8:6:6::" + str(n), f"813555020{n}") for n in range(1, 5)]
    assert attack == [303, 303, 429, 429]
    assert submit("198.51.100.9:41000", "8135550210") == 303
    journey.run()

    consent = Consent.objects.get(address="+18135550210")
    assert "ip" in consent.record["evidence"]
    assert consent.delivery.remote_addr == "198.51.100.9"


@pytest.mark.django_db
def test_odd_addresses_answer_every_public_request(settings):
    settings.SECURE_PROXY_SSL_HEADER = PROXY_HEADER
    make.company()
    site = journey.create_website()
    zillow = journey.create_zillow()
    client = Client(REMOTE_ADDR="127.0.0.1", raise_request_exception=False)
    requests = [
        SimpleNamespace(path=f"/in/form/{site.slug}", body=journey.form_post()),
        SimpleNamespace(path=f"/in/zillow/{zillow.token}", body=journey.zillow_contact()),
        SimpleNamespace(path="/sign-in/", body={}),
        SimpleNamespace(path="/api/v1/leads", body={}),
    ]
    for odd in ("198.51.100.9:99999999", "a b c", "::1%" + "z" * 300, "\u00e9", "-" * 4000, ","):
        for request in requests:
            answer = client.post(
                request.path, request.body, content_type="application/json",
                headers={"X-Forwarded-For": odd},
            )  # fmt: skip
            assert answer.status_code < 500, (odd, request.path)
    assert {row.remote_addr for row in Delivery.objects.all()} <= {
        "127.0.0.1",
        "::1",
        "198.51.100.9",
    }
