"""Authenticity of lead emails: only our own mail server's verdict counts, not the sender's text."""

from email.message import EmailMessage

import pytest

from rooftree.capture.parsing import lead_email_parser
from rooftree.capture.parsing.envelope import IncomingDelivery
from tests import make


def is_authentic(verdict: str) -> bool:
    letter = EmailMessage()
    letter["Authentication-Results"] = f"mx.lindenfield.example; {verdict}"
    letter["From"] = "leads@vendor.example"
    letter.set_content("Name: Ben Ortiz\n")
    return lead_email_parser.open_lead_email(
        IncomingDelivery(body=letter.as_bytes(), received_at=make.NOON)
    ).is_authentic


@pytest.mark.parametrize(
    "verdict",
    [
        "dkim=pass header.d=vendor.example",
        "dkim=pass (2048-bit key; unprotected) header.i=@mail.vendor.example header.s=s1",
        "spf=pass (mx: domain of vendor.example allows 203.0.113.9) smtp.mailfrom=b@vendor.example",
        "dkim=none; dmarc=pass (p=REJECT) header.from=vendor.example",
    ],
)
def test_sender_is_trusted_if_its_domain_signed_or_allowed_the_email(verdict):
    assert is_authentic(verdict)


@pytest.mark.parametrize(
    "verdict",
    [
        "dkim=fail header.d=vendor.example",
        "dkim=pass header.d=evil.example",
        "dkim=pass header.d=evil.example header.from=vendor.example",
        "spf=pass smtp.helo=vendor.example smtp.mailfrom=a@evil.example",
        'spf=pass smtp.mailfrom="a; dkim=pass header.d=vendor.example"@evil.example',
        'spf=pass smtp.mailfrom="a smtp.mailfrom=vendor.example b"@evil.example',
        'spf=pass smtp.mailfrom="a\\" smtp.mailfrom=vendor.example b"@evil.example',
        "spf=pass (domain of (a; dkim=pass header.d=vendor.example)) smtp.mailfrom=a@evil.example",
        "spf=fail (a; dkim=pass header.d=vendor.example",
    ],
)
def test_sender_text_inside_authentication_verdict_proves_nothing(verdict):
    assert not is_authentic(verdict)


@pytest.mark.parametrize(
    "written", ["Zillow Group, Inc. <a@vendor.example>", "Team @ LoanTek <a@vendor.example>"]
)
def test_unquoted_name_in_a_header_hides_no_address(written):
    raw = (
        f"Authentication-Results: mx.lindenfield.example; dkim=pass header.d=vendor.example\n"
        f"From: {written}\nTo: Lindenfield, Leads <leads+abc@in.example>\n\nName: Ben Ortiz\n"
    ).encode()
    email = lead_email_parser.open_lead_email(IncomingDelivery(body=raw, received_at=make.NOON))

    assert (email.sender_domain, email.is_authentic) == ("vendor.example", True)
    assert lead_email_parser.address_tokens(raw) == ["abc"]
