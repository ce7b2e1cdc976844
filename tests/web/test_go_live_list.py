"""The go-live list: proofs that nobody can tick, owners, and the check of the public address."""

import json
import ssl
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import signing
from django.urls import reverse
from django.utils.timezone import now

from rooftree.capture.imports import crm_import
from rooftree.capture.imports.models import CrmImport
from rooftree.capture.source_setup.vendor_credentials import missing_credentials
from rooftree.compliance.numbers.models import NumberService
from rooftree.management import backup_records
from rooftree.org import setup_steps
from rooftree.org.models import SetupStep
from rooftree.web.setup import address_check
from rooftree.web.setup.go_live_steps import ADDRESS_STEP
from rooftree.web.setup.guide_step import step_key
from tests import make

HONEST_ECHO = {"is_secure": True, "is_forwarded": True, "visitor": "198.51.100.7"}


@pytest.fixture
def ana(db):
    return make.user("administrator", name="Ana Ruiz")


@pytest.fixture
def browser(ana, signed_in):
    return signed_in(ana)


def step_line(page, name):
    """Return the part of the page about one step."""
    return page.split(f"<b>{name}</b>")[1].split("</li>")[0]


def test_step_has_an_owner_and_a_date_that_shows_when_it_is_late(browser, ana):
    url = reverse("setup_step", args=["check-licenses"])

    answer = browser.post(url, {"owner_id": str(ana.pk), "due_date": "2026-01-05"}, follow=True)

    line = step_line(answer.text, "Check licenses")
    assert "Ana Ruiz" in line
    assert "Mon, Jan 5" in line
    assert "is-late" in line
    assert SetupStep.objects.get().due_date.isoformat() == "2026-01-05"
    assert browser.get(reverse("setup_step", args=["no-such-step"])).status_code == 404


def test_backup_and_its_test_restore_turn_green_by_their_records_alone(
    browser, settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(backup_records.settings, "ROOFTREE_HOME", tmp_path)
    at = now()
    page = browser.get("/setup/").text
    assert "(verified)" not in step_line(page, "Back up every night")

    backup_records.write_record(
        backup_records.LAST_BACKUP, {"made_at": at.isoformat(), "folder": "/somewhere"}
    )
    backup_records.write_record(
        backup_records.LAST_TEST_RESTORE,
        {"made_at": (at - timedelta(days=40)).isoformat(), "backup_at": "", "rows": "41208"},
    )
    page = browser.get("/setup/").text

    assert "(verified)" in step_line(page, "Back up every night")
    old = step_line(page, "Test-restore a backup")
    assert "Needs attention" in old
    assert "41,208 of 41,208 rows" in old


def test_second_administrator_counts_once_they_have_a_password(browser):
    second = make.user("administrator", name="Ben Lee")
    second.set_unusable_password()
    second.save()
    line = step_line(browser.get("/setup/").text, "Add a second administrator")
    assert "Ben Lee hasn’t set a password yet" in line

    second.set_password("a long enough password")
    second.save()
    line = step_line(browser.get("/setup/").text, "Add a second administrator")
    assert "(verified)" in line


def test_every_source_needs_what_was_agreed_with_it(cast, browser):
    line = step_line(browser.get("/setup/").text, "Complete source baselines")

    assert "missing for" in line
    assert "/baseline/" in line


def test_number_checks_and_crm_are_optional_until_connected_and_done_by_proof(browser):
    page = browser.get("/setup/").text
    for name in ("Connect TrustedForm", "Connect number checks", "Move from another CRM"):
        assert "optional" in step_line(page, name)
        assert "Not used" in step_line(page, name)
    service = NumberService.objects.create(
        id="dncscrub", key="k", covers=["US"], changed_at=make.NOON, answered_at=make.NOON
    )
    crm = make.source("crm_hubspot", name="HubSpot", credentials='{"access_token": "t"}')
    assert not missing_credentials(crm)
    page = browser.get("/setup/").text
    assert "(verified)" in step_line(page, "Connect number checks")
    assert "Last answer November 23" in step_line(page, "Connect number checks")
    assert "HubSpot is connected" in step_line(page, "Move from another CRM")

    service.failing_since, service.problem = make.NOON, "The key was rejected."
    service.save()
    sheet = crm_import.start_crm_import(
        source_id=crm.pk, by=make.user("administrator"), at=make.NOON
    )
    CrmImport.objects.update(problem="HubSpot rejected the token.")
    page = browser.get("/setup/").text
    for name, reason in (
        ("Connect number checks", "The key was rejected."),
        ("Move from another CRM", "HubSpot rejected the token."),
    ):
        assert "Needs attention" in step_line(page, name)
        assert reason in step_line(page, name)

    CrmImport.objects.filter(sheet=sheet).update(problem="", read_at=make.NOON)
    page = browser.get("/setup/").text
    assert "Last read November 23" in step_line(page, "Move from another CRM")
    assert "(verified)" in step_line(page, "Move from another CRM")


def test_setup_counts_posts_and_los_webhooks_of_the_last_day(browser):
    source = make.source()
    for address, age in (("192.0.2.7", 1), ("192.0.2.7", 30), (None, 1)):  # None: not over HTTP
        make.delivery(source, at=now() - age * make.HOUR, remote_addr=address)

    page = browser.get("/setup/").text

    assert "<dt>Leads posted, last 24 hours</dt><dd>1</dd>" in page
    assert "<dt>LOS webhooks, last 24 hours</dt><dd>0</dd>" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "leads here with TLS"),
        ({"is_secure": False}, "X-Forwarded-Proto"),
        ({"is_forwarded": False}, "doesn’t pass on visitors’ addresses"),
        ({"visitor": address_check.FALSE_VISITOR}, "whatever address a visitor claims"),
    ],
)
def test_echo_of_the_proxy_is_judged(change, words):
    finding = address_check.judge_echo(HONEST_ECHO | change)

    assert words in finding.text
    assert finding.has_passed == (not change)


def test_echo_says_what_arrived_to_a_signed_token_only(client, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    url = reverse("address_echo", args=[signing.dumps("abc", salt=address_check.ECHO_SALT)])
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}

    assert json.loads(client.get(url, headers=headers).text) == {**HONEST_ECHO, "nonce": "abc"}
    assert client.get(reverse("address_echo", args=["guessed"])).status_code == 404


def self_signed_server(folder):
    """Start a TLS server on this machine whose certificate nobody trusts; return it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_failed_check_of_the_address_is_kept_and_shown(browser, settings, tmp_path):
    server = self_signed_server(tmp_path)
    settings.PUBLIC_URL = f"https://localhost:{server.server_port}"

    answer = browser.post(reverse("setup_address"), follow=True)
    server.shutdown()

    assert "isn’t trusted" in answer.text
    stored = setup_steps.stored_steps()[step_key(ADDRESS_STEP)]
    assert (stored.has_passed, "isn’t trusted" in stored.finding) == (False, True)
    assert "Needs attention" in step_line(browser.get("/setup/").text, ADDRESS_STEP)


def test_address_of_this_machine_never_counts(browser, settings):
    settings.PUBLIC_URL = "http://localhost:8000"
    browser.post(reverse("setup_address"))
    assert "only on this server" in setup_steps.stored_steps()[step_key(ADDRESS_STEP)].finding
