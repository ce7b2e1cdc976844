"""Email to borrowers through the mail server in use."""

from dataclasses import dataclass

from django.core.mail import EmailMessage

from rooftree.org import mail_transport
from rooftree.org.mail_transport import MailServer


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


def send_email(email: OutboundEmail, server: MailServer) -> str:
    """Hand one email to the mail server; return its Message-ID.

    It has a one-click unsubscribe header (RFC 8058). Raises what `mail_transport.send_mail` does.
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
    mail_transport.send_mail(mail, server)
    return message_id
