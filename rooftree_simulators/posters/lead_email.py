"""A vendor's lead email, as the lender's mail server hands it over: as text, or as ADF."""

import random
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from xml.sax.saxutils import escape

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

VENDOR_DOMAIN = "ratehub.example"


def _new_email(number: str, to: str, at: datetime, verdict: str) -> EmailMessage:
    """Start an email; the lender's server wrote the first header, the sender wrote the others."""
    mail = EmailMessage()
    mail["Authentication-Results"] = (
        f"mx.lindenfield.example; dkim={verdict} header.d={VENDOR_DOMAIN}"
    )
    mail["From"] = f"leads@{VENDOR_DOMAIN}"
    mail["To"] = to
    mail["Subject"] = "New mortgage lead"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{number}@{VENDOR_DOMAIN}>"
    return mail


def text_email_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, to: str, verdict: str = "pass"
) -> Delivery:
    """Build an email with one label and value per line."""
    number = f"RH-{rng.randrange(10**6)}"
    mail = _new_email(number, to, at, verdict)
    lines = {
        "Lead ID": number,
        "First Name": borrower.first_name,
        "Last Name": borrower.last_name,
        "Email": borrower.email,
        "Phone": f"({borrower.phone[:3]}) {borrower.phone[3:6]}-{borrower.phone[6:]}",
        "Property State": borrower.state,
        "Loan Purpose": "Purchase" if borrower.purpose == "purchase" else "Refinance",
        "Loan Amount": f"${borrower.loan:,}",
        "Lead Cost": "$29.00",
    }
    mail.set_content("".join(f"{label}: {value}\n" for label, value in lines.items()))
    return Delivery(
        vendor_id=number, body=mail.as_bytes(), headers={"Content-Type": "message/rfc822"}
    )


def adf_email_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, to: str, verdict: str = "pass"
) -> Delivery:
    """Build an email with ADF 1.0 attached that contains an unescaped ampersand."""
    number = f"AM-{rng.randrange(10**6)}"
    mail = _new_email(number, to, at, verdict)
    mail.set_content("see attached\n")
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><?adf version="1.0"?><adf><prospect status="new">'
        f'<id sequence="1" source="AutoMoneyNet">{number}</id>'
        f"<requestdate>{at.isoformat(timespec='seconds')}</requestdate><customer><contact>"
        f'<name part="first">{escape(borrower.first_name)}</name>'
        f'<name part="last">{escape(borrower.last_name)}</name>'
        f'<email>{borrower.email}</email><phone type="cellphone">{borrower.phone}</phone>'
        "</contact><comments>Pay off AT&T & the truck</comments></customer></prospect></adf>"
    )
    mail.add_attachment(
        document.encode(), maintype="application", subtype="xml", filename="lead.xml"
    )
    return Delivery(
        vendor_id=number, body=mail.as_bytes(), headers={"Content-Type": "message/rfc822"}
    )
