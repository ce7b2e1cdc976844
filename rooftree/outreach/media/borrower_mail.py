"""Email to borrowers through Django's configured mail server."""

import smtplib
from dataclasses import dataclass

from django.core.mail import EmailMessage, mailers

from rooftree.core.vendor_errors import OutcomeUnknown, RequestRejected, RetryLater


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEmail:
    """One email to hand to the mail server."""

    to: str
    sender: str  # "Name <address>"
    subject: str
    body: str
    reference: str  # our message id; replies carry it
    unsubscribe_url: str
    reply_to: str = ""


def send_email(email: OutboundEmail) -> str:
    """Hand one email to the mail server; return its Message-ID.

    It has a one-click unsubscribe header (RFC 8058). Raises `RequestRejected` if the address or
    the message is refused for good, `RetryLater` if nothing was handed over, `OutcomeUnknown`
    if the connection broke after the message was written.
    """
    message_id = f"<{email.reference}@rooftree.mail>"
    mail = EmailMessage(
        subject=email.subject,
        body=email.body,
        from_email=email.sender,
        to=[email.to],
        reply_to=[email.reply_to] if email.reply_to else None,
        headers={
            "Message-ID": message_id,
            "List-Unsubscribe": f"<{email.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "X-Rooftree-Message": email.reference,
        },
    )
    mailer = mailers.create_connection("default")
    try:
        mailer.open()
    except (OSError, smtplib.SMTPException) as problem:
        raise RetryLater("The mail server is not responding.") from problem
    try:
        mailer.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as problem:
        _raise_by_code(next(iter(problem.recipients.values()))[0], "The address was refused.")
    except smtplib.SMTPResponseException as problem:
        _raise_by_code(problem.smtp_code, "The mail server refused the message.")
    except (OSError, smtplib.SMTPException) as problem:
        raise OutcomeUnknown("The connection broke while sending the message.") from problem
    finally:
        mailer.close()
    return message_id


def _raise_by_code(code: int, text: str) -> None:
    if 400 <= code < 500:  # RFC 5321: transient
        raise RetryLater(text)
    raise RequestRejected(text, code=str(code))
