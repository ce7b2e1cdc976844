"""A stored secret goes nowhere but where it was typed for: each secret, and what holds it there."""

import pytest
from django.apps import apps

from rooftree.capture.crms import hubspot, monday, pipedrive, salesforce, zoho
from rooftree.capture.intake import mailbox_polling
from rooftree.capture.intake.mailbox_polling import BadMailbox
from rooftree.capture.models import Mailbox
from rooftree.core.vendor_errors import Misconfigured
from rooftree.db.sealed_text import SealedTextField
from rooftree.org import mail_setup
from rooftree.org.mail_setup import BadMailAccount
from rooftree.org.models import MailSetup
from tests import make

FIXED_HOST = "its vendor's host stands in the code"
NEVER_SENT = "signs or checks here, and is sent to nobody"
TYPED_AGAIN = "a changed address needs the secret typed again"  # the LOS: tests/web/test_los_setup
SECRETS = {
    "los_connection.credentials": TYPED_AGAIN,
    "los_connection.webhook_keys": NEVER_SENT,
    "mail_setup.secret": TYPED_AGAIN,
    "mailbox.password": TYPED_AGAIN,
    "carrier_account.auth_token": FIXED_HOST,
    "certificate_account.key": FIXED_HOST,
    "number_service.key": FIXED_HOST,
    "crm_import.token": FIXED_HOST,
    "source.credentials": FIXED_HOST,
    "source.secret": NEVER_SENT,
    "source.token": NEVER_SENT,
    "signing_key.private": NEVER_SENT,
}


def test_every_stored_secret_has_a_line_that_says_what_holds_it():
    columns = {
        f"{model._meta.db_table}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedTextField)
    }

    assert columns == set(SECRETS)


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"host": "mx.evil.example"}, {"port": 1143}])
def test_mailbox_password_is_typed_again_for_another_server(cast, changed):
    typed = {"host": "imap.lender.example", "port": 993, "security": "tls", "user": "leads"}
    typed |= {"folder": "INBOX", "source_id": None}
    row = Mailbox.objects.create(
        **typed, password="app-pass", validity=1, uid=1, read_at=make.NOON, due_at=make.NOON
    )
    ana = make.user("administrator")

    with pytest.raises(BadMailbox, match="Enter the password again: the server has changed"):
        mailbox_polling.save_mailbox(
            typed | {"password": ""} | changed, mailbox_id=row.pk, by=ana, at=make.NOON
        )

    assert Mailbox.objects.get().host == "imap.lender.example"


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"host": "mx.evil.example"}, {"port": 2525}])
def test_mail_password_is_typed_again_for_another_server(cast, settings, changed):
    settings.MAIL_SERVER_IN_ENVIRONMENT = settings.MAIL_FROM_IN_ENVIRONMENT = False
    account = {"service": "smtp", "host": "smtp.lender.example", "port": 587, "user": "leads"}
    account |= {"security": "starttls", "sender_name": "L", "sender_address": "l@lender.example"}
    MailSetup.objects.create(**account, secret="app-pass")

    with pytest.raises(BadMailAccount, match="Enter the password for this server"):
        mail_setup.save_account(
            account | {"secret": ""} | changed, by=make.user("administrator"), at=make.NOON
        )

    assert MailSetup.objects.get().host == "smtp.lender.example"


def test_crm_hosts_are_the_vendors_own():
    typed = {"domain": "evil.example", "data_center": "evil.example", "company": "evil.example"}
    for system in (salesforce, zoho):
        with pytest.raises(Misconfigured):
            system.base_url(typed)
    hosts = {system.base_url(typed) for system in (hubspot, monday, pipedrive)}
    assert not [host for host in hosts if "evil" in host]
