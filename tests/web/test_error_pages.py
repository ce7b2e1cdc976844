"""Every failure has a page for staff, signed-out visitors, and borrowers in their language."""

import json

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, OperationalError, connection
from django.test import Client

from rooftree.leads.models import Delivery
from rooftree.web.shared.error_messages import (
    API_ERRORS,
    BORROWER_FALLBACKS,
    BORROWER_MESSAGES,
    STAFF_MESSAGES,
)
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
SPANISH = {"HTTP_ACCEPT_LANGUAGE": "es-US,es;q=0.9"}
PAGES = ("/team/", "/queue/", "/home/", "/sources/")


def fail_statements(kind, of="select"):
    """Make every SQL statement that begins with `of` raise `kind`."""

    def fail(execute, sql, params, many, context):
        if sql.lower().startswith(of):
            raise kind("it went wrong")
        return execute(sql, params, many, context)

    return connection.execute_wrapper(fail)


@pytest.fixture
def browser(signed_in):
    """A manager's browser that shows the error page instead of raising."""
    manager_browser = signed_in(make.user("manager", branch=make.branch()))
    manager_browser.raise_request_exception = False
    return manager_browser


def test_staff_error_page_links_to_their_start_page(browser):
    page = browser.get("/nowhere/")

    assert page.status_code == 404
    assert b"Go to start page" in page.content


def test_signed_out_error_page_links_to_sign_in(client):
    page = client.get("/nowhere/")

    assert page.status_code == 404
    assert b"Sign in" in page.content
    assert b"start page" not in page.content


@pytest.mark.parametrize("path", ["/forms/nothing/", "/unsubscribe/broken-link/"])
def test_borrower_error_page_has_the_lenders_name_and_nothing_internal(client, path):
    make.company()

    page = client.get(path).content.decode()

    assert BORROWER_MESSAGES["en"]["404"].title in page
    assert "Lindenfield Mortgage, LLC" in page
    assert "Rooftree" not in page
    assert "Sign in" not in page and "start page" not in page


@pytest.mark.parametrize("path", ["/forms/nothing/", "/unsubscribe/broken-link/"])
def test_borrower_error_page_is_available_in_spanish(client, path):
    make.company()

    page = client.get(path, **SPANISH).content.decode()

    assert BORROWER_MESSAGES["es"]["404"].title in page
    assert '<html lang="es">' in page


def test_error_page_works_before_the_company_is_set_up(client):
    page = client.get("/forms/nothing/")

    assert page.status_code == 404
    assert b"None" not in page.content


def test_get_of_a_post_address_explains_itself(browser):
    page = browser.get("/notices/reading/")

    assert page.status_code == 405
    assert page["Allow"] == "POST"
    assert STAFF_MESSAGES["405"].title.encode() in page.content


def test_borrower_posting_to_a_script_address_gets_a_page(client):
    site = journey.create_website()
    make.company()

    page = client.post(f"/forms/{site.slug}/embed.js")

    assert page.status_code == 405
    assert BORROWER_MESSAGES["en"]["400"].title.encode() in page.content


def test_webhook_sender_gets_no_html_page(client):
    assert client.put("/in/twilio/text/").content == b""
    assert client.get("/in/nowhere").content == b""


def test_api_client_gets_json_while_the_database_is_down(client):
    client.raise_request_exception = False
    with fail_statements(OperationalError):
        response = client.get("/api/v1/sources", headers={"Authorization": "Bearer rt_x"})

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert response.json()["error"]["code"] == "unavailable"


def test_every_page_error_has_an_api_version():
    assert STAFF_MESSAGES.keys() - API_ERRORS.keys() == {"stale"}  # forms only


def test_failed_page_fragment_shows_a_toast(browser, htmx):
    answer = browser.get("/nowhere/", headers=htmx)

    assert answer.status_code == 404
    assert answer["HX-Retarget"] == "#toasts"
    assert b"<html" not in answer.content


@pytest.mark.parametrize("path", PAGES)
def test_page_asks_to_try_again_while_the_database_is_read_only(browser, path):
    with fail_statements(OperationalError):
        page = browser.get(path)

    assert page.status_code == 503
    assert int(page["Retry-After"]) > 0
    assert STAFF_MESSAGES["503"].title.encode() in page.content


def test_bug_is_a_500_without_a_retry_promise(browser):
    with fail_statements(IntegrityError):
        page = browser.get("/team/")

    assert page.status_code == 500
    assert "Retry-After" not in page


def test_borrower_is_told_that_nothing_was_saved_while_the_database_is_down(client):
    client.raise_request_exception = False
    with fail_statements(OperationalError):
        page = client.get("/forms/our-site/", **SPANISH)

    assert page.status_code == 503
    assert BORROWER_MESSAGES["es"]["503"].title in page.content.decode()


def test_suspicious_request_is_a_400_with_a_page(browser, monkeypatch):
    def view(*args, **kwargs):
        raise SuspiciousOperation

    monkeypatch.setattr("rooftree.web.shared.staff_view.user_zone", view)

    page = browser.get("/team/")

    assert page.status_code == 400
    assert STAFF_MESSAGES["400"].title.encode() in page.content


def test_every_failure_has_wording_for_every_reader():
    for language, words in BORROWER_MESSAGES.items():
        for kind in STAFF_MESSAGES:
            wording = words[BORROWER_FALLBACKS.get(kind, kind)]
            assert wording.title and wording.text, (language, kind)
    assert BORROWER_MESSAGES["en"].keys() == BORROWER_MESSAGES["es"].keys()


# The disk is full.

FULL = """
create function no_room() returns trigger language plpgsql as $$
begin raise 'could not extend file: No space left on device' using errcode = '53100'; end $$;
create trigger no_room before insert on delivery for each row execute function no_room();
"""


def no_room():
    with connection.cursor() as cursor:
        cursor.execute(FULL)


def room_again():
    with connection.cursor() as cursor:
        cursor.execute("drop function no_room cascade")


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_full_disk_asks_the_vendor_to_retry_and_keeps_stored_deliveries(committed, kind):
    journey.create_zillow()
    vendor = Client()
    first, second = (json.dumps(journey.zillow_contact()).encode() for _ in range(2))
    path = f"/in/zillow/{journey.TOKEN}"
    assert vendor.post(path, first, content_type=kind).status_code == 200

    no_room()
    answer = vendor.post(path, second, content_type=kind)

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert b"No space" not in answer.content
    assert Delivery.objects.count() == 1

    room_again()
    assert vendor.post(path, second, content_type=kind).status_code == 200
    assert Delivery.objects.filter(state="received").count() == 2


def test_full_disk_does_not_acknowledge_a_duplicate_as_the_first(committed, client):
    journey.create_zillow()
    body = json.dumps(journey.zillow_contact()).encode()
    path = f"/in/zillow/{journey.TOKEN}"
    no_room()
    assert client.post(path, body, content_type="application/json").status_code == 503

    room_again()

    assert client.post(path, body, content_type="application/json").status_code == 200
    assert Delivery.objects.get().state == "received"
