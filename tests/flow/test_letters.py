"""What a borrower answers by e-mail is read where texts are read, and ends what texts would end."""

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
from rooftree.outreach.messages import sender_identity
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from tests import make

pytestmark = pytest.mark.django_db
SECRET = "a long secret of the mail server"


@pytest.fixture
def ours(cast, settings) -> Message:
    """An e-mail of ours to Ben, who is Dana's."""
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    settings.MAIL_IN_SECRET = SECRET
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    with assume_role("door"):
        return Message.objects.create(
            lead=cast.ben, person=cast.ben.person, medium="email", purpose="marketing",
            cause="touch:1", to_address="ben@example.com", body="Hi", state="sent",
            created_at=make.NOON, sent_at=make.NOON, carrier="mail", officer=cast.dana,
        )  # fmt: skip


def answer(ours: Message, words: str, **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Ben Ortiz <ben@example.com>"
    mail["To"] = f"Lindenfield <{sender_identity.reply_address(ours)}>"
    mail["Subject"] = "Re: We have your request"
    mail["Message-ID"] = "<abc@mail.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(words)
    return mail.as_bytes()


def came(ours: Message) -> Message:
    return Message.objects.get(lead=ours.lead, direction="in")


def test_an_answer_waits_unread_for_the_officer_without_what_it_quotes(ours):
    raw = answer(
        ours, "After five is fine.\n\nOn Mon, Nov 23, 2026 at 12:01 PM Dana wrote:\n> Hi Ben"
    )

    assert borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    letter = came(ours)
    assert (letter.body, letter.medium, letter.state, letter.read_at) == (
        "After five is fine.", "email", "received", None,
    )  # fmt: skip
    assert Lead.objects.get(pk=ours.lead_id).promise_at == make.NOON + make.HOUR + 5 * make.MINUTE
    assert "wrote back" in StaffNotice.objects.get(kind="reply").text


def test_the_same_letter_handed_over_twice_is_one(ours):
    raw = answer(ours, "After five is fine.")
    borrower_replies.receive_email(raw=raw, at=make.NOON)
    borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    assert Message.objects.filter(direction="in").count() == 1


def test_words_that_end_messages_end_email_at_once(ours):
    borrower_replies.receive_email(raw=answer(ours, "Please unsubscribe me"), at=make.NOON)

    row = Revocation.objects.get()
    assert (row.kind, row.media, row.address) == ("unsubscribe", ["email"], "ben@example.com")


def test_an_absence_note_is_kept_and_moves_nothing(ours):
    raw = answer(ours, "I am away until Monday.", Auto_Submitted="auto-replied")

    promised = Lead.objects.get(pk=ours.lead_id).promise_at

    assert borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    assert came(ours).problem == "automatic"
    assert Lead.objects.get(pk=ours.lead_id).promise_at == promised
    assert not StaffNotice.objects.filter(kind="reply").exists()


def test_a_report_that_an_address_does_not_exist_marks_it(ours):
    Email.objects.create(
        person=ours.lead.person, address="ben@example.com", key="ben@example.com",
        is_primary=True, given_at=make.NOON,
    )  # fmt: skip
    raw = (
        f"To: {sender_identity.reply_address(ours)}\r\nFrom: mailer-daemon@example.com\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n"
        "\r\nFinal-Recipient: rfc822; ben@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--b--\r\n"
    ).encode()

    borrower_replies.receive_email(raw=raw, at=make.NOON + make.HOUR)

    assert Email.objects.get(address="ben@example.com").bounced_at == make.NOON + make.HOUR
    assert Message.objects.get(pk=ours.pk).state == "failed"


def test_markup_is_read_as_words_and_files_are_said_not_kept(ours):
    mail = EmailMessage()
    mail["From"], mail["To"] = "ben@example.com", sender_identity.reply_address(ours)
    mail.set_content("<p>Call me <b>after five</b></p><script>x()</script>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="paystub.pdf")

    borrower_replies.receive_email(raw=mail.as_bytes(), at=make.NOON)

    assert came(ours).body.startswith("Call me after five")
    assert "x()" not in came(ours).body
    assert "1 file attached" in came(ours).body


def test_a_stop_with_accents_counts_in_a_letter_that_is_markup_alone(ours):
    mail = EmailMessage()
    mail["From"], mail["To"] = "ben@example.com", sender_identity.reply_address(ours)
    mail.set_content("<p>No me envíen más correos</p>", subtype="html")

    borrower_replies.receive_email(raw=mail.as_bytes(), at=make.NOON)

    assert came(ours).body == "No me envíen más correos"
    assert Revocation.objects.get().kind == "unsubscribe"


def test_only_the_mail_server_may_hand_letters_over(ours):
    raw = answer(ours, "After five is fine.")
    send = lambda secret: Client().post(  # noqa: E731
        f"/in/mail/{secret}", raw, content_type="message/rfc822"
    )

    assert send("a guess").status_code == 404
    assert not Message.objects.filter(direction="in").exists()
    assert send(SECRET).content == b"kept\n"
    assert Client().post(f"/in/mail/{SECRET}", b"x", content_type="text/plain").content == (
        b"not ours\n"
    )


@how(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(tail=some.binary(max_size=400), header=some.text(max_size=60))
def test_whatever_a_stranger_writes_is_a_letter_or_not_ours(ours, tail, header):
    raw = b"To: " + sender_identity.reply_address(ours).encode() + b"\r\n" + header.encode() + tail

    try:
        read = parse_inbound_email.parse_email(raw)
    except parse_inbound_email.NotAReplyToUs:
        return
    assert "\x00" not in read.body + read.subject
    assert len(read.body) <= parse_inbound_email.MAX_BODY_LENGTH
