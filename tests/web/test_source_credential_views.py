"""Vendor credentials and the certificate key are entered once, encrypted and never shown."""

import json

import pytest
from django.db import connection
from django.urls import reverse

from rooftree.capture.models import Certificate, CertificateAccount
from rooftree.leads.models import Source
from rooftree.ledger.models import Event
from tests import make

TOKEN = "EAAB-page-token"


@pytest.fixture
def facebook(db) -> Source:
    make.company()
    return make.source("meta_lead_ads", name="Facebook", token="tok")


@pytest.fixture
def clerk(signed_in, db):
    make.company()
    return signed_in(make.user("operations"))


def test_page_names_missing_credentials_and_never_shows_saved_ones(clerk, facebook):
    page = reverse("source_credentials", args=[facebook.pk])
    assert "App secret, Verify token, Access token." in clerk.get(page).text

    answer = clerk.post(
        page, {"secret": "app-s3cret", "verify_token": "words", "access_token": TOKEN}
    )

    assert answer.status_code == 303
    facebook.refresh_from_db()
    assert facebook.secret == "app-s3cret"
    assert json.loads(facebook.credentials) == {"verify_token": "words", "access_token": TOKEN}
    page_bytes = clerk.get(page).content
    assert b"Missing:" not in page_bytes
    assert TOKEN.encode() not in page_bytes


def test_weak_secret_is_rejected_with_a_sentence(clerk, facebook):
    answer = clerk.post(reverse("source_credentials", args=[facebook.pk]), {"secret": "s3"})

    assert answer.status_code == 422
    assert "at least 8 characters" in answer.text
    facebook.refresh_from_db()
    assert facebook.secret != "s3"


def test_empty_field_keeps_the_saved_credential(clerk, facebook):
    page = reverse("source_credentials", args=[facebook.pk])
    clerk.post(page, {"secret": "app-s3cret", "verify_token": "words", "access_token": "old"})

    clerk.post(page, {"secret": "", "verify_token": "", "access_token": TOKEN})

    facebook.refresh_from_db()
    assert facebook.secret == "app-s3cret"
    assert json.loads(facebook.credentials) == {"verify_token": "words", "access_token": TOKEN}


def test_credentials_are_encrypted_in_the_database_and_absent_from_events(clerk, facebook):
    page = reverse("source_credentials", args=[facebook.pk])
    clerk.post(page, {"secret": "app-s3cret", "access_token": TOKEN})

    with connection.cursor() as cursor:
        cursor.execute("select secret, credentials from source where id = %s", [facebook.pk])
        assert not any(word in str(cursor.fetchone()) for word in ("app-s3cret", TOKEN))
    event_text = str([event.data for event in Event.objects.all()])
    assert "access_token" in event_text
    assert not any(word in event_text for word in ("app-s3cret", TOKEN))


def test_new_posting_address_keeps_the_vendor_credentials(clerk, facebook):
    clerk.post(reverse("source_credentials", args=[facebook.pk]), {"secret": "app-s3cret"})

    clerk.post(reverse("setup_source_secrets", args=[facebook.pk]))

    facebook.refresh_from_db()
    assert facebook.secret == "app-s3cret"
    assert facebook.token != "tok"


def test_source_without_credentials_says_so(clerk):
    zillow = make.source("zillow", name="Zillow")

    page_bytes = clerk.get(reverse("source_credentials", args=[zillow.pk])).content

    assert b"Nothing to enter" in page_bytes


def test_officer_cannot_open_credentials(signed_in, facebook):
    officer = signed_in(make.officer().user)

    assert officer.get(reverse("source_credentials", args=[facebook.pk])).status_code == 403


def test_certificate_key_is_stored_encrypted_and_waiting_certificates_are_retried(
    signed_in, db, settings
):
    settings.UPSTREAMS = {"consent_trustedform": "http://127.0.0.1:9"}  # an outage refuses no key
    make.company()
    boss = signed_in(make.user("administrator"))
    page = reverse("setup_certificates")
    assert b"no API key" in boss.get(page).content
    touch = make.touch()
    waiting = Certificate.objects.create(
        touch=touch, url="https://cert.trustedform.com/x", requested_at=make.NOON,
        claim_by=make.NOON + make.DAY, due_at=make.NOON + make.HOUR,
    )  # fmt: skip

    assert boss.post(page, {"key": "tf-key"}).status_code == 303

    assert CertificateAccount.objects.get().key == "tf-key"
    assert waiting.due_at != Certificate.objects.get().due_at
    assert b"tf-key" not in boss.get(page).content


def test_empty_certificate_key_is_rejected_with_a_sentence(signed_in, db):
    make.company()
    boss = signed_in(make.user("administrator"))

    answer = boss.post(reverse("setup_certificates"), {"key": ""})

    assert answer.status_code == 422
    assert not CertificateAccount.objects.exists()


def test_only_an_administrator_can_set_the_certificate_key(clerk):
    assert clerk.get(reverse("setup_certificates")).status_code == 403
