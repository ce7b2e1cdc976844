"""How those who talk or write reach us: calls, chats, letters, and the form on our own page."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rooftree.flow import clock
from rooftree.leads.models import Source
from rooftree_demo import sample_messages, simulator_addresses
from rooftree_demo.arrivals import VendorContext
from rooftree_simulators.posters import (
    chat_generic,
    form_visitor,
    lead_email,
    phone_callrail,
    phone_twilio,
)
from rooftree_simulators.posters.lead_delivery import post_delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

DESK_NUMBER = "+18135550102"  # where calls to the tracking number ring
ANSWERED_SHARE = 0.65  # of the calls
PARTNER_LINK_SHARE = 0.2  # of the visitors of the form: they come by the link of a partner


def place_tracking_call(street: VendorContext, source: Source, who: Borrower) -> None:
    """Somebody calls the number on a mailer; at the desk they are answered, or not."""
    is_answered = street.rng.random() < ANSWERED_SHARE
    street.control.set_behavior(
        DESK_NUMBER,
        voice="answer" if is_answered else "no-answer",
        answer_after_s=street.rng.uniform(3, 9),
        talk_s=street.rng.uniform(40, 150),
    )
    line = {"from": f"+1{who.phone}", "to": phone_twilio.TRACKING_NUMBER}
    street.control.call("twilio/call", line)


def post_callrail_call(street: VendorContext, source: Source, who: Borrower) -> None:
    """CallRail tells of a call that is over, with what was said when it was answered."""
    is_answered = street.rng.random() < ANSWERED_SHARE
    told = phone_callrail.call_object(who, street.rng, at=clock.now(), answered=is_answered)
    if is_answered:
        told["transcription"] = sample_messages.call_transcript(street.rng, who.first_name)
    street.post(source, phone_callrail.call_event_delivery(told, source.secret))


def post_chat(street: VendorContext, source: Source, who: Borrower) -> None:
    """A finished conversation of the chat on our site, as JSON or as its bare lines."""
    maker = street.rng.choice(
        [chat_generic.conversation_delivery, chat_generic.transcript_delivery]
    )
    street.post(source, maker(who, street.rng, at=clock.now(), secret=source.secret))


def chat_visitor(vendor: str) -> Callable[[VendorContext, Source, Borrower], None]:
    """Somebody writes in a chat of this vendor's; we may have to ask who they are."""

    def send(street: VendorContext, source: Source, who: Borrower) -> None:
        said = {
            "name": f"{who.first_name} {who.last_name}",
            "email": who.email,
            "phone": f"+1{who.phone}",
            "says": sample_messages.chat_question(street.rng, who.language),
        }
        street.control.call(f"{vendor}/visitor", said)

    return send


def mail_text_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """A vendor's e-mail into the mailbox that we read."""
    made = lead_email.text_email_delivery(
        who, street.rng, at=clock.now(), to=_intake_address(source)
    )
    street.control.call("imap/letter", {"raw": base64.b64encode(made.body).decode()})


def mail_adf_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """Another's, which the lender's mail server hands over."""
    made = lead_email.adf_email_delivery(
        who, street.rng, at=clock.now(), to=_intake_address(source)
    )
    post_delivery(made, f"{street.web}/in/mail/{simulator_addresses.MAIL_SECRET}")


def _intake_address(source: Source) -> str:
    return f"leads+{source.token}@{simulator_addresses.INBOX_DOMAIN}"


def submit_hosted_form(street: VendorContext, source: Source, who: Borrower) -> None:
    """A visitor of the form that we host, by themselves or by a partner's link."""
    language = who.language if who.language == "es" else "en"
    by = f"&partner={street.partner}" if street.rng.random() < PARTNER_LINK_SHARE else ""
    url = f"{street.web}/forms/{source.slug}/?lang={language}{by}"
    visitor = replace(who, language=language)
    form_visitor.submit_form(url, visitor, street.rng, pause=street.sleep)


def register_twilio_number(street: VendorContext, source: Source) -> None:
    """The carrier is told where calls to the tracking number go."""
    url = f"{street.public}/in/phone_twilio/{source.token}?line=mailer"
    line: dict[str, Any] = {"number": phone_twilio.TRACKING_NUMBER, "voice_url": url}
    street.control.call("twilio/seed", {"numbers": [line]})


def register_callback(vendor: str) -> Callable[[VendorContext, Source], None]:
    """This vendor is told our address, and asks whether it is ours where it does so."""

    def tell(street: VendorContext, source: Source) -> None:
        street.control.call(f"{vendor}/callback", {"url": street.address(source)})

    return tell


write_in_intercom, write_in_drift = chat_visitor("intercom"), chat_visitor("drift")
