"""Replies by e-mail are stored like texts and end the same messages."""

from email.message import EmailMessage

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some

from rooftree.compliance.models import Revocation
from rooftree.db.db_role import assume_role
from rooftree.flow import borrower_replies
from rooftree.leads.models import Email, Lead
from rooftree.org.models import StaffNotice
from rooftree.outreach.inbound import parse_inbound_email
from rooftree.outreach.messages import plan_messages
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from tests import make

pytestmark = pytest.mark.django_db
SECRET = "a long secret of the mail server"


@pytest.fixture
def our_email(cast, settings) -> Message:
    """Return an e-mail of ours to Ben, whose lead Dana owns."""
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    settings.MAIL_IN_SECRET = SECRET
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    with assume_role("door"):
        return Message.objects.create(
            lead=cast.ben, person=cast.ben.person, medium="email", purpose="marketing",
            idempotency_key="touch:1", to_address="ben@example.com", body="Hi", state="sent",
            created_at=make.NOON, sent_at=make.NOON, carrier="mail", officer=cast.dana,
        )  # fmt: skip


def reply_to(our_email: Message, words: str, **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Ben Ortiz <ben@example.com>"
    mail["To"] = f"Lindenfield <{plan_messages.reply_address(our_email)}>"
    mail["Subject"] = "Re: We have your request"
    mail["Message-ID"] = "<abc@mail.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(words)
    return mail.as_bytes()


def received_email(our_email: Message) -> Message:
    return Message.objects.get(lead=our_email.lead, direction="in")


def test_email_reply_waits_unread_without_quoted_text(our_email):
    raw = reply_to(
        our_email, "After five is fine.\n\nOn Mon, Nov 23, 2026 at 12:01 PM Dana wrote:\n> Hi Ben"
    )

    assert borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    letter = received_email(our_email)
    assert (letter.body, letter.medium, letter.state, letter.read_at) == (
        "After five is fine.", "email", "received", None,
    )  # fmt: skip
    assert (
        Lead.objects.get(pk=our_email.lead_id).response_due_at
        == make.NOON + make.HOUR + 5 * make.MINUTE
    )
    assert "wrote back" in StaffNotice.objects.get(kind="reply").text


def test_same_email_delivered_twice_is_stored_once(our_email):
    raw = reply_to(our_email, "After five is fine.")
    borrower_replies.receive_email(raw=raw, at=make.NOON)
    borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    assert Message.objects.filter(direction="in").count() == 1


def test_unsubscribe_words_end_email_at_once(our_email):
    borrower_replies.receive_email(raw=reply_to(our_email, "Please unsubscribe me"), at=make.NOON)

    row = Revocation.objects.get()
    assert (row.kind, row.media, row.address) == ("unsubscribe", ["email"], "ben@example.com")


def test_our_footer_below_outlooks_header_ends_nothing(our_email):
    words = "After five is fine.\n\nFrom: Dana Lee\nSent: Monday, November 23, 2026\nTo: Ben\n\n"
    footer = (
        "Lindenfield Mortgage\nTo stop these e-mails: https://lindenfield.example/unsubscribe/1\n"
    )

    borrower_replies.receive_email(raw=reply_to(our_email, words + footer), at=make.NOON)

    assert received_email(our_email).body == "After five is fine."
    assert not Revocation.objects.exists()


def test_our_own_message_quoted_without_any_mark_ends_nothing(our_email):
    ending = (
        "\n--\nLindenfield Mortgage LLC, NMLS 2210\n1 Main Street, Tampa, FL 33602\n"
        "To stop these e-mails: https://lindenfield.example/unsubscribe/1/\n"
    )
    with assume_role("door"):
        Message.objects.filter(pk=our_email.pk).update(ending=ending)
    raw = reply_to(our_email, f"Yes please, call me tomorrow\n\nHi{ending}")
    raw = raw.replace(b"From: Ben Ortiz <", b"From: Ortiz, Ben @ home <")
    raw = raw.replace(b"To: Lindenfield <", b"To: Lindenfield, Inc. <")

    assert borrower_replies.receive_email(raw=raw, at=make.NOON)

    letter = received_email(our_email)
    assert letter.body.startswith("Yes please, call me tomorrow")
    assert "stop" not in letter.body
    assert letter.from_address == "ben@example.com"
    assert not Revocation.objects.exists()


def test_out_of_office_reply_is_stored_without_effect(our_email):
    raw = reply_to(our_email, "I am away until Monday.", Auto_Submitted="auto-replied")

    promised = Lead.objects.get(pk=our_email.lead_id).response_due_at

    assert borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    assert received_email(our_email).problem == "automatic"
    assert Lead.objects.get(pk=our_email.lead_id).response_due_at == promised
    assert not StaffNotice.objects.filter(kind="reply").exists()


def test_bounce_report_marks_email_address(our_email):
    Email.objects.create(
        person=our_email.lead.person, address="ben@example.com", key="ben@example.com",
        is_primary=True, given_at=make.NOON,
    )  # fmt: skip
    raw = (
        f"To: {plan_messages.reply_address(our_email)}\r\nFrom: mailer-daemon@example.com\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n"
        "\r\nFinal-Recipient: rfc822; ben@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--b--\r\n"
    ).encode()

    borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    assert Email.objects.get(address="ben@example.com").bounced_at == make.NOON + make.HOUR
    assert Message.objects.get(pk=our_email.pk).state == "failed"


def test_html_email_is_read_as_text_and_attachments_are_only_counted(our_email):
    mail = EmailMessage()
    mail["From"], mail["To"] = "ben@example.com", plan_messages.reply_address(our_email)
    mail.set_content("<p>Call me <b>after five</b></p><script>x()</script>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="paystub.pdf")

    borrower_replies.receive_email(raw=mail.as_bytes(), at=make.NOON)

    assert received_email(our_email).body.startswith("Call me after five")
    assert "x()" not in received_email(our_email).body
    assert "1 file attached" in received_email(our_email).body


def test_accented_stop_counts_in_html_only_email(our_email):
    mail = EmailMessage()
    mail["From"], mail["To"] = "ben@example.com", plan_messages.reply_address(our_email)
    mail.set_content("<p>No me envíen más correos</p>", subtype="html")

    borrower_replies.receive_email(raw=mail.as_bytes(), at=make.NOON)

    assert received_email(our_email).body == "No me envíen más correos"
    assert Revocation.objects.get().kind == "unsubscribe"


def test_only_mail_server_can_deliver_email(our_email):
    raw = reply_to(our_email, "After five is fine.")
    send = lambda secret: Client().post(  # noqa: E731
        f"/in/mail/{secret}", raw, content_type="message/rfc822"
    )

    assert send("a guess").status_code == 404
    assert not Message.objects.filter(direction="in").exists()
    assert send(SECRET).content == b"kept\n"
    assert Client().post(f"/in/mail/{SECRET}", b"x", content_type="text/plain").content == (
        b"not ours\n"
    )


@how(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60, deadline=None,
)  # fmt: skip
@given(tail=some.binary(max_size=400), header=some.text(max_size=60))
def test_any_bytes_are_parsed_or_refused(our_email, tail, header):
    raw = (
        b"To: " + plan_messages.reply_address(our_email).encode() + b"\r\n" + header.encode() + tail
    )

    try:
        email = parse_inbound_email.parse_email(raw)
    except parse_inbound_email.NotAReplyToUs:
        return
    assert "\x00" not in email.body + email.subject
    assert len(email.body) <= parse_inbound_email.MAX_BODY_LENGTH
