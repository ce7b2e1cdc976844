"""How those who talk or write reach us: calls, chats, letters, and the form on our own page."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rooftree.flow import moment
from rooftree.leads.models import Source
from rooftree_demo import outside, words
from rooftree_demo.street import Street
from rooftree_simulators.posters import (
    chat_generic,
    form_visitor,
    lead_letter,
    phone_callrail,
    phone_twilio,
)
from rooftree_simulators.posters.delivery import deliver
from rooftree_simulators.posters.people import Borrower

DESK = "+18135550102"  # where calls to the tracking number ring
ANSWERED = 0.65  # of the calls
INTRODUCED = 0.2  # of the visitors of the form: they come by the link of a partner


def call(street: Street, source: Source, who: Borrower) -> None:
    """Somebody calls the number on a mailer; at the desk they are answered, or not."""
    is_answered = street.rng.random() < ANSWERED
    street.control.behave(
        DESK,
        voice="answer" if is_answered else "no-answer",
        answer_after_s=street.rng.uniform(3, 9),
        talk_s=street.rng.uniform(40, 150),
    )
    line = {"from": f"+1{who.phone}", "to": phone_twilio.TRACKING}
    street.control.say("twilio/call", line)


def tracked_call(street: Street, source: Source, who: Borrower) -> None:
    """CallRail tells of a call that is over, with what was said when it was answered."""
    is_answered = street.rng.random() < ANSWERED
    told = phone_callrail.call(who, street.rng, at=moment.now(), answered=is_answered)
    if is_answered:
        told["transcription"] = words.call(street.rng, who.first_name)
    street.post(source, phone_callrail.posted(told, source.secret))


def chat(street: Street, source: Source, who: Borrower) -> None:
    """A finished conversation of the chat on our site, as JSON or as its bare lines."""
    maker = street.rng.choice([chat_generic.delivery, chat_generic.transcript])
    street.post(source, maker(who, street.rng, at=moment.now(), secret=source.secret))


def visitor(vendor: str) -> Callable[[Street, Source, Borrower], None]:
    """Somebody writes in a chat of this vendor's; we may have to ask who they are."""

    def send(street: Street, source: Source, who: Borrower) -> None:
        said = {
            "name": f"{who.first_name} {who.last_name}",
            "email": who.email,
            "phone": f"+1{who.phone}",
            "says": words.question(street.rng, who.language),
        }
        street.control.say(f"{vendor}/visitor", said)

    return send


def in_words(street: Street, source: Source, who: Borrower) -> None:
    """A vendor's e-mail into the mailbox that we read."""
    made = lead_letter.in_words(who, street.rng, at=moment.now(), to=_to(source))
    street.control.say("imap/letter", {"raw": base64.b64encode(made.body).decode()})


def in_adf(street: Street, source: Source, who: Borrower) -> None:
    """Another's, which the lender's mail server hands over."""
    made = lead_letter.in_adf(who, street.rng, at=moment.now(), to=_to(source))
    deliver(made, f"{street.web}/in/mail/{outside.MAIL_SECRET}")


def _to(source: Source) -> str:
    return f"leads+{source.token}@{outside.INBOX}"


def our_page(street: Street, source: Source, who: Borrower) -> None:
    """A visitor of the form that we host, by themselves or by a partner's link."""
    language = who.language if who.language == "es" else "en"
    by = f"&partner={street.partner}" if street.rng.random() < INTRODUCED else ""
    url = f"{street.web}/forms/{source.slug}/?lang={language}{by}"
    visitor = replace(who, language=language)
    form_visitor.visit(url, visitor, street.rng, pause=street.sleep)


def greet_twilio(street: Street, source: Source) -> None:
    """The carrier is told where calls to the tracking number go."""
    url = f"{street.public}/in/phone_twilio/{source.token}?line=mailer"
    line: dict[str, Any] = {"number": phone_twilio.TRACKING, "voice_url": url}
    street.control.say("twilio/seed", {"numbers": [line]})


def greet(vendor: str) -> Callable[[Street, Source], None]:
    """This vendor is told our address, and asks whether it is ours where it does so."""

    def tell(street: Street, source: Source) -> None:
        street.control.say(f"{vendor}/callback", {"url": street.address(source)})

    return tell


by_intercom, by_drift = visitor("intercom"), visitor("drift")
