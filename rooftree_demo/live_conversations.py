"""Inquiries by call, chat, email and the hosted form, sent as their vendors send them."""

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

DESK_NUMBER = "+18135550102"  # calls to the tracking number ring here
ANSWERED_SHARE = 0.65  # share of calls that are answered
PARTNER_LINK_SHARE = 0.2  # share of form visitors who use a partner's link


def place_tracking_call(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Call the number on a mailer; the desk answers some of the calls."""
    is_answered = context.rng.random() < ANSWERED_SHARE
    context.control.set_behavior(
        DESK_NUMBER,
        voice="answer" if is_answered else "no-answer",
        answer_after_s=context.rng.uniform(3, 9),
        talk_s=context.rng.uniform(40, 150),
    )
    line = {"from": f"+1{borrower.phone}", "to": phone_twilio.TRACKING_NUMBER}
    context.control.call("twilio/call", line)


def post_callrail_call(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post CallRail's event of a finished call, with a transcript if it was answered."""
    is_answered = context.rng.random() < ANSWERED_SHARE
    call = phone_callrail.call_object(borrower, context.rng, at=clock.now(), answered=is_answered)
    if is_answered:
        call["transcription"] = sample_messages.call_transcript(context.rng, borrower.first_name)
    context.post(source, phone_callrail.call_event_delivery(call, source.secret))


def post_chat(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post a finished chat conversation, as JSON or as bare lines."""
    maker = context.rng.choice(
        [chat_generic.conversation_delivery, chat_generic.transcript_delivery]
    )
    context.post(source, maker(borrower, context.rng, at=clock.now(), secret=source.secret))


def build_chat_sender(vendor: str) -> Callable[[VendorContext, Source, Borrower], None]:
    """Build a function that writes in this vendor's chat; some visitors are known by id only."""

    def send(context: VendorContext, source: Source, borrower: Borrower) -> None:
        visitor = {
            "name": f"{borrower.first_name} {borrower.last_name}",
            "email": borrower.email,
            "phone": f"+1{borrower.phone}",
            "says": sample_messages.chat_question(context.rng, borrower.language),
        }
        context.control.call(f"{vendor}/visitor", visitor)

    return send


def mail_text_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Put a vendor's lead email in the mailbox that Rooftree reads."""
    delivery = lead_email.text_email_delivery(
        borrower, context.rng, at=clock.now(), to=_intake_address(source)
    )
    context.control.call("imap/letter", {"raw": base64.b64encode(delivery.body).decode()})


def mail_adf_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Hand over an ADF email through the lender's mail server."""
    delivery = lead_email.adf_email_delivery(
        borrower, context.rng, at=clock.now(), to=_intake_address(source)
    )
    post_delivery(delivery, f"{context.web}/in/mail/{simulator_addresses.MAIL_SECRET}")


def _intake_address(source: Source) -> str:
    return f"leads+{source.token}@{simulator_addresses.INBOX_DOMAIN}"


def submit_hosted_form(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Submit the hosted form, sometimes through a partner's link."""
    language = borrower.language if borrower.language == "es" else "en"
    partner = f"&partner={context.partner}" if context.rng.random() < PARTNER_LINK_SHARE else ""
    url = f"{context.web}/forms/{source.slug}/?lang={language}{partner}"
    visitor = replace(borrower, language=language)
    form_visitor.submit_form(url, visitor, context.rng, pause=context.sleep)


def register_twilio_number(context: VendorContext, source: Source) -> None:
    """Set the carrier's voice webhook of the tracking number."""
    url = f"{context.public}/in/phone_twilio/{source.token}?line=mailer"
    line: dict[str, Any] = {"number": phone_twilio.TRACKING_NUMBER, "voice_url": url}
    context.control.call("twilio/seed", {"numbers": [line]})


def register_callback(vendor: str) -> Callable[[VendorContext, Source], None]:
    """Build a function that registers our webhook with this vendor, which can verify it."""

    def register(context: VendorContext, source: Source) -> None:
        context.control.call(f"{vendor}/callback", {"url": context.address(source)})

    return register


write_in_intercom, write_in_drift = build_chat_sender("intercom"), build_chat_sender("drift")
