"""Setup of the LOS: its credentials, the connection, and the subscription to changes."""

import json

import pytest
from django.db import connection
from django.urls import reverse

from rooftree.flow import loan_milestones
from rooftree.ledger.models import Event
from rooftree.los.models import Connection
from tests import make


@pytest.fixture
def browser(db, signed_in):
    return signed_in(make.user("administrator"))


LOS = {
    "name": "Encompass", "instance": "TEBE112", "base_url": "http://127.0.0.1:9",
    "lead_id_field": "CX.ROOFTREELEADID", "client_id": "abc", "client_secret": "s3cret",
    "user": "api", "password": "pass",
}  # fmt: skip


def test_los_credential_is_saved_and_never_shown_again(browser):
    browser.post(reverse("setup_los"), LOS)
    los_connection = Connection.objects.get()
    url = reverse("setup_connection", args=[los_connection.pk])

    page = browser.get(url).text
    assert "s3cret" not in page
    assert "On file. Leave empty to keep it." in page

    browser.post(url, LOS | {"client_secret": "", "password": "changed"})
    los_connection.refresh_from_db()
    assert json.loads(los_connection.credentials) == {
        "client_id": "abc", "client_secret": "s3cret", "user": "api", "password": "changed",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("select credentials from los_connection")
        assert "s3cret" not in cursor.fetchone()[0]
    assert Event.objects.get(kind="los.connection.changed").data["changed"] == ["password"]


def test_another_address_needs_the_credentials_again(browser):
    browser.post(reverse("setup_los"), LOS)
    page = reverse("setup_connection", args=[Connection.objects.get().pk])
    elsewhere = {"base_url": "https://elsewhere.example.com", "client_secret": "", "password": ""}

    moved = browser.post(page, LOS | elsewhere)
    plain = browser.post(page, LOS | {"base_url": "http://elsewhere.example.com"})

    assert (moved.status_code, plain.status_code) == (422, 422)
    assert "Enter the credentials again" in moved.text
    assert Connection.objects.get().base_url == LOS["base_url"]


def test_los_connection_is_turned_on_and_off(browser):
    browser.post(reverse("setup_los"), LOS)
    los_connection = Connection.objects.get()

    browser.post(reverse("enable_connection", args=[los_connection.pk]))
    los_connection.refresh_from_db()
    assert los_connection.enabled_at is not None

    browser.post(reverse("disable_connection", args=[los_connection.pk]))
    los_connection.refresh_from_db()
    assert los_connection.enabled_at is None


def test_los_connection_without_credentials_names_what_is_missing(browser, htmx):
    browser.post(reverse("setup_los"), LOS | {"client_secret": "", "client_id": ""})
    los_connection = Connection.objects.get()

    answer = browser.post(reverse("check_connection", args=[los_connection.pk]), headers=htmx)

    assert answer.status_code == 422
    assert "A credential is missing" in answer.text


def test_poll_goes_on_after_a_connection_without_credentials(browser):
    browser.post(reverse("setup_los"), LOS | {"client_secret": "", "client_id": ""})
    browser.post(reverse("enable_connection", args=[Connection.objects.get().pk]))
    due_at = Connection.objects.get().poll_due_at

    assert loan_milestones.poll_due_connections(at=due_at) == 0

    assert Connection.objects.get().poll_due_at > due_at


def test_los_subscription_without_credentials_is_refused_and_keeps_the_key(browser, htmx):
    browser.post(reverse("setup_los"), LOS | {"client_secret": "", "client_id": ""})
    los_connection = Connection.objects.get()

    answer = browser.post(reverse("subscribe_to_changes", args=[los_connection.pk]), headers=htmx)

    assert answer.status_code == 422
    assert "A credential is missing" in answer.text
    los_connection.refresh_from_db()
    assert los_connection.webhook_keys == ""


def test_unknown_actions_of_setup_are_not_found(browser):
    browser.post(reverse("setup_los"), LOS)

    for page_url in (
        reverse("setup_connection", args=[Connection.objects.get().pk]),
        reverse("setup_numbers"),
    ):
        assert browser.post(f"{page_url}doubling/").status_code == 404
