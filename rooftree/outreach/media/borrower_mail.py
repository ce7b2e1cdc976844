"""E-mail to a borrower through whatever Django's mail settings name."""

import smtplib
from dataclasses import dataclass

from django.core.mail import EmailMessage, mailers

from rooftree.core.vendor_errors import OutcomeUnknown, RequestRejected, RetryLater


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEmail:
    to: str
    sender: str  # "Name <address>"
    subject: str
    body: str
    reference: str  # our message id; comes back in replies
    unsubscribe_url: str
    reply_to: str = ""


def send_email(letter: OutboundEmail) -> str:
    """Hand one e-mail to the mail server; its Message-ID.

    Carries a one-click unsubscribe header (RFC 8058). Raises `Refused` when the
    address or the message is refused for good, `TryLater` when nothing was
    handed over, `Uncertain` when the line broke after the message was written.
    """
    message_id = f"<{letter.reference}@rooftree.mail>"
    mail = EmailMessage(
        subject=letter.subject,
        body=letter.body,
        from_email=letter.sender,
        to=[letter.to],
        reply_to=[letter.reply_to] if letter.reply_to else None,
        headers={
            "Message-ID": message_id,
            "List-Unsubscribe": f"<{letter.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "X-Rooftree-Message": letter.reference,
        },
    )
    line = mailers.create_connection("default")
    try:
        line.open()
    except (OSError, smtplib.SMTPException) as problem:
        raise RetryLater("The mail server does not answer.") from problem
    try:
        line.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as problem:
        _raise_by_code(next(iter(problem.recipients.values()))[0], "The address was refused.")
    except smtplib.SMTPResponseException as problem:
        _raise_by_code(problem.smtp_code, "The mail server refused the message.")
    except (OSError, smtplib.SMTPException) as problem:
        raise OutcomeUnknown("The line broke while the message was handed over.") from problem
    finally:
        line.close()
    return message_id


def _raise_by_code(code: int, text: str) -> None:
    if 400 <= code < 500:  # RFC 5321: transient
        raise RetryLater(text)
    raise RequestRejected(text, code=str(code))
