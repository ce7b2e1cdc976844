import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from rooftree_simulators.start_simulators import Simulators
from tests.simulators.receiver import Receiver


def send_email(running: Simulators, to: str = "ben@example.com", **headers: str) -> None:
    message = EmailMessage()
    message["From"] = "Harbor Light <loans@harborlight.example>"
    message["To"] = to
    message["Subject"] = headers.pop("Subject", "Your rate question")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello Ben,\nwe got your question. ¿Mañana?\n")
    message.add_alternative("<p>Hello <b>Ben</b></p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", running.ports.smtp) as server:
        server.send_message(message)


def test_message_is_stored_with_headers_and_both_bodies(
    running: Simulators, control: Callable[..., Any]
) -> None:
    send_email(running, Subject="Tu pregunta, Ñandú", List_Unsubscribe="<https://x.example/u/1>")
    [message] = control("GET", "mail/messages?to=BEN@example.com")["messages"]
    assert (message["from"], message["to"]) == ("loans@harborlight.example", ["ben@example.com"])
    assert message["subject"] == "Tu pregunta, Ñandú"
    assert "we got your question. ¿Mañana?" in message["text"]
    assert message["html"].strip() == "<p>Hello <b>Ben</b></p>"
    assert ["List-Unsubscribe", "<https://x.example/u/1>"] in message["headers"]
    assert control("GET", "mail/messages?to=mei@example.com")["messages"] == []


@pytest.mark.parametrize(("treatment", "code"), [("refuse", 550), ("defer", 451)])
def test_address_can_be_refused_or_deferred(
    running: Simulators, control: Callable[..., Any], treatment: str, code: int
) -> None:
    control("POST", "mail/addresses", address="Ben@example.com", treatment=treatment)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send_email(running)
    assert refused.value.recipients["ben@example.com"][0] == code
    assert control("GET", "mail/messages")["messages"] == []
    send_email(running, to="mei@example.com")
    assert len(control("GET", "mail/messages")["messages"]) == 1


def test_address_treatment_overrides_domain_treatment(
    running: Simulators, control: Callable[..., Any]
) -> None:
    control("POST", "mail/addresses", address="@example.com", treatment="refuse")
    control("POST", "mail/addresses", address="mei@example.com", treatment="accept")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send_email(running)
    send_email(running, to="mei@example.com")
    assert len(control("GET", "mail/messages")["messages"]) == 1


def test_content_can_be_refused_after_data(
    running: Simulators, control: Callable[..., Any]
) -> None:
    control("POST", "mail/addresses", address="*", treatment="refuse_content")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send_email(running)
    assert refused.value.smtp_code == 554


def test_bounce_is_stored_for_sender_and_posted(
    running: Simulators, control: Callable[..., Any], receiver: Receiver
) -> None:
    control("POST", "mail/seed", bounce_url=f"{receiver.url}/bounced")
    control("POST", "mail/addresses", address="ben@example.com", treatment="bounce")
    send_email(running)
    [report] = control("GET", "mail/messages?to=loans@harborlight.example")["messages"]
    assert report["from"] == ""
    assert ["X-Failed-Recipients", "ben@example.com"] in report["headers"]
    running.clock.advance(1)
    assert receiver.at("/bounced")[0].form["recipient"] == "ben@example.com"
