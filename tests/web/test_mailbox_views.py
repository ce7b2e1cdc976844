"""The mailbox page: each mailbox is tested, and its password is never shown."""

import pytest
from django.urls import reverse

from rooftree.capture.models import Mailbox
from rooftree_simulators import imap_mailbox
from rooftree_simulators.start_simulators import start_simulators
from tests import make

pytestmark = pytest.mark.django_db
PAGE = "/setup/mailboxes/"


@pytest.fixture
def server():
    with start_simulators() as running:
        yield running


@pytest.fixture
def systems(signed_in):
    make.company()
    return signed_in(make.user("administrator"))


def form_data(server, **changes):
    return {
        "host": "127.0.0.1",
        "port": server.ports.imap,
        "security": "none",
        "user": imap_mailbox.USER,
        "password": imap_mailbox.PASSWORD,
        "folder": "INBOX",
        "source_id": "",
        **changes,
    }


def test_working_mailbox_is_saved_and_listed_without_its_password(systems, server):
    vendor = make.source("email_text", name="Rate Hub")

    answer = systems.post(PAGE, form_data(server, source_id=str(vendor.pk)))

    assert answer.status_code == 303
    page_text = systems.get(PAGE).text
    assert imap_mailbox.USER in page_text
    assert "Emails without a source go to Rate Hub." in page_text
    assert (
        imap_mailbox.PASSWORD not in page_text + systems.get(_page_of(Mailbox.objects.get())).text
    )
    assert "1 connected" in systems.get("/setup/").text


def test_unreachable_mailbox_is_not_saved_and_keeps_the_typed_values(systems, server):
    answer = systems.post(PAGE, form_data(server, password="guessed-app-pass"))

    assert answer.status_code == 422
    assert "If the account uses two-step sign-in, create an app password" in answer.text
    assert f'value="{imap_mailbox.USER}"' in answer.text
    assert not Mailbox.objects.exists()


def test_mailbox_is_paused_and_resumed(systems, server):
    systems.post(PAGE, form_data(server))
    address = reverse("setup_mailbox_pause", args=[Mailbox.objects.get().pk])

    systems.post(address, {"to": "off"})
    assert Mailbox.objects.get().due_at is None
    assert "paused" in systems.get(PAGE).text

    systems.post(address, {"to": "on"})
    assert Mailbox.objects.get().due_at is not None


def test_new_mailbox_password_is_tested_and_an_empty_one_keeps_the_old(systems, server):
    systems.post(PAGE, form_data(server))
    page = _page_of(Mailbox.objects.get())

    assert systems.post(page, form_data(server, password="guessed-app-pass")).status_code == 422
    assert systems.post(page, form_data(server, password="")).status_code == 303
    assert Mailbox.objects.get().password == imap_mailbox.PASSWORD


def test_mailbox_error_is_shown_beside_it(systems):
    make.mailbox(problem="imap.lender.example, port 993, closed the connection.")

    page_text = systems.get(PAGE).text

    assert "can’t be read" in page_text
    assert "port 993, closed the connection." in page_text


def _page_of(mailbox: Mailbox) -> str:
    return reverse("setup_mailbox", args=[mailbox.pk])
