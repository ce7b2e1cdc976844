import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from rooftree_simulators.start_simulators import Simulators
from tests.simulators.receiver import Receiver


def mail(running: Simulators, to: str = "ben@example.com", **headers: str) -> None:
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


def test_a_message_is_kept_with_its_headers_and_both_bodies(
    running: Simulators, control: Callable[..., Any]
) -> None:
    mail(running, Subject="Tu pregunta, Ñandú", List_Unsubscribe="<https://x.example/u/1>")
    [kept] = control("GET", "mail/messages?to=BEN@example.com")["messages"]
    assert (kept["from"], kept["to"]) == ("loans@harborlight.example", ["ben@example.com"])
    assert kept["subject"] == "Tu pregunta, Ñandú"
    assert "we got your question. ¿Mañana?" in kept["text"]
    assert kept["html"].strip() == "<p>Hello <b>Ben</b></p>"
    assert ["List-Unsubscribe", "<https://x.example/u/1>"] in kept["headers"]
    assert control("GET", "mail/messages?to=mei@example.com")["messages"] == []


@pytest.mark.parametrize(("treatment", "code"), [("refuse", 550), ("defer", 451)])
def test_an_address_may_be_refused_or_put_off(
    running: Simulators, control: Callable[..., Any], treatment: str, code: int
) -> None:
    control("POST", "mail/addresses", address="Ben@example.com", treatment=treatment)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        mail(running)
    assert refused.value.recipients["ben@example.com"][0] == code
    assert control("GET", "mail/messages")["messages"] == []
    mail(running, to="mei@example.com")
    assert len(control("GET", "mail/messages")["messages"]) == 1


def test_a_whole_domain_may_be_treated_alike_and_an_address_differently(
    running: Simulators, control: Callable[..., Any]
) -> None:
    control("POST", "mail/addresses", address="@example.com", treatment="refuse")
    control("POST", "mail/addresses", address="mei@example.com", treatment="accept")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail(running)
    mail(running, to="mei@example.com")
    assert len(control("GET", "mail/messages")["messages"]) == 1


def test_content_may_be_refused_after_it_was_sent(
    running: Simulators, control: Callable[..., Any]
) -> None:
    control("POST", "mail/addresses", address="*", treatment="refuse_content")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        mail(running)
    assert refused.value.smtp_code == 554


def test_a_bounce_is_taken_and_comes_back_to_the_sender(
    running: Simulators, control: Callable[..., Any], receiver: Receiver
) -> None:
    control("POST", "mail/seed", bounce_url=f"{receiver.url}/bounced")
    control("POST", "mail/addresses", address="ben@example.com", treatment="bounce")
    mail(running)
    [report] = control("GET", "mail/messages?to=loans@harborlight.example")["messages"]
    assert report["from"] == ""
    assert ["X-Failed-Recipients", "ben@example.com"] in report["headers"]
    running.clock.advance(1)
    assert receiver.at("/bounced")[0].form["recipient"] == "ben@example.com"
