"""The access log: the details it stores, and that it is append-only."""

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from rooftree.org import access_log
from rooftree.org.access_log import AccessKind
from rooftree.org.client_info import NO_CLIENT, describe_device, read_client_info, truncate_ip
from rooftree.org.models import AccessEntry
from tests import make

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/130.0 Safari/537.36 Edg/130.0"


@pytest.mark.parametrize("change", ["update", "delete"])
def test_access_entry_cannot_be_changed_or_deleted(db, change):
    access_log.record_access(AccessKind.FAILED, client=NO_CLIENT, at=make.NOON)
    rows = AccessEntry.objects.all()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(kind="signed_in") if change == "update" else rows.delete()

    assert AccessEntry.objects.get().kind == "failed"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_only_the_network_of_an_address_is_stored(address, network):
    assert truncate_ip(address) == network


@given(st.ip_addresses(v=4))
def test_last_number_of_an_address_is_never_stored(address):
    assert truncate_ip(str(address)).rsplit(".", 1)[1] == "0/24"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (PHONE, "Chrome on Android"),
        (IPHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("curl/8.0", ""),
    ],
)
def test_device_is_described_in_three_words(user_agent, device):
    assert describe_device(user_agent) == device


def test_address_behind_the_proxy_is_the_one_it_saw(settings):
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4, 198.51.100.9"}

    settings.SECURE_PROXY_SSL_HEADER = None
    assert read_client_info(environ).address == "10.0.0.0/24"  # a stranger's header is ignored
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert read_client_info(environ).address == "198.51.100.0/24"


def test_unknown_email_always_gets_the_same_hash(db):
    assert access_log.hash_unknown_email("A@x.example") == access_log.hash_unknown_email(
        "a@x.example "
    )
    assert access_log.hash_unknown_email("a@x.example") != access_log.hash_unknown_email(
        "b@x.example"
    )
