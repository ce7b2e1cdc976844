"""The mail server that a stored row makes."""

import pytest

from rooftree.org.mail_server import build_server
from rooftree.org.models import MailSetup


@pytest.fixture(autouse=True)
def page_account(settings):
    settings.MAIL_SERVER_IN_ENVIRONMENT = settings.MAIL_FROM_IN_ENVIRONMENT = False


@pytest.mark.parametrize(
    ("service", "has_domain"),
    [("mailgun", True), ("mailgun_eu", True), ("postmark", False), ("sendgrid", False)],
)
def test_sending_domain_goes_to_mailgun_alone(service, has_domain):
    row = MailSetup(
        service=service, secret="key", provider_domain="mg.lender.example",
        sender_name="Lender", sender_address="leads@lender.example",
    )  # fmt: skip
    server = build_server(row)

    assert ("sender_domain" in server.options) == has_domain
    assert server.sender == "Lender <leads@lender.example>"
